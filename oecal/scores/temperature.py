"""The maximum softmax probability after temperature scaling.

Guo et al., ICML 2017 (arXiv 1706.04599).
"""

from __future__ import annotations

import numpy as np

from oecal.scores import numerics
from oecal.scores.fit_memory import remember_fit

SCORES = ("temperature_msp",)


@remember_fit
def _temperature(val_logits: np.ndarray, val_labels: np.ndarray) -> float:
    return numerics.fit_temperature(val_logits, val_labels)


def temperature_msp(
    logits: np.ndarray, val_logits: np.ndarray, val_labels: np.ndarray
) -> np.ndarray:
    """1 - max_k softmax(z / T)_k, (N,), in [0, 1 - 1/K].

    T in [0.2, 5] minimises the NLL of ID validation images.
    """
    scaled = logits.astype(np.float64) / _temperature(val_logits, val_labels)
    return numerics.one_minus_max(numerics.log_softmax(scaled))
