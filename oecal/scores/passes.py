"""Scores from many passes of one classifier, made by the prediction step.

Higher is more anomalous, float64 (N,).

MC dropout (Gal & Ghahramani, ICML 2016, arXiv 1506.02142), test-time augmentation (Wang et al.
2019, arXiv 1807.07356) and SWAG (Maddox et al., NeurIPS 2019, arXiv 1902.02476) make passes s with
probabilities p_s. Stored are their mean `p` (N, K); `mi` (N,), nats, mean_s KL(p_s || p); and
`agreement` (N,), the share of the passes that vote for the class with the most votes.
"""

from __future__ import annotations

import numpy as np

from oecal.scores.numerics import entropy, log_probabilities, one_minus_max

SCORES = (
    "dropout_entropy",
    "dropout_mutual_information",
    "dropout_variation_ratio",
    "tta_msp",
    "tta_entropy",
    "swag_msp",
    "swag_entropy",
    "swag_mutual_information",
)


def dropout_entropy(dropout_p: np.ndarray) -> np.ndarray:
    """H(p), nats: the predictive entropy."""
    return entropy(log_probabilities(dropout_p))


def dropout_mutual_information(dropout_mi: np.ndarray) -> np.ndarray:
    """H(p) - mean_s H(p_s) = mean_s KL(p_s || p), nats: how far the passes disagree.

    BALD; Houlsby et al. 2011 (arXiv 1112.5745).
    """
    return dropout_mi


def dropout_variation_ratio(dropout_agreement: np.ndarray) -> np.ndarray:
    """1 - the share of passes that vote for the most voted class (Freeman 1965; Gal 2016).

    With S passes it takes at most S values.
    """
    return 1 - dropout_agreement


def tta_msp(tta_p: np.ndarray) -> np.ndarray:
    """1 - max_k p_k of the mean over the altered copies of an image."""
    return one_minus_max(log_probabilities(tta_p))


def tta_entropy(tta_p: np.ndarray) -> np.ndarray:
    """H(p), nats, of the mean over the altered copies of an image."""
    return entropy(log_probabilities(tta_p))


def swag_msp(swag_p: np.ndarray) -> np.ndarray:
    """1 - max_k p_k of the mean over weights drawn from SWAG's Gaussian."""
    return one_minus_max(log_probabilities(swag_p))


def swag_entropy(swag_p: np.ndarray) -> np.ndarray:
    """H(p), nats, of the mean over weights drawn from SWAG's Gaussian."""
    return entropy(log_probabilities(swag_p))


def swag_mutual_information(swag_mi: np.ndarray) -> np.ndarray:
    """mean_s KL(p_s || p), nats, over weights drawn from SWAG's Gaussian."""
    return swag_mi
