"""softmax(W x + b) of least NLL: what vector, matrix and Dirichlet scaling share, a convex problem."""

from __future__ import annotations

import numpy as np

from oecal.calibrators.calibrator import Calibrator
from oecal.scores.numerics import log_softmax


def loss_and_gradient(
    theta: np.ndarray, x: np.ndarray, labels: np.ndarray, free: np.ndarray, penalty: float
) -> tuple[float, np.ndarray]:
    """Mean NLL + penalty (mean of the off-diagonal W_jk^2 + mean of b_k^2), and its gradient in theta: W where it is free, then b."""
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
    """x (., K) to log softmax(W x + b), W (K, K) diagonal if asked for and b a vector, fitted to x (N, K) and labels (N,).

    Starts at the identity, so it is never worse than that.
    """
    from scipy.optimize import minimize

    k = x.shape[1]
    free = np.eye(k, dtype=bool) if diagonal else np.ones((k, k), bool)
    found = minimize(
        loss_and_gradient,
        np.append(np.eye(k)[free], np.zeros(k)),
        (x, labels, free, penalty),
        "L-BFGS-B",
        jac=True,
    )
    weights = np.zeros((k, k))
    weights[free] = found.x[:-k]
    bias = found.x[-k:]
    return Calibrator(lambda x: log_softmax(x @ weights.T + bias))
