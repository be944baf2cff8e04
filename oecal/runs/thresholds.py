"""Chooses the thresholds of one run, one per promise and score.

They are chosen on ID validation images and, for an `error` promise, on auxiliary outliers. What a
guarantee rests on:

- ID images come as the validation images did. Nothing is promised for shifted or corrupted ones.
- OOD images of an `error` promise come as the auxiliary outliers did. Nothing is said of other OOD
  images: the table `promises` measures how far it carries to the OOD test sets.
- The images of the pool are independent of the score. Not quite: hyperparameters of scores
  (`oecal.scores.tuning`), temperatures, and the outliers' part in a training saw the same
  validation images or outliers. A choice among a handful adds little; to be exact, a promise must
  hold for the worst of m choices, at 1 - (1 - confidence) / m. Outliers trained on score higher
  than new ones like them.
- It is the promise of one score. Whoever takes the best of many thresholds has chosen once more.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from oecal.core.files import replacing
from oecal.core.seeds import make_generator
from oecal.metrics.guarantees import Threshold, select_error_threshold, select_rejection_threshold
from oecal.runs.run_files import (
    StoredSet,
    find_errors,
    largest_pool,
    list_complete_scores,
    read_run,
)


@dataclass(frozen=True)
class Guarantee:
    """What a promise guarantees with probability `confidence` over the draw of the images.

    kind: `reject`, at most the share `level` of ID images is rejected; or `error`, at most the
    share `level` of accepted images is wrong, where the share `ood_rate` of all images is OOD.
    """

    kind: str
    level: float
    confidence: float
    ood_rate: float


def read_guarantee(promise: Mapping[str, float]) -> Guarantee:
    """Read a promise of the configuration, {reject | error: level, ...}, with defaults.

    >>> read_guarantee({"reject": 0.05})
    Guarantee(kind='reject', level=0.05, confidence=0.95, ood_rate=0.0)
    """
    kind = "reject" if "reject" in promise else "error"
    return Guarantee(
        kind, promise[kind], promise.get("confidence", 0.95), promise.get("ood_rate", 0.0)
    )


def sample_indices(n: int, count: int, purpose: str) -> np.ndarray:
    """Draw `count` of n indices, the same ones for each run."""
    return make_generator("promises", purpose).permutation(n)[:count]


def pool_at_rate(
    inside: np.ndarray, wrong: np.ndarray, outside: np.ndarray, rate: float
) -> tuple[np.ndarray, np.ndarray]:
    """Pool ID and OOD images so that a share `rate` is OOD; return scores and errors, (N,) each.

    inside, wrong: score of each ID image, and whether its prediction is wrong; OOD images are
    errors. The share is exact rather than random, so that the number of errors varies less than the
    binomial distribution of the guarantee supposes.

    >>> scores, wrong = pool_at_rate(np.zeros(80), np.zeros(80, bool), np.ones(50), rate=0.2)
    >>> len(scores), float(wrong.mean())
    (100, 0.2)
    """
    few, many = largest_pool(len(inside), len(outside), rate)
    own, other = sample_indices(len(inside), few, "id"), sample_indices(len(outside), many, "ood")
    return np.concatenate([inside[own], outside[other]]), np.concatenate(
        [wrong[own].astype(float), np.ones(len(other))]
    )


def select_threshold(
    guarantee: Guarantee, inside: np.ndarray, wrong: np.ndarray, outside: np.ndarray
) -> Threshold:
    """Select the threshold of one score that keeps a promise.

    inside, wrong: score of each ID validation image, and whether its prediction is wrong; outside:
    scores of the auxiliary outliers.
    """
    if guarantee.kind == "reject":
        return select_rejection_threshold(inside, guarantee.level, guarantee.confidence)
    return select_error_threshold(
        *pool_at_rate(inside, wrong, outside, guarantee.ood_rate),
        guarantee.level,
        guarantee.confidence,
    )


def write_thresholds(
    scores: str, outputs: str, promises: Mapping[str, Mapping[str, float]], path: str
) -> None:
    """Write the thresholds of a run as JSON.

    Format: {"run", "promises": {name: {kind, level, confidence, ood_rate, "scores": {score:
    {threshold, n, bound}}}}}. An image is accepted if and only if its score is at most the
    threshold; null: none keeps the promise, every image is rejected. n: the validation images, and
    outliers, that it is from; bound: the upper confidence limit of the promised rate, null without
    a threshold.

    Left out are scores that were computed for only part of the images, `error` promises of a
    density model, which predicts nothing, and those at an `ood_rate` above 0 of a run without
    auxiliary outliers.
    """
    source, scored = read_run(outputs, "logits", "labels", "log_likelihood"), read_run(scores)
    groups: list[StoredSet] = [
        scored.find("id", "val"),
        *(g for g in scored.groups if g.role == "outlier"),
    ]
    whole = list_complete_scores(source, groups)
    wrong = find_errors(source.find("id", "val"))
    written = {}
    for name, guarantee in ((n, read_guarantee(p)) for n, p in promises.items()):
        if guarantee.kind == "error" and (
            source.kind != "classifier" or (guarantee.ood_rate > 0 and len(groups) == 1)
        ):
            logging.info(
                "%s: left out; it needs a classifier, and auxiliary outliers for an ood_rate",
                name,
            )
            continue
        thresholds = {}
        for score in whole:
            outside = np.concatenate([np.zeros(0), *(g[score] for g in groups[1:])])
            thresholds[score] = asdict(
                select_threshold(guarantee, groups[0][score], wrong, outside)
            )
        without = [score for score, values in thresholds.items() if values["threshold"] is None]
        logging.info(
            "%s: of %d scores, those without a threshold that keeps it: %s",
            name,
            len(thresholds),
            ", ".join(without) or "none",
        )
        written[name] = {**asdict(guarantee), "scores": thresholds}
    with replacing(path) as temporary:
        temporary.write_text(json.dumps({"run": source.key, "promises": written}, indent=1) + "\n")
