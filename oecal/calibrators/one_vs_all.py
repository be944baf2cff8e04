"""Methods that map each class's probability by itself and normalise the results.

Zadrozny & Elkan, KDD 2002.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from oecal.calibrators.calibrator import Calibrator
from oecal.scores.numerics import log_probabilities, log_softmax

Map = Callable[[np.ndarray], np.ndarray]


def fit(
    logits: np.ndarray, labels: np.ndarray, fit_one: Callable[[np.ndarray, np.ndarray], Map]
) -> Calibrator:
    """Fit the map of each class k, which `fit_one(p_k, [l = k])`, (N,) each, returns.

    Where all mapped probabilities are 0, they become uniform.
    """
    p = np.exp(log_softmax(np.asarray(logits, np.float64)))
    maps = [fit_one(p[:, k], (labels == k).astype(float)) for k in range(p.shape[1])]

    def calibrated(z: np.ndarray) -> np.ndarray:
        mapped = np.stack(
            [one(column) for one, column in zip(maps, np.exp(log_softmax(z)).T, strict=True)],
            axis=1,
        )
        total = mapped.sum(axis=1, keepdims=True)
        return log_probabilities(
            np.where(total > 0, mapped / np.where(total > 0, total, 1), 1 / len(maps))
        )

    return Calibrator(calibrated)
