"""Scores from a classifier's logits z (N, K), p = softmax(z).

Higher is more anomalous, float64 (N,). None saturates where p_max rounds to 1: 1 - p_max is
computed as the sum of the other probabilities (oecal.scores.numerics).
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from oecal.scores import numerics

SCORES = ("msp", "h_u_p", "max_logit", "energy", "entropy", "margin", "gen")

GAMMA, TOP = 0.1, 100


def msp(logits: np.ndarray) -> np.ndarray:
    """1 - max_k p_k, in [0, 1 - 1/K]: maximum softmax probability (Hendrycks & Gimpel, ICLR 2017).

    >>> msp(np.log([[8, 1, 1]])).round(6), msp(np.array([[100.0, 0.0]]))
    (array([0.2]), array([3.72007598e-44]))
    """
    return numerics.one_minus_max(numerics.log_softmax(logits))


def h_u_p(logits: np.ndarray) -> np.ndarray:
    """-H(U; p) = mean_k log p_k, nats, at most -log K.

    The second score of Hendrycks et al., ICLR 2019, better after OE.

    >>> h_u_p(np.zeros((1, 10))).round(4)  # -log 10
    array([-2.3026])
    """
    nats: np.ndarray = numerics.log_softmax(logits).mean(axis=1)
    return nats


def max_logit(logits: np.ndarray) -> np.ndarray:
    """-max_k z_k (Hendrycks et al., ICML 2022).

    >>> max_logit(np.array([[3, -1], [0, 1]]))
    array([-3., -1.])
    """
    scores: np.ndarray = -logits.astype(np.float64).max(axis=1)
    return scores


def energy(logits: np.ndarray) -> np.ndarray:
    """-log sum_k exp z_k, at temperature 1 (Liu et al., NeurIPS 2020).

    >>> energy(np.log([[6, 3, 1]])).round(4)  # -log 10
    array([-2.3026])
    """
    energies: np.ndarray = -logsumexp(logits.astype(np.float64), axis=1)
    return energies


def entropy(logits: np.ndarray) -> np.ndarray:
    """H(p) = -sum_k p_k log p_k, nats, in [0, log K]: predictive entropy.

    >>> entropy(np.array([[0, 0], [0, 100]])).round(4)
    array([0.6931, 0.    ])
    """
    return numerics.entropy(numerics.log_softmax(logits))


def margin(logits: np.ndarray) -> np.ndarray:
    """1 - (p_1 - p_2), p_1 and p_2 the two largest p_k, in [0, 1], computed as (1 - p_1) + p_2.

    Scheffer et al., IDA 2001.

    >>> margin(np.log([[8, 1, 1], [5, 5, 0.1]])).round(3)
    array([0.3, 1. ])
    """
    log_p = np.partition(numerics.log_softmax(logits), -2, axis=1)
    return numerics.one_minus_max(log_p) + np.exp(log_p[:, -2])


def gen(logits: np.ndarray) -> np.ndarray:
    """sum_k (p_k (1 - p_k))^0.1 over the min(K, 100) largest p_k: generalised entropy.

    Liu et al., CVPR 2023.
    """
    m = min(logits.shape[1], TOP)
    log_p = np.partition(numerics.log_softmax(logits), -m, axis=1)[:, -m:]
    entropies: np.ndarray = (np.exp(GAMMA * log_p) * (-np.expm1(log_p)) ** GAMMA).sum(axis=1)
    return entropies
