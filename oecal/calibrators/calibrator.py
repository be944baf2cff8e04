"""What each method's `fit` returns: a map from logits to calibrated log probabilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Calibrator:
    """`calibrated(logits)`: logits (N, K) to log p (N, K), float64, finite.

    temperature: nan for a method that has none.
    """

    calibrated: Callable[[np.ndarray], np.ndarray]
    temperature: float = float("nan")

    def __call__(self, logits: np.ndarray) -> np.ndarray:
        """Logits (N, K), computed with as float64, to log probabilities (N, K)."""
        return self.calibrated(np.asarray(logits, np.float64))
