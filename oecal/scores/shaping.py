"""Energy -log sum_k exp(W f + b)_k after a change of the last layer or of its input f (N, D) >= 0.

Higher is more anomalous, (N,). W (K, D) and b (K,) are the last layer's `head_weight` and
`head_bias`. Percentiles p are in percent; the grids are those of pytorch-ood, the defaults are
published values.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from oecal.scores.fit_memory import remember_fit
from oecal.scores.logits import energy

SCORES = ("react", "ash", "scale", "dice")

CLIPPED = 85, 90, 95, 99


def _largest(values: np.ndarray, percentile: int) -> np.ndarray:
    """Return the n - round(n p) largest values of each row of n, but at least one.

    The smallest of them comes first.
    """
    kept = max(values.shape[1] - round(values.shape[1] * percentile / 100), 1)
    return np.partition(values, -kept, axis=1)[:, -kept:]


def _sharpness(total: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Return exp(total / kept), (N, 1); 1 for an image without any activation."""
    factors: np.ndarray = np.exp(np.divide(total, kept, out=np.zeros_like(total), where=kept > 0))[
        :, None
    ]
    return factors


@remember_fit
def _thresholds(train_features: np.ndarray) -> dict[int, float]:
    """Return percentiles of all activations: one pass for the whole grid of `react`."""
    return dict(zip(CLIPPED, np.percentile(train_features, CLIPPED), strict=True))


def react(
    features: np.ndarray,
    head_weight: np.ndarray,
    head_bias: np.ndarray,
    train_features: np.ndarray,
    *,
    percentile: Literal[85, 90, 95, 99] = 90,
) -> np.ndarray:
    """Energy of min(f, c), c the percentile of all activations of the training images.

    ReAct; Sun et al., NeurIPS 2021 (arXiv 2111.12797).
    """
    clipped = np.minimum(features.astype(np.float64), _thresholds(train_features)[percentile])
    return energy(clipped @ head_weight.T + head_bias)


def ash(
    features: np.ndarray,
    head_weight: np.ndarray,
    head_bias: np.ndarray,
    *,
    percentile: Literal[65, 70, 75, 80, 85, 90, 95] = 90,
) -> np.ndarray:
    """Energy of g exp(sum f / sum g), g = f without the p% smallest of an image's activations.

    ASH-S; Djurisic et al., ICLR 2023 (arXiv 2209.09858), here on the pooled features. The smallest
    activations are set to 0; those equal to the least one that is kept are kept, too.
    """
    f = features.astype(np.float64)
    pruned = np.where(f >= _largest(f, percentile)[:, :1], f, 0)
    return energy(
        (pruned * _sharpness(f.sum(axis=1), pruned.sum(axis=1))) @ head_weight.T + head_bias
    )


def scale(
    features: np.ndarray,
    head_weight: np.ndarray,
    head_bias: np.ndarray,
    *,
    percentile: Literal[65, 70, 75, 80, 85, 90, 95] = 85,
) -> np.ndarray:
    """Energy of f exp(sum f / sum g), g the (100 - p)% largest of an image's activations.

    SCALE; Xu et al., ICLR 2024 (arXiv 2310.00227). No activation is pruned.
    """
    f = features.astype(np.float64)
    return energy(
        (f * _sharpness(f.sum(axis=1), _largest(f, percentile).sum(axis=1))) @ head_weight.T
        + head_bias
    )


@remember_fit
def _sparse(head_weight: np.ndarray, train_features: np.ndarray, percentile: int) -> np.ndarray:
    contribution = head_weight * train_features.mean(axis=0, dtype=np.float64)
    return np.where(
        contribution >= _largest(contribution.reshape(1, -1), percentile)[0, 0], head_weight, 0
    )


def dice(
    features: np.ndarray,
    head_weight: np.ndarray,
    head_bias: np.ndarray,
    train_features: np.ndarray,
    *,
    percentile: Literal[10, 30, 50, 70, 90] = 90,
) -> np.ndarray:
    """Energy under the weights with the (100 - p)% largest contributions W_kd mean(f_d).

    DICE; Sun & Li, ECCV 2022 (arXiv 2111.09805). The mean is over training images. Contributions
    equal to the least one that is kept are kept, too.
    """
    return energy(
        features.astype(np.float64) @ _sparse(head_weight, train_features, percentile).T + head_bias
    )
