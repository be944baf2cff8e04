"""Does a mean over seeds differ from a given value, or is it practically equal to it?

Student's t, equivalence, Holm's correction, effect size. Each value is one training. All but `holm`
return nan where there is no test: fewer than two values, or the same one every time.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import t


def spread(values: np.ndarray) -> float:
    """Standard deviation, n - 1 in the denominator; nan for fewer than two distinct values."""
    return float(np.std(values, ddof=1)) if len(values) > 1 and np.ptp(values) > 0 else np.nan


def statistic(values: np.ndarray, than: float) -> float:
    """Student's t = (mean - than) sqrt(n) / s."""
    # scipy.stats.ttest_1samp divides by s / sqrt(n), which rounds differently in the last bits: the
    # tables that were published have these.
    return (
        float((np.mean(values) - than) * np.sqrt(len(values)) / spread(values))
        if len(values)
        else np.nan
    )


def t_test(values: np.ndarray, than: float = 0.0) -> float:
    """Two-sided p of a mean equal to `than`: 2 P(t_{n-1} > |t|).

    values: (n,), of pairs their differences.

    >>> round(t_test(np.array([1.0, 2.0, 3.0])), 4)
    0.0742
    """
    return float(2 * t.sf(abs(statistic(values, than)), len(values) - 1))


def equivalence(values: np.ndarray, margin: float, than: float = 0.0) -> float:
    """p of a mean that is not within `margin` of `than`: the larger p of two one-sided tests.

    TOST; Schuirmann 1987. A small p says that the mean lies between than - margin and than +
    margin.

    >>> round(equivalence(np.array([-0.1, 0.0, 0.1]), margin=0.5), 4)
    0.0065
    """
    low, high = statistic(values, than - margin), statistic(values, than + margin)
    return float(np.maximum(t.sf(low, len(values) - 1), t.cdf(high, len(values) - 1)))


def difference(values: np.ndarray, margin: float, than: float = 0.0) -> float:
    """p of a mean that is within `margin` of `than`: twice the smaller p of two one-sided tests.

    It is at most 1, and with margin 0 that of the t-test. A small p says that the mean lies below
    than - margin or above than + margin.

    >>> difference(np.array([-0.1, 0.0, 0.1]), margin=0.5)
    1.0
    """
    low, high = statistic(values, than - margin), statistic(values, than + margin)
    return float(
        np.minimum(1.0, 2 * np.minimum(t.cdf(low, len(values) - 1), t.sf(high, len(values) - 1)))
    )


def holm(p: np.ndarray) -> np.ndarray:
    """Adjusted p-values of a family of tests, (m,) (Holm 1979).

    That of the i-th smallest is max_{j <= i} min(1, (m - j + 1) p_(j)). If all tests are rejected
    whose adjusted p is at most alpha, the probability of any false rejection is at most alpha,
    however the tests depend on each other. nan means no test: it stays nan, and is not counted in
    m.

    >>> holm(np.array([0.01, 0.04, 0.03, np.nan]))
    array([0.03, 0.06, 0.06,  nan])
    """
    adjusted = np.array(p, np.float64)
    there = np.flatnonzero(~np.isnan(adjusted))
    order = there[np.argsort(adjusted[there], kind="stable")]
    adjusted[order] = np.minimum(
        1, np.maximum.accumulate(adjusted[order] * np.arange(len(order), 0, -1))
    )
    return adjusted


def cohens_d(values: np.ndarray, than: float = 0.0) -> float:
    """Standardised effect d = (mean - than) / s (Cohen 1988), biased upwards for few values.

    values: (n,), of pairs their differences.
    >>> cohens_d(np.array([1.0, 2.0, 3.0]))
    2.0
    """
    return float((np.mean(values) - than) / spread(values)) if len(values) else np.nan
