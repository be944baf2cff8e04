"""Last-layer Laplace approximation with a Kronecker-factored generalised Gauss-Newton matrix.

Daxberger et al. 2021 (arXiv 2106.14806). The last layer's weights W (K, D + 1), which include the
bias as the weight of a constant feature, f = (features, 1), have the posterior N(W_trained, (B x A
+ delta I)^-1): A = sum_n f_n f_n^T / N and B = sum_n (diag(p_n) - p_n p_n^T) over the N training
images, delta the prior precision. N counts the training images that were predicted (`fit_train`):
with fewer, the posterior is wider. An image's logits are then Gaussian, and the extended probit
approximation turns them into probabilities: softmax(z_k / sqrt(1 + pi/8 v_k)), v_k the variance of
logit k (Gibbs 1998; Kristiadi et al., ICML 2020, arXiv 2002.10118).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from oecal.scores.fit_memory import remember_fit
from oecal.scores.numerics import entropy, log_softmax, one_minus_max
from oecal.scores.threads import Threads

SCORES = ("laplace_msp", "laplace_entropy")

PRECISIONS = 10.0 ** np.arange(-4, 4.5, 0.5)
CHUNK = 10_000  # training images at a time: their features in float64 take twice their size


class _Posterior(NamedTuple):
    """Covariance of the last layer, which is diagonal in the eigenvectors of A and of B."""

    inputs: np.ndarray
    """Eigenvectors of A, as columns, (D + 1, D + 1)."""
    outputs: np.ndarray
    """Eigenvectors of B, as columns, (K, K)."""
    variance: np.ndarray
    """The diagonal, (D + 1, K)."""


def _inputs(features: np.ndarray) -> np.ndarray:
    return np.column_stack([features.astype(np.float64), np.ones(len(features))])


def _factors(features: np.ndarray, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return A (D + 1, D + 1) and B (K, K).

    The diagonal p (1 - p) of B is summed in this form: p - p^2 vanishes where p rounds to 1.
    """
    n, k = logits.shape
    a, outer, diagonal = np.zeros((features.shape[1] + 1,) * 2), np.zeros((k, k)), np.zeros(k)
    for part in (slice(start, start + CHUNK) for start in range(0, n, CHUNK)):
        f, log_p = _inputs(features[part]), log_softmax(logits[part])
        p = np.exp(log_p)
        a += f.T @ f
        outer += p.T @ p
        diagonal += (p * -np.expm1(log_p)).sum(axis=0)
    return a / n, np.where(np.eye(k, dtype=bool), diagonal, -outer)


def _probit(logits: np.ndarray, squares: np.ndarray, posterior: _Posterior) -> np.ndarray:
    """Return log p (N, K) of the probit approximation.

    squares: (N, D + 1), squared coordinates of f in the eigenvectors of A.
    """
    variance = squares @ posterior.variance @ (posterior.outputs**2).T
    return log_softmax(logits / np.sqrt(1 + np.pi / 8 * variance))


def _log_predictive(logits: np.ndarray, features: np.ndarray, posterior: _Posterior) -> np.ndarray:
    return _probit(logits, (_inputs(features) @ posterior.inputs) ** 2, posterior)


@remember_fit
def _posterior(
    train_features: np.ndarray,
    train_logits: np.ndarray,
    val_features: np.ndarray,
    val_logits: np.ndarray,
    val_labels: np.ndarray,
) -> _Posterior:
    """Return the posterior with the prior precision of the lowest NLL on ID validation images.

    The precision comes from a grid from 1e-4 to 1e4.
    """
    factors = _factors(train_features, train_logits)
    with Threads():
        (a, inputs), (b, outputs) = (np.linalg.eigh(factor) for factor in factors)
    curvature = np.outer(a.clip(min=0), b.clip(min=0))
    candidates = [
        _Posterior(inputs, outputs, 1 / (curvature + precision)) for precision in PRECISIONS
    ]
    squares, rows = (_inputs(val_features) @ inputs) ** 2, np.arange(len(val_labels))
    return min(
        candidates,
        key=lambda posterior: -_probit(val_logits, squares, posterior)[rows, val_labels].mean(),
    )


def laplace_msp(
    logits: np.ndarray,
    features: np.ndarray,
    train_features: np.ndarray,
    train_logits: np.ndarray,
    val_features: np.ndarray,
    val_logits: np.ndarray,
    val_labels: np.ndarray,
) -> np.ndarray:
    """1 - max_k p_k of the predictive distribution, (N,), in [0, 1 - 1/K]."""
    posterior = _posterior(train_features, train_logits, val_features, val_logits, val_labels)
    return one_minus_max(_log_predictive(logits, features, posterior))


def laplace_entropy(
    logits: np.ndarray,
    features: np.ndarray,
    train_features: np.ndarray,
    train_logits: np.ndarray,
    val_features: np.ndarray,
    val_logits: np.ndarray,
    val_labels: np.ndarray,
) -> np.ndarray:
    """H(p), nats, of the predictive distribution, (N,), in [0, log K]."""
    posterior = _posterior(train_features, train_logits, val_features, val_logits, val_labels)
    return entropy(_log_predictive(logits, features, posterior))
