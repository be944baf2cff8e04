"""The unit in which likelihoods are compared."""

from __future__ import annotations

import numpy as np


def bits_per_dimension(log_likelihood: np.ndarray, dims: int) -> np.ndarray:
    """-log p(x) / (D log 2) of images with D = C * H * W dimensions; `log_likelihood` (N,) in nats."""
    return -np.asarray(log_likelihood, np.float64) / (dims * np.log(2))
