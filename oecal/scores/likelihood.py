"""Scores from a density model's log-likelihood (N,), nats. All are higher for more anomalous inputs, float64 (N,)."""

from __future__ import annotations

import numpy as np


def log_likelihood(log_likelihood: np.ndarray) -> np.ndarray:
    """-log p(x), nats: an unlikely image is an anomalous one (Bishop 1994); the score that the likelihood paradox refutes."""
    return -log_likelihood.astype(np.float64)


def typicality(log_likelihood: np.ndarray, train_log_likelihood: np.ndarray) -> np.ndarray:
    """|-log p(x) - H|, nats, H the mean of -log p over training images: an image may also be too likely.

    The test of Nalisnick et al. 2019 (arXiv 1906.02994) for one image, M = 1.
    """
    return np.abs(train_log_likelihood.astype(np.float64).mean() - log_likelihood.astype(np.float64))


def input_complexity(log_likelihood: np.ndarray, png_bits: np.ndarray) -> np.ndarray:
    """-log2 p(x) - L(x), bits, L the length of the image as PNG (Serra et al., ICLR 2020, arXiv 1909.11480, eq. 3)."""
    return -log_likelihood.astype(np.float64) / np.log(2) - png_bits
