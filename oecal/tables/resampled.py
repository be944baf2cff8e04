"""`resampled.csv`: how often a promise is broken over random splits into validation and test.

What is exact and what is not:

- ID val and ID test images, neither of which was trained on, are pooled and split anew. So they are
  exchangeable, as the guarantee asks, whatever they were before.
- A promise is about the rate of all images to come. A finite test adds noise of its own, and
  exceeds the promise more often than 1 - confidence although it is kept. For `reject` this share
  has a closed form: if k of the n images of the new val lie above the threshold, then X of m new
  test images do, X ~ BetaBinomial(m, k + 1, n - k) (negative hypergeometric); fewer where scores
  are tied.
- So the promise is also judged with the pool as the population: at a given threshold its rate is
  known, and at most 1 - confidence of the splits may exceed the level, apart from the chance of few
  splits. It will be fewer: n images drawn without replacement vary less than the binomial
  distribution of the guarantee supposes, the less the larger a part of the pool they are.
- With OOD images the same holds nearly: a random half of each OOD test set stands for the outliers,
  the sets in equal shares as on the measuring side, and the other half arrives. Their number is
  exact rather than random, which makes errors vary less still.
- Auxiliary outliers, always the same, promise nothing about other OOD images: the table measures
  what comes of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from itertools import product

import numpy as np
import pandas as pd

from oecal.core.roles import OOD
from oecal.metrics.guarantees import select_rejection_threshold
from oecal.runs.random_splits import ValTestSplit, draw_split
from oecal.runs.run_files import (
    RUN_COLUMNS,
    StoredSet,
    find_errors,
    list_complete_scores,
    read_run,
)
from oecal.runs.thresholds import Guarantee, read_guarantee, select_threshold
from oecal.tables.promises import measure_errors
from oecal.tables.rows import COMMON_SCORES, make_table

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
class ScoresOfRun:
    """One score of all images of a run.

    inside: ID val and test; wrong: whether the prediction of each of them is wrong; outside: of
    each OOD set; auxiliary: outliers.
    """

    inside: np.ndarray
    wrong: np.ndarray
    outside: list[np.ndarray]
    auxiliary: np.ndarray


@cache
def find_threshold_index(n: int, level: float, confidence: float) -> int | None:
    """Return which of n ascending scores is the threshold for rejection.

    It depends on nothing else.
    """
    index = select_rejection_threshold(np.arange(n), level, confidence).threshold
    return None if index is None else int(index)


def choose_threshold(
    guarantee: Guarantee, inside: np.ndarray, wrong: np.ndarray, outside: np.ndarray
) -> float:
    """Return the threshold that `select_threshold` selects, only faster; nan if there is none."""
    if guarantee.kind == "reject":
        at = find_threshold_index(len(inside), guarantee.level, guarantee.confidence)
        return np.nan if at is None else np.partition(inside, at)[at]
    threshold = select_threshold(guarantee, inside, wrong, outside).threshold
    return np.nan if threshold is None else threshold


def measure_rate(
    guarantee: Guarantee,
    threshold: float,
    inside: np.ndarray,
    wrong: np.ndarray,
    outside: Sequence[np.ndarray],
) -> float:
    """Measure the rate that the promise is about, as in `promises.csv`.

    nan without a threshold, and for errors if nothing is accepted.
    """
    if np.isnan(threshold):
        return np.nan
    if guarantee.kind == "reject":
        return np.count_nonzero(inside > threshold) / len(inside)
    others = [values <= threshold for values in outside] if guarantee.ood_rate > 0 else []
    rate: float = measure_errors(inside <= threshold, wrong, others, guarantee.ood_rate)["realised"]
    return rate


def try_split(
    guarantee: Guarantee, outliers: str, pool: ScoresOfRun, s: ValTestSplit
) -> tuple[float, float, float, float]:
    """Return threshold, rate on the new test images, rate on all images, and coverage of one split.

    Coverage is the share of the new ID test images that are accepted.
    """
    known = (
        np.concatenate([np.zeros(0), *pool.outside])[s.outliers]
        if outliers == "like_test"
        else pool.auxiliary
    )
    threshold = choose_threshold(guarantee, pool.inside[s.val], pool.wrong[s.val], known)
    arriving = [values[index] for values, index in zip(pool.outside, s.arriving, strict=True)]
    test = pool.inside[s.test]
    rate = measure_rate(guarantee, threshold, test, pool.wrong[s.test], arriving)
    overall = measure_rate(guarantee, threshold, pool.inside, pool.wrong, pool.outside)
    return threshold, rate, overall, np.count_nonzero(test <= threshold) / len(test)


def compute_expected(guarantee: Guarantee, val: int, test: int) -> float:
    """Return the probability that more than the level of `test` images are rejected.

    The threshold is one of `val` exchangeable images; there are no ties. Exact for `reject`; nan
    for `error`, whose threshold has no such law, and without a threshold.
    """
    from scipy.stats import betabinom

    at = (
        find_threshold_index(val, guarantee.level, guarantee.confidence)
        if guarantee.kind == "reject"
        else None
    )
    if at is None:
        return np.nan
    above = val - 1 - at
    return float(
        betabinom.sf(np.floor(guarantee.level * test + 1e-9), test, above + 1, val - above)
    )


def summarize_trials(guarantee: Guarantee, trials: np.ndarray) -> dict[str, float]:
    """Summarize thresholds, rates on test and in the pool, and coverages of all splits, (S, 4).

    A split without a threshold breaks no promise.
    """
    thresholds, rates, pool, coverage = trials.T
    there = rates[~np.isnan(rates)]
    low, high = np.quantile(there, (0.05, 0.95)) if len(there) else (np.nan, np.nan)
    return {
        "splits": len(trials),
        "without": np.count_nonzero(np.isnan(thresholds)),
        "mean": there.mean() if len(there) else np.nan,
        "q05": low,
        "q95": high,
        "exceeds": np.mean(rates > guarantee.level),
        "exceeds_pool": np.mean(pool > guarantee.level),
        "coverage": coverage.mean(),
    }


def list_outlier_kinds(
    guarantee: Guarantee,
    kind: str,
    outside: Sequence[StoredSet],
    auxiliary: Sequence[StoredSet],
) -> list[str]:
    """List the outliers that a promise can be tried with; `none` if it needs none."""
    if guarantee.kind == "reject":
        return ["none"]
    if kind != "classifier":
        return []  # it predicts nothing
    if guarantee.ood_rate == 0:
        return ["none"]
    return [
        name
        for name, there in (("like_test", outside), ("auxiliary", outside and auxiliary))
        if there
    ]


def compute_table(
    outputs: Sequence[str],
    scores: Sequence[str],
    promise_entries: Mapping[str, Mapping[str, float]],
) -> pd.DataFrame:
    """One row per run, promise, score and kind of outliers.

    Of the scores in `oecal.tables.rows.COMMON_SCORES`. outputs, scores: paths, in the same order;
    promise_entries: `promises` of the configuration.

    outliers: those that the threshold is chosen with: `none`; `like_test`, exchangeable with the
    OOD images that arrive; or `auxiliary`. splits: their number; without: splits for which no
    threshold can promise it. mean, q05, q95: of the realised rate on the new test images over
    splits with a threshold. exceeds: share of all splits in which it is above the level; expected:
    the probability of that for `reject`, without ties. exceeds_pool: share in which the rate of all
    images of the pool and the OOD test sets is above the level: a promise is kept if that is at
    most 1 - confidence. coverage: mean share of new ID test images accepted. n_val, n_test: ID
    images of a split.
    """
    guarantees = {name: read_guarantee(promise) for name, promise in promise_entries.items()}
    rows = []
    for output, scored in zip(outputs, scores, strict=True):
        run, values = (
            read_run(output, "logits", "labels", "log_likelihood"),
            read_run(scored, *COMMON_SCORES),
        )
        parts, outside = [values.find("id", "val"), values.find("id")], values.tests(*OOD)
        auxiliary = [g for g in values.groups if g.role == "outlier"]
        usable = list_complete_scores(run, [*parts, *outside, *auxiliary])
        if not usable:
            continue
        n_val, n_test = (len(g[usable[0]]) for g in parts)
        splits = [
            draw_split(number, n_val, n_test, [len(g[usable[0]]) for g in outside])
            for number in range(SPLITS)
        ]
        if run.kind == "classifier":
            wrong = np.concatenate(
                [find_errors(run.find("id", "val")), find_errors(run.find("id"))]
            )
        else:
            wrong = np.zeros(n_val + n_test, bool)
        pools = {
            score: ScoresOfRun(
                np.concatenate([g[score] for g in parts]),
                wrong,
                [g[score] for g in outside],
                np.concatenate([np.zeros(0), *(g[score] for g in auxiliary)]),
            )
            for score in usable
        }
        for name, guarantee in guarantees.items():
            about = {
                **run.key,
                "promise": name,
                **asdict(guarantee),
                "expected": compute_expected(guarantee, n_val, n_test),
                "n_val": n_val,
                "n_test": n_test,
            }
            for score, outliers in product(
                usable, list_outlier_kinds(guarantee, run.kind, outside, auxiliary)
            ):
                trials = np.array([try_split(guarantee, outliers, pools[score], s) for s in splits])
                rows.append(
                    {
                        **about,
                        "score": score,
                        "outliers": outliers,
                        **summarize_trials(guarantee, trials),
                    }
                )
    return make_table(rows, COLUMNS, outputs)
