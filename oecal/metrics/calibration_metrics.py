"""Calibration: is a confidence of 80% right in 80% of the cases?

Notation: confidence c_i in [0, 1], correctness y_i in {0, 1}, (N,) each; for the metrics that need
them, probabilities p_ik, (N, K), and labels l_i, (N,). An OOD image that is pooled with ID images
counts as wrong, as in Hendrycks et al., ICLR 2019, section 4.5.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import log_softmax

from oecal.metrics.smooth import smooth_ece


class Bins(NamedTuple):
    """Per bin: number of samples, mean confidence and accuracy (nan in an empty bin)."""

    counts: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray


def summarise_bins(index: np.ndarray, confidence: np.ndarray, correct: np.ndarray, n: int) -> Bins:
    """Return bins 0 to n - 1 from each image's bin, confidence and correctness, (N,) each."""
    count = np.bincount(index, minlength=n)
    with np.errstate(invalid="ignore"):
        sums = (np.bincount(index, weights=w, minlength=n) for w in (confidence, correct))
        return Bins(count, *(s / count for s in sums))


def assign_by_width(confidence: np.ndarray, bins: int) -> np.ndarray:
    """Return the index of each confidence's bin (b / B, (b + 1) / B].

    As in Guo et al., ICML 2017; 0 falls into the first bin.

    >>> assign_by_width(np.array([0.0, 0.1, 0.11, 1.0]), 10)
    array([0, 0, 1, 9])
    """
    index: np.ndarray = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    return index


def assign_by_rank(n: int, size: int) -> np.ndarray:
    """Return the index of each rank's bin, (n,), with `size` ranks in each.

    The last, most confident bin takes the remainder (Hendrycks et al., section 4.5).

    >>> assign_by_rank(5, 2)
    array([0, 0, 1, 1, 1])
    """
    return np.minimum(np.arange(n) // size, max(n // size, 1) - 1)


def assign_by_mass(n: int, bins: int) -> np.ndarray:
    """Return the index of each rank's bin, (n,), with `bins` bins of as equal size as can be.

    >>> assign_by_mass(5, 2)
    array([0, 0, 0, 1, 1])
    """
    bins = min(bins, n)
    return np.arange(n) * bins // n


def bin_by_width(confidence: np.ndarray, correct: np.ndarray, bins: int = 15) -> Bins:
    """Bin by `assign_by_width`, into `bins` bins of equal width; confidence, correct: (N,)."""
    return summarise_bins(assign_by_width(confidence, bins), confidence, correct, bins)


def sort_by_confidence(
    confidence: np.ndarray, correct: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return both in ascending order of confidence.

    Equal confidences have no order: their correctness is spread evenly over their ranks.
    """
    order = np.argsort(confidence, kind="stable")
    confidence, correct = confidence[order], correct[order]
    group = np.cumsum(np.diff(confidence, prepend=confidence[:1]) > 0)
    return confidence, (np.bincount(group, weights=correct) / np.bincount(group))[group]


def bin_by_mass(confidence: np.ndarray, correct: np.ndarray, bins: int) -> Bins:
    """Bin by `assign_by_mass` of the rank of confidence, into `bins` bins of equal size."""
    index = assign_by_mass(len(confidence), bins)
    return summarise_bins(index, *sort_by_confidence(confidence, correct), index[-1] + 1)


def bin_by_rank(confidence: np.ndarray, correct: np.ndarray, size: int = 100) -> Bins:
    """Bin by `assign_by_rank` of the rank of confidence, into bins of `size` images."""
    index = assign_by_rank(len(confidence), size)
    return summarise_bins(index, *sort_by_confidence(confidence, correct), index[-1] + 1)


def gap(bins: Bins, norm: float) -> float:
    """(sum_b n_b / n |conf_b - acc_b|^norm)^(1 / norm); norm 1: ECE or MAD, 2: RMS, inf: MCE.

    >>> bins = bin_by_width(np.array([0.9, 0.9, 0.6, 0.6]), np.array([1, 1, 0, 0]), 10)
    >>> [round(gap(bins, norm), 3) for norm in (1, 2, np.inf)]
    [0.35, 0.43, 0.6]
    """
    full = bins.counts > 0
    difference = np.abs(bins.confidence[full] - bins.accuracy[full])
    if np.isinf(norm):
        return float(difference.max())
    return float(np.average(difference**norm, weights=bins.counts[full]) ** (1 / norm))


def official_gap(bins: Bins, norm: float) -> float:
    """`gap` as the official OE code computes it, for comparison only.

    Its loop never reaches the last, most confident bin, which adds 0.
    """
    if len(bins.counts) == 1:
        return 0.0
    kept = Bins(*(values[:-1] for values in bins))
    return (
        gap(kept, norm)
        if np.isinf(norm)
        else float(gap(kept, norm) * (kept.counts.sum() / bins.counts.sum()) ** (1 / norm))
    )


def debiased_squared(bins: Bins) -> float:
    """sum_b n_b / n [(c_b - y_b)^2 - y_b (1 - y_b) / (n_b - 1)].

    The squared RMS error without its upward bias, which may be negative (Kumar, Liang & Ma, NeurIPS
    2019, arXiv 1909.10155). Unbiased where the confidences within a bin are equal. nan if a bin has
    one image.
    """
    full = bins.counts > 0
    n, c, y = (values[full] for values in bins)
    if (n == 1).any():
        return float("nan")
    return float(np.average((c - y) ** 2 - y * (1 - y) / (n - 1), weights=n))


def error_auroc(confidence: np.ndarray, correct: np.ndarray) -> float:
    """AUROC of low confidence as a detector of errors: P(c of an error < c of a right one).

    Ties count half. nan if all are right or all are wrong.

    >>> error_auroc(np.array([0.9, 0.8, 0.8]), np.array([1, 1, 0]))
    0.75
    """
    right, n = float(np.sum(correct)), len(correct)
    if right in (0, n):
        return float("nan")
    ranks = sort_by_confidence(confidence, correct)[1] @ np.arange(1, n + 1)
    return float((ranks - right * (right + 1) / 2) / (right * (n - right)))


def brier_decomposition(
    confidence: np.ndarray, correct: np.ndarray, bins: Bins
) -> dict[str, float]:
    """mean (c - y)^2 = reliability - resolution + uncertainty + within.

    The terms are over these bins of the same images, with means c_b, y_b and shares w_b.
    reliability: sum_b w_b (c_b - y_b)^2; resolution: sum_b w_b (y_b - y)^2; uncertainty: y (1 - y)
    (Murphy, 1973); within: what the spread of the confidences within bins adds, their variance less
    twice their covariance with y (Stephenson et al., 2008).
    """
    full = bins.counts > 0
    n, c, y = (values[full] for values in bins)
    mean, w = float(np.mean(correct)), n / n.sum()
    within = np.mean(confidence * (confidence - 2 * correct)) - w @ (c * (c - 2 * y))
    return {
        "reliability": float(w @ (c - y) ** 2),
        "resolution": float(w @ (y - mean) ** 2),
        "uncertainty": mean * (1 - mean),
        "within": float(within),
    }


def soft_f1(confidence: np.ndarray, correct: np.ndarray) -> float:
    """Soft F1 of 1 - c as a detector of errors m: 2 sum (1 - c) m / sum (1 - c + m).

    0 if nothing is wrong or in doubt.

    >>> soft_f1(np.array([1.0, 0.5]), np.array([1, 0]))
    0.6666666666666666
    """
    unsure, error = 1 - confidence, 1 - correct
    total = (unsure + error).sum()
    return float(2 * (unsure * error).sum() / total) if total > 0 else 0.0


def confidence_metrics(
    confidence: np.ndarray, correct: np.ndarray, bins: int = 15, size: int = 100
) -> dict[str, float]:
    """Return the metrics that need confidence and correctness only, (N,) each, as fractions.

    ece: equal-width bins; ace: equal-mass bins (both `bins` of them); mce: largest equal-width gap;
    rms, mad: adaptive bins of `size`; rms_official: rms as the official OE code computes it;
    ce2_debiased: `debiased_squared` of the equal-mass bins; error_auroc; reliability, resolution:
    two of `brier_decomposition`; smece: `smooth_ece`. Raises ValueError if there are no
    confidences, or if some lie outside [0, 1], as logits do.

    >>> metrics = confidence_metrics(np.full(10, 0.8), np.arange(10) < 6)
    >>> {name: round(metrics[name], 3) for name in ("accuracy", "ece", "rms", "mean_confidence")}
    {'accuracy': 0.6, 'ece': 0.2, 'rms': 0.2, 'mean_confidence': 0.8}
    """
    confidence, correct = np.asarray(confidence, np.float64), np.asarray(correct, np.float64)
    if confidence.size == 0:
        raise ValueError("no confidences")
    # a softmax in float32 may round to above 1
    if outside := np.count_nonzero(~((confidence >= 0) & (confidence <= 1 + 1e-6))):
        raise ValueError(f"{outside} of {confidence.size} confidences lie outside [0, 1]")
    # sorted once here: the two binnings by rank then sort what is sorted, which takes no time
    ascending = sort_by_confidence(confidence, correct)
    width, mass, hundreds = (
        bin_by_width(confidence, correct, bins),
        bin_by_mass(*ascending, bins),
        bin_by_rank(*ascending, size),
    )
    parts = brier_decomposition(confidence, correct, width)
    return {
        "accuracy": float(correct.mean()),
        "ece": gap(width, 1),
        "ace": gap(mass, 1),
        "mce": gap(width, np.inf),
        "rms": gap(hundreds, 2),
        "mad": gap(hundreds, 1),
        "soft_f1": soft_f1(confidence, correct),
        "mean_confidence": float(confidence.mean()),
        "rms_official": official_gap(hundreds, 2),
        "ce2_debiased": debiased_squared(mass),
        "error_auroc": error_auroc(*ascending),
        "reliability": parts["reliability"],
        "resolution": parts["resolution"],
        "smece": smooth_ece(*ascending),
    }


def classwise_ece(probabilities: np.ndarray, labels: np.ndarray, bins: int = 15) -> float:
    """Mean over classes k of the equal-width ECE of p_k against [l = k].

    Kull et al., NeurIPS 2019 (arXiv 1910.12656).

    >>> classwise_ece(np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([0, 1]))
    0.5
    """
    classes = range(probabilities.shape[1])
    return float(
        np.mean(
            [
                gap(bin_by_width(probabilities[:, k], (labels == k).astype(float), bins), 1)
                for k in classes
            ]
        )
    )


def label_losses(log_p: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Return the losses of each image, (N,), from log_p (N, K) and labels (N,).

    nll: -log p_l, nats; brier: sum_k (p_k - [l = k])^2, in [0, 2].
    """
    error = np.exp(log_p) - (labels[:, None] == np.arange(log_p.shape[1]))
    return {"nll": -log_p[np.arange(len(labels)), labels], "brier": (error**2).sum(axis=1)}


def label_metrics(logits: np.ndarray, labels: np.ndarray, bins: int = 15) -> dict[str, float]:
    """Return the metrics that need labels of the model's own classes.

    They are the means of `label_losses`, and cwece, the class-wise ECE; logits (N, K), labels (N,).

    >>> metrics = label_metrics(np.zeros((2, 2)), np.array([0, 1]))
    >>> {name: round(value, 3) for name, value in metrics.items()}
    {'nll': 0.693, 'brier': 0.5, 'cwece': 0.0}
    """
    log_p = log_softmax(np.asarray(logits, np.float64), axis=1)
    means = {name: float(loss.mean()) for name, loss in label_losses(log_p, labels).items()}
    return {**means, "cwece": classwise_ece(np.exp(log_p), labels, bins)}
