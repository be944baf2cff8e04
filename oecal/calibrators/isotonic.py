"""Isotonic regression of each class's probability, then normalised (Zadrozny & Elkan, KDD 2002)."""

from __future__ import annotations

import numpy as np

from oecal.calibrators import one_vs_all
from oecal.calibrators.calibrator import Calibrator

OUTLIERS = False


def fit_one(p: np.ndarray, right: np.ndarray) -> one_vs_all.Map:
    """Return the map of one class, the non-decreasing function of p nearest to `right`.

    p: (N,); right: (N,), 1 for images of the class, else 0. Nearest in squared error. Between the
    fitted p the map is linear, and constant beyond them.
    """
    from sklearn.isotonic import IsotonicRegression

    fitted: one_vs_all.Map = IsotonicRegression(out_of_bounds="clip").fit(p, right).predict
    return fitted


def fit(logits: np.ndarray, labels: np.ndarray) -> Calibrator:
    """Fit a non-decreasing map of p_k for each class k; logits (N, K), labels (N,)."""
    return one_vs_all.fit(logits, labels, fit_one)
