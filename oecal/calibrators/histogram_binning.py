"""Histogram binning of each class's probability, then normalised.

Zadrozny & Elkan, ICML 2001; Guo et al., ICML 2017, section 4.
"""

from __future__ import annotations

import numpy as np

from oecal.calibrators import one_vs_all
from oecal.calibrators.calibrator import Calibrator
from oecal.metrics.calibration_metrics import assign_by_width, bin_by_width

OUTLIERS = False
BINS = 15


def fit_one(p: np.ndarray, right: np.ndarray) -> one_vs_all.Map:
    """Return the map of one class, from p to the share of its images among those in p's bin.

    p: (N,); right: (N,), 1 for images of the class, else 0. An empty bin gives its centre.
    """
    bins = bin_by_width(p, right, BINS)
    centres = (np.arange(BINS) + 0.5) / BINS
    shares = np.where(bins.counts > 0, bins.accuracy, centres)
    return lambda q: shares[assign_by_width(q, BINS)]


def fit(logits: np.ndarray, labels: np.ndarray) -> Calibrator:
    """Fit a histogram of p_k for each class k; logits (N, K), labels (N,)."""
    return one_vs_all.fit(logits, labels, fit_one)
