"""A temperature fitted with auxiliary outliers, too: what can a single number do if it has seen what is not in the distribution?"""

from __future__ import annotations

import numpy as np

from oecal.calibrators.calibrator import Calibrator
from oecal.calibrators.temperature import make_calibrator
from oecal.scores.numerics import find_temperature, log_softmax

OUTLIERS = True


def fit(logits: np.ndarray, labels: np.ndarray, outliers: np.ndarray) -> Calibrator:
    """The T in [0.2, 5] of the least NLL of ID images + cross-entropy of outliers from uniform, the loss of Outlier Exposure.

    -mean_i log p_i,l(i) - mean_j mean_k log p_jk, equally weighted; logits (N, K), labels (N,),
    outliers: their logits (M, K).
    """
    z, unknown, rows = (
        np.asarray(logits, np.float64),
        np.asarray(outliers, np.float64),
        np.arange(len(labels)),
    )
    return make_calibrator(
        find_temperature(
            lambda t: float(
                -log_softmax(z / t)[rows, labels].mean() - log_softmax(unknown / t).mean()
            )
        )
    )
