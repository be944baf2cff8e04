"""Dirichlet calibration: softmax(W log p + b), with off-diagonal and intercept regularisation.

Kull et al., NeurIPS 2019 (arXiv 1910.12656, eq. 7 and section 3.2). It is exact where the
probabilities of each class have a Dirichlet distribution. Unlike matrix scaling it sees
probabilities only, not the size of the logits.
"""

from __future__ import annotations

import numpy as np

from oecal.calibrators import affine
from oecal.calibrators.calibrator import Calibrator
from oecal.scores.numerics import log_softmax

OUTLIERS = False
PENALTY = 1e-2


def fit(logits: np.ndarray, labels: np.ndarray) -> Calibrator:
    """Fit W and b by the least regularised NLL; logits (N, K), labels (N,)."""
    calibrate_log_p = affine.fit(
        log_softmax(np.asarray(logits, np.float64)), labels, False, PENALTY
    )
    return Calibrator(lambda z: calibrate_log_p(log_softmax(z)))
