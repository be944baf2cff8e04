"""Log-probabilities that keep their relative precision next to p = 1 as well as next to p = 0.

A confident classifier's largest p differs from 1 by less than float64 can tell, but log p =
log1p(-(sum of the others)) does not round to 0. So all that is computed from these logarithms keeps
its order until the sum itself underflows, at a gap of about 745 between logits.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import logsumexp

TEMPERATURES = 0.2, 5.0
SMALLEST = np.finfo(np.float64).smallest_subnormal


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """log p, p = softmax(z), of logits (..., K), float64.

    Computed as z_k - max z - log1p(sum of exp(z_j - max z) over all j but the largest).

    >>> log_softmax(np.array([100, 0]))
    array([-3.72007598e-44, -1.00000000e+02])
    """
    z = logits.astype(np.float64)
    z -= z.max(axis=-1, keepdims=True)
    others = np.exp(z)
    np.put_along_axis(others, z.argmax(axis=-1, keepdims=True), 0, axis=-1)
    log_p: np.ndarray = z - np.log1p(others.sum(axis=-1, keepdims=True))
    return log_p


def exact_top(log_p: np.ndarray) -> np.ndarray:
    """log p (..., K) with the largest p of each row, if above 1/2, from the sum of the others."""
    top = log_p.argmax(axis=-1, keepdims=True)
    others = np.exp(log_p)
    np.put_along_axis(others, top, 0, axis=-1)
    rest = others.sum(axis=-1, keepdims=True)
    exact = log_p.copy()
    np.put_along_axis(
        exact,
        top,
        np.where(rest < 0.5, np.log1p(-rest), np.take_along_axis(log_p, top, axis=-1)),
        axis=-1,
    )
    return exact


def log_probabilities(p: np.ndarray) -> np.ndarray:
    """log p of probabilities (..., K), float64; for p = 0 the least there is, about -744.

    >>> log_probabilities(np.array([0.75, 0.25])).round(4)
    array([-0.2877, -1.3863])
    """
    return exact_top(np.log(np.maximum(p, SMALLEST)))


def log_mean(log_p: np.ndarray) -> np.ndarray:
    """log of the mean of p over the first axis, (S, ..., K) to (..., K).

    >>> np.exp(log_mean(np.log([[0.8, 0.2], [0.4, 0.6]]))).round(6)
    array([0.6, 0.4])
    """
    return exact_top(logsumexp(log_p, axis=0) - np.log(len(log_p)))


def one_minus_max(log_p: np.ndarray) -> np.ndarray:
    """1 - max_k p_k, the sum of the other probabilities, (..., K) to (...), in [0, 1 - 1/K].

    >>> one_minus_max(np.log([[0.5, 0.25, 0.25]])).round(6)
    array([0.5])
    """
    others: np.ndarray = -np.expm1(log_p.max(axis=-1))
    return others


def entropy(log_p: np.ndarray) -> np.ndarray:
    """H(p) = -sum_k p_k log p_k, nats, (..., K) to (...), in [0, log K].

    A sum of positive terms, so nothing cancels.
    """
    nats: np.ndarray = -(np.exp(log_p) * log_p).sum(axis=-1)
    return nats


def find_temperature(loss: Callable[[float], float]) -> float:
    """Return the T in [0.2, 5] of the least loss(T)."""
    from scipy.optimize import minimize_scalar  # takes as long to import as all else here

    bounds = np.log(TEMPERATURES[0]), np.log(TEMPERATURES[1])
    minimum = minimize_scalar(
        lambda log_t: loss(np.exp(log_t)), bounds=bounds, method="bounded", options={"xatol": 1e-6}
    )
    return float(np.exp(minimum.x))


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the T in [0.2, 5] that minimises the NLL of softmax(z / T).

    To be fitted on validation data (Guo et al., ICML 2017).

    >>> logits, labels = np.array([[4.0, 0.0]] * 4), np.array([0, 0, 0, 1])  # 98% sure, 75% right
    >>> round(4 / fit_temperature(logits, labels), 3)  # log 3: 75% sure
    1.099
    """
    logits, rows = np.asarray(logits, np.float64), np.arange(len(labels))
    return find_temperature(lambda t: float(-log_softmax(logits / t)[rows, labels].mean()))
