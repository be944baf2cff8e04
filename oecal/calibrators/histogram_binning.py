"""Histogram binning of each class's probability, then normalised (Zadrozny & Elkan, ICML 2001; Guo et al., ICML 2017, section 4)."""

from __future__ import annotations

import numpy as np

from oecal.calibrators import one_vs_all
from oecal.calibrators.calibrator import Calibrator

OUTLIERS = False
BINS = 15


def bin_of(p: np.ndarray) -> np.ndarray:
    """Equal-width bins (b / B, (b + 1) / B]; 0 falls into the first."""
    index: np.ndarray = np.clip(np.ceil(p * BINS).astype(int) - 1, 0, BINS - 1)
    return index


def fit_one(p: np.ndarray, right: np.ndarray) -> one_vs_all.Map:
    """The map of one class: p (N,) and right (N,), 1 for its images, to the share of them in each bin; an empty bin gives its centre."""
    counts, hits = (
        np.bincount(bin_of(p), weights=w, minlength=BINS) for w in (np.ones(len(p)), right)
    )
    centres = (np.arange(BINS) + 0.5) / BINS
    shares = np.where(counts > 0, hits / np.maximum(counts, 1), centres)
    return lambda q: shares[bin_of(q)]


def fit(logits: np.ndarray, labels: np.ndarray) -> Calibrator:
    """The share of class k among the images of a bin of p_k, the bin's centre if it is empty.

    Logits (N, K), labels (N,).
    """
    return one_vs_all.fit(logits, labels, fit_one)
