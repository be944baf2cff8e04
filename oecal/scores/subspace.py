"""What of the features f (N, D) lies outside the space that the training features fill. Higher is more anomalous, float64 (N,)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from threadpoolctl import threadpool_limits

from oecal.scores.fitted import fitted
from oecal.scores.logits import energy

CHUNK = 2000  # images at a time in float64
FLAT = 1e-6  # the least mean residual of the training features, as a share of their length


@fitted
def _axes(head_weight: np.ndarray, head_bias: np.ndarray, train_features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The origin o = -W^+ b, where all logits are as near 0 as can be, and the principal axes of f - o, columns (D, D), largest first."""
    origin = -np.linalg.pinv(head_weight.astype(np.float64)) @ head_bias
    parts = (train_features[start : start + CHUNK] - origin for start in range(0, len(train_features), CHUNK))
    moments = sum(x.T @ x for x in parts)
    with threadpool_limits(1, "blas"):  # many small steps: two threads are no faster, and on a busy machine 100 times slower
        return origin, np.linalg.eigh(moments)[1][:, ::-1]


def _lengths(features: np.ndarray, origin: np.ndarray, axes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """||x|| of x = f - o, and ||x - P P^T x||, P the axes (D, d), as sqrt(||x||^2 - ||P^T x||^2); each (N,)."""
    squares = np.empty((2, len(features)))
    for start in range(0, len(features), CHUNK):
        x = features[start : start + CHUNK] - origin
        inside = x @ axes
        squares[:, start : start + CHUNK] = np.einsum("nd,nd->n", x, x), np.einsum("nd,nd->n", inside, inside)
    return np.sqrt(squares[0]), np.sqrt(np.maximum(squares[0] - squares[1], 0))


@fitted
def _principal(head_weight: np.ndarray, head_bias: np.ndarray, train_features: np.ndarray, train_logits: np.ndarray, percent: int,
               ) -> tuple[np.ndarray, np.ndarray, float]:  # fmt: skip
    """Origin, principal axes, and alpha: the mean of the largest logits of the training images by the mean of their residuals."""
    origin, axes = _axes(head_weight, head_bias, train_features)
    axes = np.ascontiguousarray(axes[:, : round(len(axes) * percent / 100)])
    length, residual = _lengths(train_features, origin, axes)
    return origin, axes, train_logits.max(axis=1).mean(dtype=np.float64) / (max(residual.mean(), FLAT * length.mean()) or 1.0)


def vim(logits: np.ndarray, features: np.ndarray, head_weight: np.ndarray, head_bias: np.ndarray, train_features: np.ndarray,
        train_logits: np.ndarray, *, percent: Literal[10, 25, 50, 75, 90] = 50) -> np.ndarray:  # fmt: skip
    """alpha ||x - P P^T x|| - log sum_k exp z_k, x = f + W^+ b: virtual-logit matching (Wang et al., CVPR 2022, arXiv 2203.10807, eq. 6).

    P are the principal axes of the training features, `percent` of D; half of them is the paper's choice for D < 768. The residual comes
    from its square in float64, exact to 1e-8 of ||x||.
    """
    origin, axes, alpha = _principal(head_weight, head_bias, train_features, train_logits, percent)
    return alpha * _lengths(features, origin, axes)[1] + energy(logits)
