"""Scores of a classifier with an additional class for the outliers, the background class.

Higher is more anomalous, float64 (N,).
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

SCORES = ("background_class",)


def background_class(logits: np.ndarray, background_logit: np.ndarray) -> np.ndarray:
    """Log-odds of the background class: z_{K+1} - log sum_{k <= K} exp z_k, nats.

    That is log(p / (1 - p)) of its probability p among all K + 1 classes. The log-odds rank images
    as p does, and do not saturate where p rounds to 1. Background class: Zhang & LeCun, AAAI 2017
    (arXiv 1511.03719).

    >>> background_class(np.zeros((1, 3)), background_logit=np.log([9])).round(4)  # log of 9 / 3
    array([1.0986])
    """
    log_odds: np.ndarray = background_logit.astype(np.float64) - logsumexp(
        logits.astype(np.float64), axis=1
    )
    return log_odds
