"""How well a score separates out-of-distribution (OOD) from in-distribution (ID) images.

Convention: a higher score is more anomalous. Each column says which side is the positive class. One sort of each sample serves all
metrics; ties are handled exactly (a constant score has AUROC 1/2 and an average precision equal to the base rate).
"""

from __future__ import annotations

import numpy as np


def check(scores: np.ndarray, name: str) -> np.ndarray:
    """Scores as a flat float64 array. Raises ValueError if empty or not finite."""
    scores = np.asarray(scores, dtype=np.float64).ravel()
    if scores.size == 0:
        raise ValueError(f"{name}: no scores")
    if not np.isfinite(scores).all():
        raise ValueError(f"{name}: {np.count_nonzero(~np.isfinite(scores))} of {scores.size} scores are not finite")
    return scores


def last_of_ties(ascending: np.ndarray) -> np.ndarray:
    """Indices of the last element of each run of equal values."""
    return np.append(np.flatnonzero(ascending[1:] != ascending[:-1]), len(ascending) - 1)


def average_precision(positives: np.ndarray, negatives: np.ndarray) -> float:
    """AP = sum_t (R_t - R_{t-1}) P_t over the thresholds t, descending, of two ascending samples; no interpolation.

    Positives are those with the high values. Only thresholds at a positive's value raise the recall R, so the sum runs over these.
    """
    n, end = len(positives), last_of_ties(positives)
    first = np.append(0, end[:-1] + 1)
    true = n - first
    false = len(negatives) - np.searchsorted(negatives, positives[first], side="left")
    return float(np.sum((end + 1 - first) / n * true / (true + false)))


def false_positive_rate(positives: np.ndarray, negatives: np.ndarray, percent: int = 95) -> float:
    """Share of `negatives` at or above the highest threshold that keeps at least `percent` of the `positives` (ascending samples).

    Counted in integers: a recall of exactly 95% passes.
    """
    needed = -(-percent * len(positives) // 100)
    threshold = positives[len(positives) - needed]
    return float((len(negatives) - np.searchsorted(negatives, threshold, side="left")) / len(negatives))


def detection_metrics(id_scores: np.ndarray, ood_scores: np.ndarray) -> dict[str, float | int]:
    """All detection metrics of one score on one pair of sets; fractions in [0, 1].

    auroc: P(ood > id) + P(ood = id) / 2. ap_out, ap_in: average precision with OOD, with ID, as the positive class; they depend on
    base_rate = n_out / (n_in + n_out). fpr95: share of ID flagged at the first threshold that flags at least 95% of OOD;
    fpr95_id_pos: share of OOD accepted at the first threshold that accepts at least 95% of ID.
    Raises ValueError for empty or non-finite scores.
    """
    inside, outside = np.sort(check(id_scores, "ID")), np.sort(check(ood_scores, "OOD"))
    n_in, n_out = len(inside), len(outside)
    below = np.searchsorted(inside, outside, side="left")
    not_above = np.searchsorted(inside, outside, side="right")
    negated_in, negated_out = -inside[::-1], -outside[::-1]
    return {
        "auroc": float((below + not_above).sum() / (2 * n_in * n_out)),
        "ap_out": average_precision(outside, inside),
        "ap_in": average_precision(negated_in, negated_out),
        "fpr95": false_positive_rate(outside, inside),
        "fpr95_id_pos": false_positive_rate(negated_in, negated_out),
        "base_rate": n_out / (n_in + n_out),
        "n_in": n_in,
        "n_out": n_out,
    }


def roc_curve(id_scores: np.ndarray, ood_scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """False and true positive rates, OOD positive, from (0, 0) to (1, 1), one point per distinct score."""
    inside, outside = np.sort(check(id_scores, "ID")), np.sort(check(ood_scores, "OOD"))
    thresholds = np.unique(np.concatenate([inside, outside]))[::-1]
    fpr = 1 - np.searchsorted(inside, thresholds, side="left") / len(inside)
    tpr = 1 - np.searchsorted(outside, thresholds, side="left") / len(outside)
    return np.append(0.0, fpr), np.append(0.0, tpr)
