"""AUROC and FPR95 of one score and model in bootstrap resamples of the images.

They give intervals, and paired differences. A resample is a weight per image: how often it is
drawn. ID and OOD images are drawn separately (Efron & Tibshirani, 1993, chapter 8). The same
weights for two scores or models make their difference paired. Each side is sorted once for all
resamples.

Notation: N ID images, M OOD images, B resamples; a higher score is more anomalous, OOD is the
positive class.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

RECALL = 95  # of FPR95, percent


class Inside(NamedTuple):
    """The ID side, sorted."""

    values: np.ndarray
    """ID scores, ascending, (N,)."""
    before: np.ndarray
    """How many images of each resample come before each of them, and in all, (N + 1, B)."""


def count_inside(scores: np.ndarray, weights: np.ndarray) -> Inside:
    """Sort ID scores (N,) and accumulate their weights (N, B)."""
    order = np.argsort(scores, kind="stable")
    # counts below 2^24 are exact in float32
    before = np.zeros((len(scores) + 1, weights.shape[1]), np.float32)
    np.cumsum(weights[order], axis=0, out=before[1:])
    return Inside(np.asarray(scores)[order], before)


def resample_detection(
    known: Inside, scores: np.ndarray, weights: np.ndarray
) -> dict[str, np.ndarray]:
    """Return auroc and fpr95, (B,) each, of OOD scores (M,) with weights (M, B).

    As in oecal.metrics.detection_metrics; ties are handled exactly.

    >>> known = count_inside(np.array([1, 2]), np.array([[1, 2], [1, 0]]))
    >>> resample_detection(known, np.array([2, 3]), np.ones((2, 2)))["auroc"]
    array([0.875, 1.   ])
    """
    order = np.argsort(-scores, kind="stable")  # from the most anomalous on
    scores, weights = np.asarray(scores)[order], weights[order]
    low, high = (np.searchsorted(known.values, scores, side=side) for side in ("left", "right"))
    n, m = known.before[-1].astype(np.float64), weights.sum(axis=0, dtype=np.float64)
    # ID images below each OOD image, ties half
    lower = (known.before[low] + known.before[high]) / 2
    flagged = np.cumsum(weights, axis=0)
    # the first threshold that flags enough of OOD
    first = (100 * flagged >= RECALL * flagged[-1]).argmax(axis=0)
    beyond = n - known.before[low[first], np.arange(len(n))]
    return {
        "auroc": np.einsum("mb,mb->b", lower, weights, dtype=np.float64) / (n * m),
        "fpr95": beyond / n,
    }
