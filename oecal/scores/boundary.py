"""Distance to the decision boundaries of the last layer, weights W (K, D).

Higher is more anomalous, float64 (N,).
"""

from __future__ import annotations

import numpy as np

from oecal.scores.fit_memory import remember_fit

SCORES = ("fdbd",)

# Shorter distances from the mean count as this one: an image at the mean itself must have a score
SHORTEST = 1e-8


@remember_fit
def _mean(train_features: np.ndarray) -> np.ndarray:
    mean: np.ndarray = train_features.mean(axis=0, dtype=np.float64)
    return mean


def fdbd(
    logits: np.ndarray, features: np.ndarray, head_weight: np.ndarray, train_features: np.ndarray
) -> np.ndarray:
    """-mean over k != y of (z_y - z_k) / ||w_y - w_k||, divided by ||f - mu||.

    y is the prediction, mu the mean of the training features (Liu & Qin, ICML 2024, arXiv
    2312.11536, eqs. 5 and 7). (z_y - z_k) / ||w_y - w_k|| is the distance of f from the boundary
    between the two classes. Classes with the same weights have no boundary and do not count.
    """
    z, w = logits.astype(np.float64), head_weight.astype(np.float64)
    widths = np.stack([np.linalg.norm(w - row, axis=1) for row in w])[z.argmax(axis=1)]
    distances = np.divide(
        z.max(axis=1, keepdims=True) - z, widths, out=np.zeros_like(z), where=widths > 0
    )
    boundaries = np.maximum((widths > 0).sum(axis=1), 1)
    scores: np.ndarray = (
        -distances.sum(axis=1)
        / boundaries
        / np.maximum(np.linalg.norm(features - _mean(train_features), axis=1), SHORTEST)
    )
    return scores
