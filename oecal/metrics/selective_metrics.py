"""Selective prediction: reject the most uncertain inputs and count errors among the accepted ones.

At coverage k/n the k least uncertain inputs are accepted. With OOD inputs mixed in, an accepted OOD
input is an error. Equal scores have no order; their errors are spread evenly over their ranks,
which is the mean over all orders.
"""

from __future__ import annotations

import numpy as np


def accepted_errors(scores: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Expected number of errors among the k accepted inputs, for k from 1 to N.

    scores: (N,), higher = rejected first; errors: (N,), 1 or 0. Raises ValueError for empty or
    non-finite scores.

    >>> accepted_errors(np.array([1, 1, 2]), np.array([1, 0, 1]))
    array([0.5, 1. , 2. ])
    """
    scores, errors = np.asarray(scores, np.float64), np.asarray(errors, np.float64)
    if scores.size == 0 or not np.isfinite(scores).all():
        bad = np.count_nonzero(~np.isfinite(scores))
        raise ValueError(f"scores: {scores.size}, of which {bad} are not finite")
    _, group = np.unique(scores, return_inverse=True)
    mean = np.bincount(group, weights=errors) / np.bincount(group)
    return np.cumsum(mean[np.sort(group)])


def risk_coverage(scores: np.ndarray, errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coverage k/n and selective risk (share of errors among the accepted), (N,) each.

    >>> coverage, risk = risk_coverage(np.array([0.1, 0.3, 0.2, 0.4]), np.array([0, 1, 0, 1]))
    >>> coverage.tolist(), risk.round(2).tolist()
    ([0.25, 0.5, 0.75, 1.0], [0.0, 0.0, 0.33, 0.5])
    """
    wrong = accepted_errors(scores, errors)
    k = np.arange(1, len(wrong) + 1)
    return k / len(wrong), wrong / k


def selective_metrics(
    scores: np.ndarray, errors: np.ndarray, target_risk: float, target_coverage: float
) -> dict[str, float]:
    """Return the metrics of scores and errors, (N,) each, as a selective predictor, in [0, 1].

    aurc: mean selective risk over all coverages (Geifman, Uziel & El-Yaniv, ICLR 2019); eaurc: its
    excess over the best order of the same errors; augrc: mean over coverages of errors accepted / n
    (Traub et al., NeurIPS 2024); coverage_at_risk: the largest coverage whose risk is at most
    `target_risk`, 0 if there is none; risk_at_coverage: risk of the smallest coverage >=
    `target_coverage`; the accuracy at that coverage is 1 - risk_at_coverage (of `pooled`, an
    accepted OOD input counts as wrong). Raises ValueError for empty or non-finite scores.

    >>> scores, errors = np.array([1, 2, 3, 4]), np.array([0, 0, 0, 1])
    >>> values = selective_metrics(scores, errors, target_risk=0.1, target_coverage=0.5)
    >>> [round(values[name], 4) for name in ("aurc", "eaurc", "augrc")]
    [0.0625, 0.0, 0.0625]
    >>> values["coverage_at_risk"], values["risk_at_coverage"]
    (0.75, 0.0)
    """
    coverage, risk = risk_coverage(scores, errors)
    n, wrong = len(coverage), int(np.sum(errors))
    k = np.arange(1, n + 1)
    best = np.maximum(k - (n - wrong), 0) / k
    within = np.flatnonzero(risk <= target_risk + 1e-12)
    return {
        "aurc": float(risk.mean()),
        "eaurc": float(risk.mean() - best.mean()),
        "augrc": float((risk * coverage).mean()),
        "coverage_at_risk": float(coverage[within[-1]]) if len(within) else 0.0,
        "risk_at_coverage": float(risk[min(int(np.ceil(target_coverage * n - 1e-9)), n) - 1]),
    }
