"""Scores of a deep ensemble, the same training from S seeds, from logits (S, N, K).

p = mean_s p_s, p_s = softmax(z_s) (Lakshminarayanan et al., NeurIPS 2017, arXiv 1612.01474). Higher
is more anomalous, float64 (N,).
"""

from __future__ import annotations

import numpy as np

from oecal.scores import numerics

SCORES = ("ensemble_msp", "ensemble_entropy", "ensemble_mutual_information")


def ensemble_msp(seeds_logits: np.ndarray) -> np.ndarray:
    """1 - max_k p_k, in [0, 1 - 1/K]."""
    return numerics.one_minus_max(numerics.log_mean(numerics.log_softmax(seeds_logits)))


def ensemble_entropy(seeds_logits: np.ndarray) -> np.ndarray:
    """H(p), nats, in [0, log K]: the uncertainty of the data and of the model together."""
    return numerics.entropy(numerics.log_mean(numerics.log_softmax(seeds_logits)))


def ensemble_mutual_information(seeds_logits: np.ndarray) -> np.ndarray:
    """H(p) - mean_s H(p_s) = mean_s KL(p_s || p), nats, in [0, log S]: how far the seeds disagree.

    This is the model's part of the uncertainty. It is computed as the mean over s of sum_k p_k (r
    e^r - (e^r - 1)), r = log(p_sk / p_k) <= log S: all terms are positive, and where the seeds
    nearly agree each is about p_k r^2 / 2, which a difference of entropies or of p_s and p would
    lose to rounding.

    >>> disagree, agree = [[50, 0], [0, 50]], [[0, 0], [0, 0]]
    >>> ensemble_mutual_information(np.stack([disagree, agree], axis=1)).round(4)
    array([0.6931, 0.    ])
    """
    log_p = numerics.log_softmax(seeds_logits)
    log_mean = numerics.log_mean(log_p)
    r = log_p - log_mean
    nats: np.ndarray = np.maximum(
        (np.exp(log_mean) * (r * np.exp(r) - np.expm1(r))).sum(axis=-1).mean(axis=0), 0
    )
    return nats
