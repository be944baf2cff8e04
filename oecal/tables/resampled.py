"""`resampled.csv`: how often a promise is broken, over random splits of the images, neither trained on, into validation and test.

What is exact and what is not:

- ID val and ID test images are pooled and split anew, so they are exchangeable, as the guarantee asks, whatever they were before.
- A promise is about the rate of all images to come. A finite test adds noise of its own, and exceeds the promise more often than
  1 - confidence although it is kept. For `reject` this share has a closed form: where the threshold has k of n images of the new val
  above it, it has X of m new test images, X ~ BetaBinomial(m, k + 1, n - k) (negative hypergeometric); fewer where scores are tied.
- So the promise is also judged with the pool as the population: at a given threshold its rate is known, and at most 1 - confidence of
  the splits may exceed the level, apart from the chance of few splits. It will be fewer: n images drawn without replacement vary less
  than the binomial distribution of the guarantee supposes, the less the larger a part of the pool they are.
- With OOD images the same holds nearly: a random half of each OOD test set stands for the outliers, the sets in equal shares as on the
  measuring side, the other half arrives. Their number is exact rather than random, which makes errors vary less still.
- Auxiliary outliers, always the same, promise nothing of other OOD images: the table tells what comes of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from oecal.core.roles import OOD
from oecal.core.seeds import make_generator
from oecal.metrics.guarantees import select_rejection_threshold
from oecal.runs.run_files import (
    RUN_COLUMNS,
    EvaluatedSet,
    find_errors,
    list_complete_scores,
    read_run,
)
from oecal.runs.thresholds import chosen, described
from oecal.tables.promises import mistaken
from oecal.tables.rows import SCORES, frame

COLUMNS = [
    *RUN_COLUMNS,
    "promise",
    "kind",
    "level",
    "confidence",
    "ood_rate",
    "score",
    "outliers",
    "splits",
    "without",
    "mean",
    "q05",
    "q95",
    "exceeds",
    "expected",
    "exceeds_pool",
    "coverage",
    "n_val",
    "n_test",
]
SPLITS = 200


@dataclass(frozen=True)
class Split:
    """Places of images.

    Val, test: in the ID pool; outliers: in all OOD images, one set after the other; arriving: in
    each OOD set.
    """

    val: np.ndarray
    test: np.ndarray
    outliers: np.ndarray
    arriving: list[np.ndarray]


def split(number: int, val: int, test: int, sizes: Sequence[int]) -> Split:
    """The split of this number, the same one for each run: `val` and `test` ID images, and halves of OOD sets of so many images.

    Of the first halves as many as the smallest one has are taken from each set, in random order,
    which `oecal.runs.thresholds.pool` draws from.
    """
    rng = make_generator("resampled", number)
    inside = rng.permutation(val + test)
    orders = [rng.permutation(size) for size in sizes]
    each = min(sizes, default=0) // 2
    starts = np.cumsum([0, *sizes])
    outliers = np.concatenate(
        [
            np.zeros(0, int),
            *(start + order[:each] for start, order in zip(starts, orders, strict=False)),
        ]
    )
    return Split(
        inside[:val],
        inside[val:],
        rng.permutation(outliers),
        [order[len(order) // 2 :] for order in orders],
    )


@dataclass(frozen=True)
class Pool:
    """One score of all images of a run.

    inside: ID val and test, wrong: of each its prediction; outside: OOD sets; auxiliary: outliers.
    """

    inside: np.ndarray
    wrong: np.ndarray
    outside: list[np.ndarray]
    auxiliary: np.ndarray


@cache
def place(n: int, level: float, confidence: float) -> int | None:
    """Which of n ascending scores is the threshold for rejection; it depends on nothing else."""
    found = select_rejection_threshold(np.arange(n), level, confidence).threshold
    return None if found is None else int(found)


def limit(
    promise: Mapping[str, Any], inside: np.ndarray, wrong: np.ndarray, outside: np.ndarray
) -> float:
    """The threshold that `oecal.runs.thresholds.chosen` chooses; nan if there is none."""
    if promise["kind"] == "reject":
        at = place(len(inside), promise["level"], promise["confidence"])
        return np.nan if at is None else np.partition(inside, at)[at]
    found = chosen(promise, inside, wrong, outside).threshold
    return np.nan if found is None else found


def realised(
    promise: Mapping[str, Any],
    threshold: float,
    inside: np.ndarray,
    wrong: np.ndarray,
    outside: Sequence[np.ndarray],
) -> float:
    """The rate that is promised something, as in `promises.csv`.

    Nan without a threshold, and of errors if nothing is accepted.
    """
    if np.isnan(threshold):
        return np.nan
    if promise["kind"] == "reject":
        return np.count_nonzero(inside > threshold) / len(inside)
    others = [values <= threshold for values in outside] if promise["ood_rate"] > 0 else []
    rate: float = mistaken(inside <= threshold, wrong, others, promise["ood_rate"])["realised"]
    return rate


def trial(
    promise: Mapping[str, Any], outliers: str, pool: Pool, s: Split
) -> tuple[float, float, float, float]:
    """Threshold, realised rate on the new test images and on all, share of new ID test images accepted."""
    known = (
        np.concatenate([np.zeros(0), *pool.outside])[s.outliers]
        if outliers == "like_test"
        else pool.auxiliary
    )
    threshold = limit(promise, pool.inside[s.val], pool.wrong[s.val], known)
    arriving = [values[index] for values, index in zip(pool.outside, s.arriving, strict=True)]
    test = pool.inside[s.test]
    rate = realised(promise, threshold, test, pool.wrong[s.test], arriving)
    overall = realised(promise, threshold, pool.inside, pool.wrong, pool.outside)
    return threshold, rate, overall, np.count_nonzero(test <= threshold) / len(test)


def expected(promise: Mapping[str, Any], val: int, test: int) -> float:
    """Probability that more than the level of `test` images are rejected at a threshold of `val` exchangeable ones, without ties.

    Exact for `reject`; nan for `error`, whose threshold has no such law, and without a threshold.
    """
    from scipy.stats import betabinom

    at = (
        place(val, promise["level"], promise["confidence"]) if promise["kind"] == "reject" else None
    )
    if at is None:
        return np.nan
    above = val - 1 - at
    return float(
        betabinom.sf(np.floor(promise["level"] * test + 1e-9), test, above + 1, val - above)
    )


def summary(promise: Mapping[str, Any], found: np.ndarray) -> dict[str, float]:
    """Of thresholds, realised rates on test and in the pool, and coverages, (S, 4).

    A split without a threshold breaks no promise.
    """
    thresholds, rates, pool, coverage = found.T
    there = rates[~np.isnan(rates)]
    low, high = np.quantile(there, (0.05, 0.95)) if len(there) else (np.nan, np.nan)
    return {
        "splits": len(found),
        "without": np.count_nonzero(np.isnan(thresholds)),
        "mean": there.mean() if len(there) else np.nan,
        "q05": low,
        "q95": high,
        "exceeds": np.mean(rates > promise["level"]),
        "exceeds_pool": np.mean(pool > promise["level"]),
        "coverage": coverage.mean(),
    }


def versions(
    promise: Mapping[str, Any],
    kind: str,
    outside: Sequence[EvaluatedSet],
    auxiliary: Sequence[EvaluatedSet],
) -> list[str]:
    """The outliers that a promise can be tried with: `none` where it needs none."""
    if promise["kind"] == "reject":
        return ["none"]
    if kind != "classifier":
        return []  # it predicts nothing
    if promise["ood_rate"] == 0:
        return ["none"]
    return [
        name
        for name, there in (("like_test", outside), ("auxiliary", outside and auxiliary))
        if there
    ]


def compute_table(
    outputs: Sequence[str], scores: Sequence[str], options: Mapping[str, Any]
) -> pd.DataFrame:
    """A row for each run, promise, score of `oecal.tables.rows.SCORES` and kind of outliers.

    Outputs, scores: paths, in the same order.

    outliers: those that the threshold is chosen with: `none`; `like_test`, exchangeable with the
    OOD images that arrive, or `auxiliary`. splits: their number; without: splits for which no
    threshold can promise it. mean, q05, q95: of the realised rate on the new test images over
    splits with a threshold. exceeds: share of all splits in which it is above the level; expected:
    the probability of that for `reject`, without ties. exceeds_pool: share in which the rate of all
    images of the pool and the OOD test sets is above the level: a promise is kept if at most 1 -
    confidence. coverage: mean share of new ID test images accepted. n_val, n_test: ID images of a
    split. Options: promises, as in the configuration.
    """
    promises = {name: described(promise) for name, promise in options["promises"].items()}
    rows = []
    for output, scored in zip(outputs, scores, strict=True):
        run, values = (
            read_run(output, "logits", "labels", "log_likelihood"),
            read_run(scored, *SCORES),
        )
        parts, outside = [values.find("id", "val"), values.find("id")], values.tests(*OOD)
        auxiliary = [g for g in values.groups if g.role == "outlier"]
        usable = list_complete_scores(run, [*parts, *outside, *auxiliary])
        if not usable:
            continue
        n_val, n_test = (len(g[usable[0]]) for g in parts)
        splits = [
            split(number, n_val, n_test, [len(g[usable[0]]) for g in outside])
            for number in range(SPLITS)
        ]
        if run.kind == "classifier":
            wrong = np.concatenate(
                [find_errors(run.find("id", "val")), find_errors(run.find("id"))]
            )
        else:
            wrong = np.zeros(n_val + n_test, bool)
        pools = {
            score: Pool(
                np.concatenate([g[score] for g in parts]),
                wrong,
                [g[score] for g in outside],
                np.concatenate([np.zeros(0), *(g[score] for g in auxiliary)]),
            )
            for score in usable
        }
        for name, promise in promises.items():
            about = {
                **run.key,
                "promise": name,
                **promise,
                "expected": expected(promise, n_val, n_test),
                "n_val": n_val,
                "n_test": n_test,
            }
            for score, outliers in product(usable, versions(promise, run.kind, outside, auxiliary)):
                found = np.array([trial(promise, outliers, pools[score], s) for s in splits])
                rows.append(
                    {**about, "score": score, "outliers": outliers, **summary(promise, found)}
                )
    return frame(rows, COLUMNS, outputs)
