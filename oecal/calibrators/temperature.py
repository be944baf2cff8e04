"""Temperature scaling: softmax(z / T) (Guo et al., ICML 2017, arXiv 1706.04599).

It never changes the prediction.
"""

from __future__ import annotations

import numpy as np

from oecal.calibrators.calibrator import Calibrator
from oecal.scores.numerics import fit_temperature, log_softmax

OUTLIERS = False


def make_calibrator(temperature: float) -> Calibrator:
    """Return the calibrator z -> log softmax(z / T) of a given temperature T > 0."""
    return Calibrator(lambda logits: log_softmax(logits / temperature), temperature)


def fit(logits: np.ndarray, labels: np.ndarray) -> Calibrator:
    """Fit T in [0.2, 5] by the least NLL; logits (N, K), labels (N,)."""
    return make_calibrator(fit_temperature(logits, labels))


def fit_before_and_after(logits: np.ndarray, labels: np.ndarray) -> dict[str, Calibrator | None]:
    """Return the calibrators none and temperature, fitted to these images, by their names."""
    return {"none": None, "temperature": fit(logits, labels)}
