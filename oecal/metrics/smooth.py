"""Smooth expected calibration error: calibration without bins.

Blasiok & Nakkiran, ICLR 2024 (arXiv 2309.12236). Confidence c_i in [0, 1], correctness y_i in {0,
1}. The residuals are smoothed by a Gaussian of width sigma that is reflected at 0 and 1, so that
nothing of them leaves [0, 1]:

    smECE_sigma = integral over t in [0, 1] of |1/n sum_i (c_i - y_i) K_sigma(t, c_i)|

It falls from sigma = 0, where only equal confidences are combined, to |mean (c_i - y_i)|. smECE is
its value where it equals sigma.
"""

from __future__ import annotations

import numpy as np

# Cells of [0, 1]; the error falls with the square of the cell's size over sigma, and is below 1e-6
# at sigma = 0.01
CELLS = 4096


def cosines(confidence: np.ndarray, correct: np.ndarray) -> np.ndarray:
    """Cosine coefficients (CELLS,) of the density of (c - y) / n.

    The share of each image is split linearly between the two cells nearest to its c.
    """
    from scipy.fft import dct

    place = np.asarray(confidence, np.float64) * CELLS - 0.5  # the centre of cell j is at j
    below = np.floor(place)
    residual = (confidence - correct) * (CELLS / len(confidence))
    density = np.zeros(CELLS)
    for cell, share in ((below, below + 1 - place), (below + 1, place - below)):
        density += np.bincount(np.clip(cell, 0, CELLS - 1).astype(int), residual * share, CELLS)
    coefficients: np.ndarray = dct(density, norm="ortho")
    return coefficients


def at_width(coefficients: np.ndarray, sigma: float) -> float:
    """smECE_sigma from `cosines`, the coefficients of the reflected Gaussian's eigenfunctions.

    Their eigenvalues are exp(-(pi k sigma)^2 / 2).
    """
    from scipy.fft import idct

    k = np.arange(len(coefficients))
    return float(
        np.abs(idct(coefficients * np.exp(-((np.pi * k * sigma) ** 2) / 2), norm="ortho")).mean()
    )


def smooth_ece(confidence: np.ndarray, correct: np.ndarray) -> float:
    """smECE: the only sigma with smECE_sigma = sigma, in [0, 1]; confidence, correct: (N,).

    >>> smooth_ece(np.full(4, 0.75), np.array([1, 1, 1, 0]))
    0.0
    >>> round(smooth_ece(np.ones(4), np.array([1, 1, 0, 0])), 6)
    0.5
    """
    from scipy.optimize import brentq

    coefficients = cosines(confidence, correct)
    # smECE is at most 1
    return float(brentq(lambda sigma: at_width(coefficients, sigma) - sigma, 0, 2, xtol=1e-12))


def smoothing_kernel(confidence: np.ndarray, sigma: float, points: int = 256) -> np.ndarray:
    """Return K_sigma(t, c), (points, D), for confidence (D,).

    t are the middles of `points` equal parts of [0, 1]. The kernel is 1 + 2 sum_k exp(-(pi k
    sigma)^2 / 2) cos(pi k t) cos(pi k c), with as many terms as points: a narrower one is smoothed
    to the distance of the points.
    """
    k = np.arange(1, points)
    at_points, at_confidences = (
        np.cos(np.pi * np.outer(x, k)) for x in ((np.arange(points) + 0.5) / points, confidence)
    )
    return 1 + 2 * (at_points * np.exp(-((np.pi * k * sigma) ** 2) / 2)) @ at_confidences.T
