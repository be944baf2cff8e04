"""Scores from gradients: of the last layer in closed form, of the image by the prediction step.

Higher is more anomalous, float64 (N,).
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from oecal.scores import numerics

SCORES = ("gradnorm", "odin")


def gradnorm(logits: np.ndarray, features: np.ndarray) -> np.ndarray:
    """-||dL/dW||_1 = -sum_k |p_k - 1/K| sum_d |f_d|, with L = -mean_k log p_k.

    W are the weights of the last layer (Huang et al., NeurIPS 2021, arXiv 2110.00218). Their code
    sums over k in L, which gives K times this value.
    """
    p = np.exp(numerics.log_softmax(logits))
    norms: np.ndarray = -np.abs(p - 1 / p.shape[1]).sum(axis=1) * np.abs(features).sum(
        axis=1, dtype=np.float64
    )
    return norms


def odin(odin: np.ndarray, *, eps: Literal[0, 1, 2, 3, 4, 5] = 2) -> np.ndarray:
    """1 - max_k softmax(z(x~) / 1000)_k, x~ the image after one step of size epsilon.

    The step goes against the gradient of the loss of its own prediction (Liang et al., ICLR 2018,
    arXiv 1706.02690). `odin` (N, E) has a column for each epsilon of
    oecal.predict.repeated_passes.EPSILONS, `eps` is the column's index: 2 is 0.001, next to the
    0.0014 of the paper.
    """
    return odin[:, eps]
