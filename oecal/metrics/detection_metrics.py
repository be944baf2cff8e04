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
    """Return scores as a flat float64 array. Raise ValueError if empty or not finite.

    >>> check_scores(np.array([0.5, np.nan]), "ID")
    Traceback (most recent call last):
        ...
    ValueError: ID: 1 of 2 scores are not finite
    """
    scores = np.asarray(scores, dtype=np.float64).ravel()
    if scores.size == 0:
        raise ValueError(f"{name}: no scores")
    if not np.isfinite(scores).all():
        bad = np.count_nonzero(~np.isfinite(scores))
        raise ValueError(f"{name}: {bad} of {scores.size} scores are not finite")
    return scores


class Sample(NamedTuple):
    """The distinct scores of one side, ascending, and how many images have each; (D,) each."""

    values: np.ndarray
    counts: np.ndarray

    @property
    def size(self) -> int:
        """The number of images."""
        return int(self.counts.sum())


def count_sample(scores: np.ndarray, name: str) -> Sample:
    """Sort and count scores (N,). Raise ValueError if empty or not finite."""
    ascending = np.sort(check_scores(scores, name))
    first = np.append(0, np.flatnonzero(ascending[1:] != ascending[:-1]) + 1)
    return Sample(ascending[first], np.diff(first, append=len(ascending)))


class Thresholds(NamedTuple):
    """Each distinct score of the positive class as a threshold, the strictest first; (D,) each."""

    true: np.ndarray
    """Positives at the threshold or beyond."""
    false: np.ndarray
    """Negatives at the threshold or beyond."""
    beyond: np.ndarray
    """Negatives beyond the threshold, without those exactly at it."""
    positives: int
    negatives: int

    @property
    def added(self) -> np.ndarray:
        """Positives exactly at each threshold."""
        return np.diff(self.true, prepend=0)


class Comparison(NamedTuple):
    """ID and OOD scores, compared at each threshold."""

    ood: Thresholds
    """With OOD as the positive class: beyond a threshold is above it."""
    id: Thresholds
    """With ID as the positive class: beyond a threshold is below it."""


def compare_samples(inside: Sample, outside: Sample) -> Comparison:
    """Find how ID and OOD scores interleave, with one binary search; the rest is counting."""
    n_in, n_out = inside.size, outside.size
    # how many distinct ID scores lie below each OOD score
    place = np.searchsorted(inside.values, outside.values)
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
    """Share of the negatives flagged where first at least `percent` of the positives are.

    Counted in integers: a recall of exactly 95% passes.
    """
    needed = -(-percent * at.positives // 100)
    return float(at.false[np.searchsorted(at.true, needed)] / at.negatives)


def describe_sizes(comparison: Comparison) -> dict[str, float | int]:
    """Return n_in and n_out, numbers of images, and base_rate, the share of OOD images."""
    n_in, n_out = comparison.id.positives, comparison.ood.positives
    return {"base_rate": n_out / (n_in + n_out), "n_in": n_in, "n_out": n_out}


def detection_metrics_of_sets(
    id_scores: np.ndarray, ood_sets: Iterable[np.ndarray]
) -> list[dict[str, float | int]]:
    """Return all detection metrics of one score, for each of several OOD sets.

    id_scores: (N,), each of ood_sets: (M,), a higher score is more anomalous. All are fractions in
    [0, 1]. auroc: P(ood > id) + P(ood = id) / 2. ap_out, ap_in: average precision with OOD, with
    ID, as the positive class; they depend on base_rate = n_out / (n_in + n_out). fpr95: share of ID
    flagged at the first threshold that flags at least 95% of OOD; fpr95_id_pos: share of OOD
    accepted at the first threshold that accepts at least 95% of ID. Raises ValueError for empty or
    non-finite scores.
    """
    inside, rows = count_sample(id_scores, "ID"), []
    for scores in ood_sets:
        comparison = compare_samples(inside, count_sample(scores, "OOD"))
        rows.append(
            {
                "auroc": auroc(comparison.ood),
                "ap_out": average_precision(comparison.ood),
                "ap_in": average_precision(comparison.id),
                "fpr95": false_positive_rate(comparison.ood),
                "fpr95_id_pos": false_positive_rate(comparison.id),
                **describe_sizes(comparison),
            }
        )
    return rows


def detection_metrics(id_scores: np.ndarray, ood_scores: np.ndarray) -> dict[str, float | int]:
    """Return all detection metrics of one score for one OOD set.

    `detection_metrics_of_sets` explains them.

    >>> metrics = detection_metrics(np.array([1, 2, 3, 4]), np.array([3, 5, 6, 7]))
    >>> metrics["auroc"], metrics["fpr95"], metrics["base_rate"]
    (0.90625, 0.5, 0.5)
    """
    return detection_metrics_of_sets(id_scores, [ood_scores])[0]


def roc_curve(id_scores: np.ndarray, ood_scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return false and true positive rates, OOD positive, from (0, 0) to (1, 1).

    (D + 1,) each, for D distinct scores.

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
