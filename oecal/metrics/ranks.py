"""Do scores differ over many data sets? Mean ranks, Friedman's test, Nemenyi's critical difference.

Demsar, "Statistical comparisons of classifiers over multiple data sets", JMLR 7 (2006), section
3.2.2.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import chi2, rankdata, studentized_range


def mean_ranks(values: np.ndarray) -> np.ndarray:
    """Mean rank of each of k scores over N sets, (k,), from values (N, k), higher = better.

    Rank 1 is the best; ties share their mean.

    >>> mean_ranks(np.array([[0.9, 0.8, 0.8], [0.7, 0.9, 0.6]]))
    array([1.5 , 1.75, 2.75])
    """
    ranks: np.ndarray = rankdata(-np.asarray(values, np.float64), axis=1).mean(axis=0)
    return ranks


def friedman(values: np.ndarray) -> tuple[float, float]:
    """Friedman's statistic, corrected for ties, and its p-value: are k scores alike over N sets?

    values: (N, k). chi2_F = (k - 1) sum_j (sum_i (r_ij - (k + 1) / 2))^2 / sum_ij (r_ij - (k + 1) /
    2)^2 with k - 1 degrees of freedom; without ties that is Demsar's 12 N / (k (k + 1)) (sum_j
    R_j^2 - k (k + 1)^2 / 4). Where all values are tied: 0 and 1.

    >>> statistic, p = friedman(np.array([[0.9, 0.8], [0.8, 0.7], [0.7, 0.6], [0.6, 0.5]]))
    >>> statistic, round(p, 4)
    (4.0, 0.0455)
    """
    # scipy.stats.friedmanchisquare refuses k = 2, and rounds differently in the last bits: the
    # tables that were published have these.
    ranks = rankdata(values, axis=1)
    k = ranks.shape[1]
    away = ranks - (k + 1) / 2
    spread = (away**2).sum()
    statistic = (k - 1) * (away.sum(axis=0) ** 2).sum() / spread if spread else 0.0
    return float(statistic), float(chi2.sf(statistic, k - 1)) if spread else 1.0


def critical_difference(k: int, n: int, level: float = 0.05) -> float:
    """Nemenyi's critical difference of the mean ranks of k >= 2 scores over n sets.

    It is q sqrt(k (k + 1) / (6 n)), with q the quantile 1 - level of the studentised range of k
    normal variables, divided by sqrt(2). Two scores whose mean ranks differ by less cannot be told
    apart at this level, all pairs taken together.

    >>> round(critical_difference(4, 14), 2)  # the example of Demsar, section 3.2.2
    1.25
    """
    q = studentized_range.ppf(1 - level, k, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(k * (k + 1) / (6 * n)))
