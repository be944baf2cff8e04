"""How well a score separates out-of-distribution (OOD) from in-distribution (ID) images.

Convention: a higher score is more anomalous. Each column says which side is the positive class. One
sort of each sample serves all metrics, and the ID scores are sorted once for all OOD sets; ties are
handled exactly (a constant score has AUROC 1/2 and an average precision equal to the base rate).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np


def check_scores(scores: np.ndarray, name: str) -> np.ndarray:
    """Scores as a flat float64 array. Raises ValueError if empty or not finite.

    >>> check_scores(np.array([0.5, np.nan]), "ID")
    Traceback (most recent call last):
        ...
    ValueError: ID: 1 of 2 scores are not finite
    """
    scores = np.asarray(scores, dtype=np.float64).ravel()
    if scores.size == 0:
        raise ValueError(f"{name}: no scores")
    if not np.isfinite(scores).all():
        raise ValueError(
            f"{name}: {np.count_nonzero(~np.isfinite(scores))} of {scores.size} scores are not finite"
        )
    return scores


class Sample(NamedTuple):
    """The distinct scores of one side, ascending, and how many images have each; (D,) each."""

    values: np.ndarray
    counts: np.ndarray


def count_sample(scores: np.ndarray, name: str) -> Sample:
    """Scores (N,), sorted and counted. Raises ValueError for empty or non-finite scores."""
    ascending = np.sort(check_scores(scores, name))
    first = np.append(0, np.flatnonzero(ascending[1:] != ascending[:-1]) + 1)
    return Sample(ascending[first], np.diff(first, append=len(ascending)))


class Thresholds(NamedTuple):
    """Each distinct score of the positive class as a threshold, from the strictest on; (D,) each.

    true, false: positives and negatives that lie at the threshold or beyond; beyond: negatives
    without those that lie just at it.
    """

    true: np.ndarray
    false: np.ndarray
    beyond: np.ndarray
    positives: int
    negatives: int

    @property
    def added(self) -> np.ndarray:
        """Positives that lie just at each threshold."""
        return np.diff(self.true, prepend=0)


class Comparison(NamedTuple):
    """Thresholds with OOD as the positive class, where what lies beyond is higher, and with ID as the positive class: lower."""

    ood: Thresholds
    id: Thresholds


def compare_samples(inside: Sample, outside: Sample) -> Comparison:
    """One binary search tells how ID and OOD scores interleave; the rest is counting."""
    n_in, n_out = int(inside.counts.sum()), int(outside.counts.sum())
    place = np.searchsorted(
        inside.values, outside.values
    )  # how many distinct ID scores lie below each OOD score
    tied = np.append(inside.values, np.inf)[place] == outside.values
    not_below = n_in - np.append(0, np.cumsum(inside.counts))[place]
    above = not_below - np.append(inside.counts, 0)[place] * tied
    not_above = np.cumsum(np.bincount(place, outside.counts, len(inside.values) + 1))[:-1]
    below = not_above - np.bincount(place, outside.counts * tied, len(inside.values) + 1)[:-1]
    return Comparison(
        ood=Thresholds(np.cumsum(outside.counts[::-1]), not_below[::-1], above[::-1], n_out, n_in),
        id=Thresholds(np.cumsum(inside.counts), not_above, below, n_in, n_out),
    )


def auroc(at: Thresholds) -> float:
    """P(positive > negative) + P(positive = negative) / 2."""
    return float(
        (at.added * (at.negatives - (at.false + at.beyond) / 2)).sum()
        / (at.positives * at.negatives)
    )


def average_precision(at: Thresholds) -> float:
    """AP = sum_t (R_t - R_{t-1}) P_t with recall R and precision P; no interpolation.

    Only thresholds at a positive's score raise the recall, so the sum runs over these.
    """
    return float((at.added * at.true / (at.true + at.false)).sum() / at.positives)


def false_positive_rate(at: Thresholds, percent: int = 95) -> float:
    """Share of the negatives that is flagged at the first threshold that flags at least `percent` of the positives.

    Counted in integers: a recall of exactly 95% passes.
    """
    needed = -(-percent * at.positives // 100)
    return float(at.false[np.searchsorted(at.true, needed)] / at.negatives)


def describe_sizes(found: Comparison) -> dict[str, float | int]:
    """base_rate: share of OOD, on which every AUPR depends; n_in, n_out: number of images."""
    n_in, n_out = found.id.positives, found.ood.positives
    return {"base_rate": n_out / (n_in + n_out), "n_in": n_in, "n_out": n_out}


def detection_metrics_of_sets(
    id_scores: np.ndarray, ood_sets: Iterable[np.ndarray]
) -> list[dict[str, float | int]]:
    """All detection metrics of one score, for each of several OOD sets against the same ID scores; fractions in [0, 1].

    id_scores: (N,), each of ood_sets: (M,), a higher score is more anomalous. auroc: P(ood > id) +
    P(ood = id) / 2. ap_out, ap_in: average precision with OOD, with ID, as the positive class; they
    depend on base_rate = n_out / (n_in + n_out). fpr95: share of ID flagged at the first threshold
    that flags at least 95% of OOD; fpr95_id_pos: share of OOD accepted at the first threshold that
    accepts at least 95% of ID. Raises ValueError for empty or non-finite scores.
    """
    inside, rows = count_sample(id_scores, "ID"), []
    for scores in ood_sets:
        found = compare_samples(inside, count_sample(scores, "OOD"))
        rows.append(
            {
                "auroc": auroc(found.ood),
                "ap_out": average_precision(found.ood),
                "ap_in": average_precision(found.id),
                "fpr95": false_positive_rate(found.ood),
                "fpr95_id_pos": false_positive_rate(found.id),
                **describe_sizes(found),
            }
        )
    return rows


def detection_metrics(id_scores: np.ndarray, ood_scores: np.ndarray) -> dict[str, float | int]:
    """All detection metrics of one score on one pair of sets: `detection_metrics_of_sets` of one OOD set.

    >>> found = detection_metrics(np.array([1, 2, 3, 4]), np.array([3, 5, 6, 7]))
    >>> found["auroc"], found["fpr95"], found["base_rate"]
    (0.90625, 0.5, 0.5)
    """
    return detection_metrics_of_sets(id_scores, [ood_scores])[0]


def roc_curve(id_scores: np.ndarray, ood_scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """False and true positive rates, OOD positive, from (0, 0) to (1, 1), (D + 1,) each for D distinct scores.

    >>> fpr, tpr = roc_curve(np.array([1, 2]), np.array([2, 3]))
    >>> fpr.tolist(), tpr.tolist()
    ([0.0, 0.0, 0.5, 1.0], [0.0, 0.5, 1.0, 1.0])
    """
    inside, outside = (
        np.sort(check_scores(id_scores, "ID")),
        np.sort(check_scores(ood_scores, "OOD")),
    )
    thresholds = np.unique(np.concatenate([inside, outside]))[::-1]
    fpr = 1 - np.searchsorted(inside, thresholds, side="left") / len(inside)
    tpr = 1 - np.searchsorted(outside, thresholds, side="left") / len(outside)
    return np.append(0.0, fpr), np.append(0.0, tpr)
