"""Likelihoods as bits per dimension, and as p-values."""

from __future__ import annotations

import numpy as np


def bits_per_dimension(log_likelihood: np.ndarray, dims: int) -> np.ndarray:
    """-log p(x) / (D log 2) of images with D = C * H * W dimensions; `log_likelihood` (N,) in nats.

    >>> bits_per_dimension(np.array([-12 * np.log(256)]), dims=12)  # uniform over 8-bit levels
    array([8.])
    """
    bits: np.ndarray = -np.asarray(log_likelihood, np.float64) / (dims * np.log(2))
    return bits


def pit(log_likelihood: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Probability integral transform: the share of ID validation images that is less likely.

    It is (#{r < l} + (#{r = l} + 1) / 2) / (M + 1), (N,) in (0, 1), for the likelihoods `reference`
    (M,) of these images. As a p-value it is uniform on new ID images, and small where an image is
    less likely than nearly all of them.

    >>> pit(np.array([-9.0, 0.0]), reference=np.array([-3.0, -2.0, -1.0, 0.0]))
    array([0.1, 0.8])
    """
    ascending = np.sort(reference)
    below, not_above = (
        np.searchsorted(ascending, log_likelihood, side) for side in ("left", "right")
    )
    return (below + (not_above - below + 1) / 2) / (len(ascending) + 1)


def distance_from_uniform(p: np.ndarray) -> float:
    """Kolmogorov-Smirnov distance from the uniform distribution: max |F_n(p) - p|; p: (N,).

    >>> distance_from_uniform(np.array([0.25, 0.75])), distance_from_uniform(np.zeros(3))
    (0.25, 1.0)
    """
    ascending, n = np.sort(p), len(p)
    return float(
        np.maximum(np.arange(1, n + 1) / n - ascending, ascending - np.arange(n) / n).max()
    )
