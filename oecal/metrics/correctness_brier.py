"""Brier score of the confidence in being right.

It is a proper score also where OOD images, which have no true class, are pooled.
"""

from __future__ import annotations

import numpy as np

TABLE = "calibration"


def metric(confidence: np.ndarray, correct: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """mean (c - y)^2, in [0, 1], where an OOD image has y = 0.

    The sum of `oecal.metrics.calibration_metrics.brier_decomposition`.

    >>> metric(np.array([0.5, 1.0]), np.array([1, 1]), np.ones((2, 1)))
    array([0.125])
    """
    means: np.ndarray = (confidence - correct) ** 2 @ weights / weights.sum(axis=0)
    return means
