"""What each method's `fit` returns: a map from logits to calibrated log-probabilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Calibrator:
    """A fitted map from logits (N, K) to log p (N, K), float64, finite."""

    calibrated: Callable[[np.ndarray], np.ndarray]
    temperature: float = float("nan")
    """nan for a method that has none."""

    def __call__(self, logits: np.ndarray) -> np.ndarray:
        """Return log p (N, K) of logits (N, K), which are converted to float64 first."""
        return self.calibrated(np.asarray(logits, np.float64))
