"""softmax(W x + b) of the least NLL, a convex problem: vector, matrix and Dirichlet scaling."""

from __future__ import annotations

import numpy as np

from oecal.calibrators.calibrator import Calibrator
from oecal.scores.numerics import log_softmax


def loss_and_gradient(
    theta: np.ndarray, x: np.ndarray, labels: np.ndarray, free: np.ndarray, penalty: float
) -> tuple[float, np.ndarray]:
    """Mean NLL + penalty (mean of the off-diagonal W_jk^2 + mean of b_k^2), and its gradient.

    theta: the entries of W where `free`, then b.
    """
    n, k = x.shape
    weights = np.zeros((k, k))
    weights[free], bias = theta[:-k], theta[-k:]
    log_p = log_softmax(x @ weights.T + bias)
    residual = np.exp(log_p)
    residual[np.arange(n), labels] -= 1
    off = weights * (1 - np.eye(k))
    pairs = max(k * (k - 1), 1)
    loss = -log_p[np.arange(n), labels].mean() + penalty * (
        (off**2).sum() / pairs + (bias**2).mean()
    )
    by_weights = residual.T @ x / n + 2 * penalty * off / pairs
    return float(loss), np.append(by_weights[free], residual.mean(axis=0) + 2 * penalty * bias / k)


def fit(x: np.ndarray, labels: np.ndarray, diagonal: bool, penalty: float) -> Calibrator:
    """Fit the map of x to log softmax(W x + b) to x (N, K) and labels (N,).

    W is a square matrix, diagonal if `diagonal`. The fit starts at the identity, so it is never
    worse.
    """
    from scipy.optimize import minimize

    k = x.shape[1]
    free = np.eye(k, dtype=bool) if diagonal else np.ones((k, k), bool)
    minimum = minimize(
        loss_and_gradient,
        np.append(np.eye(k)[free], np.zeros(k)),
        (x, labels, free, penalty),
        "L-BFGS-B",
        jac=True,
    )
    weights = np.zeros((k, k))
    weights[free] = minimum.x[:-k]
    bias = minimum.x[-k:]
    return Calibrator(lambda x: log_softmax(x @ weights.T + bias))
