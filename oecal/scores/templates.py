"""Scores against the typical posterior of each class."""

from __future__ import annotations

import numpy as np

from oecal.scores import numerics
from oecal.scores.fit_memory import remember_fit

SCORES = ("kl_matching",)


@remember_fit
def _templates(val_logits: np.ndarray) -> np.ndarray:
    """Return log d_k (M, K) of the M classes k that are predicted for any validation image."""
    log_p = numerics.log_softmax(val_logits)
    predicted = log_p.argmax(axis=1)
    return np.stack([numerics.log_mean(log_p[predicted == k]) for k in np.unique(predicted)])


def kl_matching(logits: np.ndarray, val_logits: np.ndarray) -> np.ndarray:
    """min_k KL(p || d_k), nats, (N,), d_k the mean p of ID validation images with prediction k.

    Hendrycks et al., ICML 2022 (arXiv 1911.11132). No labels are used. Exact to some 1e-16 of the
    cross-entropy of p and d_k.
    """
    log_p = numerics.log_softmax(logits)
    cross_entropies = -np.exp(log_p) @ _templates(val_logits).T
    divergences: np.ndarray = np.maximum(cross_entropies.min(axis=1) - numerics.entropy(log_p), 0)
    return divergences
