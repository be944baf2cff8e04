"""Scores from the part of the features f (N, D) outside the space that the training features span.

Higher is more anomalous, float64 (N,).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from oecal.scores.fit_memory import remember_fit
from oecal.scores.logits import energy
from oecal.scores.threads import Threads, split_into_chunks

SCORES = ("vim",)

# The least mean residual of the training features, as a share of their length; float32 rounds at
# 1e-7 of it
FLAT = 1e-6


class _Axes(NamedTuple):
    """Principal axes of x = f - origin."""

    origin: np.ndarray
    """(D,)."""
    axes: np.ndarray
    """The axes as columns, (D, D), the one of the smallest variance first."""
    length: float
    """sqrt(mean ||x||^2)."""


@remember_fit
def _axes(head_weight: np.ndarray, head_bias: np.ndarray, train_features: np.ndarray) -> _Axes:
    """Fit the axes; the origin is -W^+ b, where all logits are as near 0 as can be."""
    origin = -np.linalg.pinv(head_weight.astype(np.float64)) @ head_bias

    def moments(chunk: slice) -> np.ndarray:
        x = train_features[chunk] - origin
        products: np.ndarray = x.T @ x
        return products

    with Threads() as threads:
        second_moment = sum(threads.map(moments, split_into_chunks(len(train_features)))) / len(
            train_features
        )
        return _Axes(origin, np.linalg.eigh(second_moment)[1], np.sqrt(np.trace(second_moment)))


def _residual(features: np.ndarray, origin: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Return ||R^T (f - origin)||, (N,), R the axes outside the principal space.

    Computed in the precision of R.
    """

    def part(chunk: slice) -> np.ndarray:
        outside = (features[chunk] - origin.astype(axes.dtype)) @ axes
        lengths: np.ndarray = np.sqrt(np.einsum("nd,nd->n", outside, outside, dtype=np.float64))
        return lengths

    with Threads() as threads:
        return np.concatenate(list(threads.map(part, split_into_chunks(len(features)))))


@remember_fit
def _outside(
    head_weight: np.ndarray,
    head_bias: np.ndarray,
    train_features: np.ndarray,
    train_logits: np.ndarray,
    percent: int,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the origin, the axes outside the principal space, and alpha.

    alpha is the mean of the training images' largest logits divided by the mean of their residuals,
    for which float32 is enough. Where the training features have no residual, alpha is large: what
    lies outside then counts a million times.
    """
    origin, axes, length = _axes(head_weight, head_bias, train_features)
    axes = np.ascontiguousarray(axes[:, : len(axes) - round(len(axes) * percent / 100)])
    residual = _residual(train_features, origin, axes.astype(np.float32)).mean()
    return (
        origin,
        axes,
        train_logits.max(axis=1).mean(dtype=np.float64) / (max(residual, FLAT * length) or 1.0),
    )


def vim(
    logits: np.ndarray,
    features: np.ndarray,
    head_weight: np.ndarray,
    head_bias: np.ndarray,
    train_features: np.ndarray,
    train_logits: np.ndarray,
    *,
    percent: Literal[10, 25, 50, 75, 90] = 50,
) -> np.ndarray:
    """alpha ||x - P P^T x|| - log sum_k exp z_k, x = f + W^+ b: virtual-logit matching.

    Wang et al., CVPR 2022 (arXiv 2203.10807), eq. 6. P are the principal axes of the training
    features, `percent` of D; half of them is the paper's choice for D < 768.
    """
    origin, axes, alpha = _outside(head_weight, head_bias, train_features, train_logits, percent)
    scores: np.ndarray = alpha * _residual(features, origin, axes) + energy(logits)
    return scores
