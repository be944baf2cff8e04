"""Ensemble temperature scaling: w_1 softmax(z / T) + w_2 softmax(z) + w_3 / K.

Zhang, Kailkhura & Han, ICML 2020 (arXiv 2003.07329).
"""

from __future__ import annotations

import numpy as np

from oecal.calibrators.calibrator import Calibrator
from oecal.scores.numerics import exact_top, fit_temperature, log_softmax

OUTLIERS = False
STEPS = 500
# The least weight: below it, rounding of the uniform part would tie the classes and lose the
# prediction
LEAST = 1e-9


def fit(logits: np.ndarray, labels: np.ndarray) -> Calibrator:
    """Fit T in [0.2, 5], then the weights, >= 0 with sum 1, each by the least NLL.

    logits (N, K), labels (N,). The likelihood is concave in the weights, which are fitted by
    expectation maximisation. The prediction does not change.
    """
    from scipy.special import logsumexp, softmax

    z = np.asarray(logits, np.float64)
    t, rows = fit_temperature(z, labels), np.arange(len(labels))

    def parts(z: np.ndarray) -> np.ndarray:
        return np.stack([log_softmax(z / t), log_softmax(z), np.full(z.shape, -np.log(z.shape[1]))])

    log_p, log_w = parts(z)[:, rows, labels], np.full(3, -np.log(3.0))
    for _ in range(STEPS):
        log_w = np.log(np.maximum(softmax(log_p + log_w[:, None], axis=0).mean(axis=1), LEAST))
    return Calibrator(lambda z: exact_top(logsumexp(parts(z) + log_w[:, None, None], axis=0)), t)
