"""Vector scaling: softmax(w * z + b), a factor and an offset for each class.

Guo et al., ICML 2017 (arXiv 1706.04599, section 4.2).
"""

from __future__ import annotations

import numpy as np

from oecal.calibrators import affine
from oecal.calibrators.calibrator import Calibrator

OUTLIERS = False
PENALTY = 1e-4  # on the offsets: that of a missing class has no minimum without it


def fit(logits: np.ndarray, labels: np.ndarray) -> Calibrator:
    """Fit w and b by the least NLL; logits (N, K), labels (N,)."""
    return affine.fit(np.asarray(logits, np.float64), labels, True, PENALTY)
