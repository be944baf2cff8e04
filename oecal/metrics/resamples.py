"""Resamples of images as weights, and percentile intervals, for all bootstraps.

Efron & Tibshirani, 1993.
"""

from __future__ import annotations

import numpy as np


def draw_weights(n: int, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Draw resamples of n images with replacement, as weights.

    A weight is how often an image is drawn in a resample; float32, a row for each image and a
    column for each resample.

    >>> draw_weights(5, 2, np.random.default_rng(0)).sum(axis=0)
    array([5., 5.], dtype=float32)
    """
    places = rng.integers(n, size=(resamples, n), dtype=np.int32)
    places += np.arange(resamples, dtype=np.int32)[:, None] * n
    return (
        np.bincount(places.ravel(), minlength=n * resamples)
        .reshape(resamples, n)
        .T.astype(np.float32)
    )


def percentile_interval(replicates: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Return quantiles of the replicates (B,) that are not nan; nan if all are.

    >>> [round(limit, 3) for limit in percentile_interval(np.arange(101))]
    [2.5, 97.5]
    """
    defined = replicates[~np.isnan(replicates)]
    low, high = (
        np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
        if len(defined)
        else (np.nan, np.nan)
    )
    return float(low), float(high)
