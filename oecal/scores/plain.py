"""Scores that need no model at all: a density model that loses to them has shown nothing.

Higher is more anomalous, (N,). Their direction is fixed here, not fitted: an image simpler than the
data is anomalous, as in the panels of Nalisnick et al. (ICLR 2019). On other data they may well be
wrong, which is part of the comparison.
"""

from __future__ import annotations

import numpy as np

SCORES = ("png_size", "zero_fraction", "smoothness", "mean_distance", "webp_size")


def png_size(png_bits: np.ndarray) -> np.ndarray:
    """Minus the length as PNG, bits (the complexity term of Serra et al., ICLR 2020, alone)."""
    return -png_bits


def zero_fraction(zero_fraction: np.ndarray) -> np.ndarray:
    """The share of values that are 0."""
    return zero_fraction


def smoothness(total_variation: np.ndarray) -> np.ndarray:
    """Minus the mean absolute difference of neighbouring values, levels."""
    return -total_variation


def mean_distance(mean_distance: np.ndarray) -> np.ndarray:
    """Root mean square distance to the mean training image, levels."""
    return mean_distance


def webp_size(webp_bits: np.ndarray) -> np.ndarray:
    """Minus the length as lossless WebP, bits."""
    return -webp_bits
