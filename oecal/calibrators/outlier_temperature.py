"""A temperature fitted to auxiliary outliers, too: how much can one number do that saw outliers?"""

from __future__ import annotations

import numpy as np

from oecal.calibrators.calibrator import Calibrator
from oecal.calibrators.temperature import make_calibrator
from oecal.scores.numerics import find_temperature, log_softmax

OUTLIERS = True


def fit(logits: np.ndarray, labels: np.ndarray, outliers: np.ndarray) -> Calibrator:
    """Fit T in [0.2, 5] by the loss of Outlier Exposure, with equal weights.

    The loss is the NLL of ID images + the cross-entropy of outliers from the uniform distribution,
    -mean_i log p_i,l(i) - mean_j mean_k log p_jk. logits (N, K), labels (N,), outliers: their
    logits, M rows of K.
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
