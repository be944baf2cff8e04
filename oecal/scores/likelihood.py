"""Scores from log-likelihoods (N,), nats, of one or several density models.

Higher is more anomalous, float64 (N,).
"""

from __future__ import annotations

import numpy as np

from oecal.core.seeds import make_generator

SCORES = (
    "log_likelihood",
    "typicality",
    "likelihood_ratio",
    "waic",
    "input_complexity",
    "input_complexity_webp",
)


def log_likelihood(log_likelihood: np.ndarray) -> np.ndarray:
    """-log p(x), nats: an unlikely image is anomalous (Bishop 1994).

    The likelihood paradox is that this fails.
    """
    return -log_likelihood.astype(np.float64)


def typicality(
    log_likelihood: np.ndarray, train_log_likelihood: np.ndarray, *, m: int = 1
) -> np.ndarray:
    """|-mean_m log p(x_m) - H|, nats: an image may also be too likely.

    H is the mean of -log p over training images. This is the test of Nalisnick et al. 2019 (arXiv
    1906.02994) for batches of m images of one set: (N // m,) values, of m random images each.

    >>> typicality(np.array([-5.0, -1.0, -3.0]), train_log_likelihood=np.array([-2.0, -4.0]))
    array([2., 2., 0.])
    """
    n = len(log_likelihood) // m * m
    order = (
        make_generator("batches", len(log_likelihood), m).permutation(len(log_likelihood))
        if m > 1
        else np.arange(n)
    )
    batches = log_likelihood.astype(np.float64)[order[:n]].reshape(-1, m)
    gaps: np.ndarray = np.abs(train_log_likelihood.astype(np.float64).mean() - batches.mean(axis=1))
    return gaps


def likelihood_ratio(
    log_likelihood: np.ndarray, background_log_likelihood: np.ndarray
) -> np.ndarray:
    """-(log p(x) - log p_background(x)), nats (Ren et al., NeurIPS 2019, arXiv 1906.02845, eq. 5).

    >>> likelihood_ratio(np.array([-5.0]), background_log_likelihood=np.array([-7.0]))
    array([-2.])
    """
    return background_log_likelihood.astype(np.float64) - log_likelihood.astype(np.float64)


def waic(seeds_log_likelihood: np.ndarray) -> np.ndarray:
    """-(mean_t log p_t(x) - var_t log p_t(x)), nats, over models t trained from S seeds, (S, N).

    Choi et al. 2018 (arXiv 1810.01392).

    >>> waic(np.array([[-5.0, -5.0], [-5.0, -7.0]]))
    array([5., 8.])
    """
    values = seeds_log_likelihood.astype(np.float64)
    nats: np.ndarray = values.var(axis=0, ddof=1) - values.mean(axis=0)
    return nats


def input_complexity(log_likelihood: np.ndarray, png_bits: np.ndarray) -> np.ndarray:
    """-log2 p(x) - L(x), bits, L the length of the image as PNG.

    Serra et al., ICLR 2020 (arXiv 1909.11480), eq. 3.

    >>> input_complexity(np.array([-8 * np.log(2)]), png_bits=np.array([3]))
    array([5.])
    """
    bits: np.ndarray = -log_likelihood.astype(np.float64) / np.log(2) - png_bits
    return bits


def input_complexity_webp(log_likelihood: np.ndarray, webp_bits: np.ndarray) -> np.ndarray:
    """-log2 p(x) - L(x), bits, L the length of the image as lossless WebP.

    WebP is shorter than PNG, so it bounds the complexity more tightly.
    """
    bits: np.ndarray = -log_likelihood.astype(np.float64) / np.log(2) - webp_bits
    return bits
