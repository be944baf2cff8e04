"""Matrix scaling: softmax(W z + b), with off-diagonal and intercept regularisation.

Guo et al., ICML 2017, section 4.2. The regularisation (ODIR) is that of Kull et al., NeurIPS 2019
(arXiv 1910.12656, section 3.2); without it, K^2 parameters overfit.
"""

from __future__ import annotations

import numpy as np

from oecal.calibrators import affine
from oecal.calibrators.calibrator import Calibrator

OUTLIERS = False
PENALTY = 1e-2


def fit(logits: np.ndarray, labels: np.ndarray) -> Calibrator:
    """Fit W and b by the least regularised NLL; logits (N, K), labels (N,)."""
    return affine.fit(np.asarray(logits, np.float64), labels, False, PENALTY)
