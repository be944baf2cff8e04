"""Intervals over seeds."""

from __future__ import annotations

import numpy as np
from scipy.stats import t


def mean_interval(values: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Mean and half-width of its Student t confidence interval: t_{n-1} s / sqrt(n).

    values: (n,), one of each seed. The half-width of a single value is nan. The interval covers
    variation over seeds (initial weights, order of images, augmentation), not over test images.

    >>> mean, half = mean_interval(np.array([1.0, 2.0, 3.0]))
    >>> mean, round(half, 3)
    (2.0, 2.484)
    """
    values = np.asarray(values, np.float64)
    n = len(values)
    half = t.ppf((1 + level) / 2, n - 1) * values.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
    return float(values.mean()), float(half)
