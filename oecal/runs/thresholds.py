"""The thresholds of one run, for each promise and score, chosen on ID validation images and, of an `error` promise, auxiliary outliers.

What a guarantee rests on:

- ID images come as the validation images did. Shifted or corrupted ones are promised nothing.
- OOD images of an `error` promise come as the auxiliary outliers did. Of other OOD images it says nothing: the table `promises` measures
  how far it carries to the OOD test sets.
- The images of the pool are independent of the score. Not quite: hyperparameters of scores (`oecal.scores.tuning`), temperatures, and
  the outliers' part in a training, saw the same validation images or outliers. A choice among a handful adds little; a promise must
  hold for the worst of m choices to be exact, at 1 - (1 - confidence) / m. Outliers trained on score higher than new ones like them.
- It is the promise of one score. Whoever takes the best of many thresholds has chosen once more.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from oecal.core.files import replacing
from oecal.core.seeds import make_generator
from oecal.metrics.guarantees import Threshold, select_error_threshold, select_rejection_threshold
from oecal.runs.run_files import (
    EvaluatedSet,
    find_errors,
    largest_pool,
    list_complete_scores,
    read_run,
)


def drawn(n: int, count: int, purpose: str) -> np.ndarray:
    """`count` of n indices, the same ones for each run."""
    return make_generator("promises", purpose).permutation(n)[:count]


def pool(
    inside: np.ndarray, wrong: np.ndarray, outside: np.ndarray, rate: float
) -> tuple[np.ndarray, np.ndarray]:
    """Scores and errors, (N,) each, of ID and OOD images of which a share `rate` is OOD.

    OOD images are errors.

    inside, wrong: score of each ID image, and whether its prediction is wrong. The share is exact
    rather than random, so that the number of errors varies less than the binomial distribution of
    the guarantee supposes.

    >>> scores, wrong = pool(np.zeros(80), np.zeros(80, bool), np.ones(50), rate=0.2)
    >>> len(scores), float(wrong.mean())
    (100, 0.2)
    """
    few, many = largest_pool(len(inside), len(outside), rate)
    own, other = drawn(len(inside), few, "id"), drawn(len(outside), many, "ood")
    return np.concatenate([inside[own], outside[other]]), np.concatenate(
        [wrong[own].astype(float), np.ones(len(other))]
    )


def chosen(
    promise: Mapping[str, Any], inside: np.ndarray, wrong: np.ndarray, outside: np.ndarray
) -> Threshold:
    """The threshold of one score for one promise, as `described`."""
    if promise["kind"] == "reject":
        return select_rejection_threshold(inside, promise["level"], promise["confidence"])
    return select_error_threshold(
        *pool(inside, wrong, outside, promise["ood_rate"]), promise["level"], promise["confidence"]
    )


def described(promise: Mapping[str, Any]) -> dict[str, Any]:
    """A promise of the configuration, {reject | error: level, ...}, as kind, level, confidence (0.95) and ood_rate (0).

    >>> described({"reject": 0.05})
    {'kind': 'reject', 'level': 0.05, 'confidence': 0.95, 'ood_rate': 0.0}
    """
    kind = "reject" if "reject" in promise else "error"
    return {
        "kind": kind,
        "level": promise[kind],
        "confidence": promise.get("confidence", 0.95),
        "ood_rate": promise.get("ood_rate", 0.0),
    }


def write_thresholds(
    scores: str, outputs: str, promises: Mapping[str, Mapping[str, Any]], path: str
) -> None:
    """Writes {"run", "promises": {name: {kind, level, confidence, ood_rate, "scores": {score: {threshold, n, bound}}}}} as JSON.

    An image is accepted if and only if its score is at most the threshold; null: none keeps the
    promise, every image is rejected. n: the validation images, and outliers, that it is from;
    bound: the upper confidence limit of the promised rate, null without a threshold. Scores that
    were computed of part of the images have no place here, nor have `error` promises of a density
    model, which predicts nothing, and those at an `ood_rate` above 0 of a run without auxiliary
    outliers.
    """
    source, scored = read_run(outputs, "logits", "labels", "log_likelihood"), read_run(scores)
    groups: list[EvaluatedSet] = [
        scored.find("id", "val"),
        *(g for g in scored.groups if g.role == "outlier"),
    ]
    whole = list_complete_scores(source, groups)
    wrong = find_errors(source.find("id", "val"))
    written = {}
    for name, promise in ((n, described(p)) for n, p in promises.items()):
        if promise["kind"] == "error" and (
            source.kind != "classifier" or (promise["ood_rate"] > 0 and len(groups) == 1)
        ):
            logging.info(
                "%s: left out: it needs a classifier and, at an ood_rate above 0, auxiliary outliers",
                name,
            )
            continue
        thresholds = {}
        for score in whole:
            outside = np.concatenate([np.zeros(0), *(g[score] for g in groups[1:])])
            thresholds[score] = asdict(chosen(promise, groups[0][score], wrong, outside))
        without = [score for score, values in thresholds.items() if values["threshold"] is None]
        logging.info(
            "%s: of %d scores, no threshold keeps it for: %s",
            name,
            len(thresholds),
            ", ".join(without) or "none",
        )
        written[name] = {**promise, "scores": thresholds}
    with replacing(path) as temporary:
        temporary.write_text(json.dumps({"run": source.key, "promises": written}, indent=1) + "\n")
