"""Scores from a classifier's logits z (N, K), p = softmax(z). All are higher for more anomalous inputs, float64 (N,)."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax, logsumexp


def msp(logits: np.ndarray) -> np.ndarray:
    """-max_k p_k, in [-1, -1/K]: maximum softmax probability (Hendrycks & Gimpel, ICLR 2017)."""
    return -np.exp(log_softmax(logits.astype(np.float64), axis=1).max(axis=1))


def h_u_p(logits: np.ndarray) -> np.ndarray:
    """-H(U; p) = mean_k log p_k, nats, at most -log K: the second score of Hendrycks et al., ICLR 2019, better after OE."""
    return log_softmax(logits.astype(np.float64), axis=1).mean(axis=1)


def max_logit(logits: np.ndarray) -> np.ndarray:
    """-max_k z_k (Hendrycks et al., ICML 2022)."""
    return -logits.astype(np.float64).max(axis=1)


def energy(logits: np.ndarray) -> np.ndarray:
    """-log sum_k exp z_k, at temperature 1 (Liu et al., NeurIPS 2020)."""
    return -logsumexp(logits.astype(np.float64), axis=1)


def entropy(logits: np.ndarray) -> np.ndarray:
    """H(p) = -sum_k p_k log p_k, nats, in [0, log K]: predictive entropy."""
    log_p = log_softmax(logits.astype(np.float64), axis=1)
    return -(np.exp(log_p) * log_p).sum(axis=1)
