"""Scores from a density model's log-likelihood (N,), nats. All are higher for more anomalous inputs, float64 (N,)."""

from __future__ import annotations

import numpy as np


def log_likelihood(log_likelihood: np.ndarray) -> np.ndarray:
    """-log p(x), nats: an unlikely image is an anomalous one (Bishop 1994); the score that the likelihood paradox refutes."""
    return -log_likelihood.astype(np.float64)
