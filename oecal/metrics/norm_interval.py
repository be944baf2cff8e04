"""Intervals of errors of calibration, which are norms of gaps, and of their differences, from a bootstrap (oecal.metrics.bootstrap).

Noise only adds to a norm, so a percentile interval would call every calibrated model miscalibrated;
`norm_interval` inverts a test. Notation: B resamples; bins may be bins of confidence, of each
class's probability, or points at which a smoothed error is looked at.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from oecal.metrics.resamples import percentile_interval

WIDTHS = (
    0.1,
    1.0,
    2.0,
    4.0,
    8.0,
    16.0,
    1e9,
)  # of the smoothing of gaps, in bins: from none to their mean


class Binned(NamedTuple):
    """Gaps of bins, mean confidence less accuracy, (bins,) or (bins, B).

    The share of the images in each, (bins,); the norm's order.

    order: 1, 2 or infinity; power: the metric is the norm to this power, as the Brier score's
    reliability is a square.
    """

    gaps: np.ndarray
    share: np.ndarray
    order: float
    power: int = 1

    @property
    def parts(self) -> np.ndarray:
        """What the norm is taken of: gaps times share^(1 / order)."""
        return (self.gaps.T * self.share ** (1 / self.order)).T


class Estimate(NamedTuple):
    """Limits of a 95% interval, and the metric in each resample, (B,).

    Of an error of calibration `middle` is the estimate without the bias upwards, and the resamples
    are those of gaps of this size.
    """

    low: float
    high: float
    replicates: np.ndarray
    middle: float | None = None

    def to(self, power: int) -> Estimate:
        """Of a norm: of the norm to this power, which rises with it."""
        middle = None if self.middle is None else self.middle**power
        return Estimate(self.low**power, self.high**power, self.replicates**power, middle)


def norm(parts: np.ndarray, order: float) -> np.ndarray:
    """(sum_b |parts_b|^order)^(1 / order), the largest of them if the order is infinite.

    Over the bins, the first axis.

    >>> norm(np.array([[3.0], [-4.0]]), order=2)
    array([5.])
    """
    gaps = np.abs(parts)
    size: np.ndarray = (
        np.sqrt((gaps**2).sum(axis=0))
        if order == 2
        else gaps.sum(axis=0)
        if order == 1
        else gaps.max(axis=0)
    )
    return size


def smooth_gaps(gaps: np.ndarray, share: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Gaps (bins,) smoothed over neighbouring bins, by the one of WIDTHS with the least estimated risk (Mallows's C_p)."""
    distance = np.subtract.outer(np.arange(len(gaps)), np.arange(len(gaps)))
    best, found = np.inf, gaps
    for width in WIDTHS:
        kernel = np.exp(-((distance / width) ** 2) / 2) * share
        kernel /= kernel.sum(axis=1, keepdims=True)
        risk = share @ ((gaps - kernel @ gaps) ** 2 + 2 * np.diag(kernel) * variance)
        if risk < best:
            best, found = risk, kernel @ gaps
    return found


def norm_interval(found: Binned, replicates: Binned, level: float = 0.95) -> Estimate:
    """An interval for the norm of the true gaps, by inversion of a test: all sizes t for which what was found is no surprise.

    Were the true gaps t d, with a shape d of norm 1, one would find |t d + e|, where the noise e is
    distributed as the replicates around what was found. t is in the interval if the norm found lies
    between the quantiles of |t d + e|; middle: where it is the median. So 0 is in it unless noise
    alone would be smaller; and the norm found, which noise has enlarged, may lie above it. The
    shape is not known: the gaps found have too much noise in them. Two are tried, and the interval
    holds what either allows: gaps spread over all bins, `smooth_gaps`, which gives the middle; and
    gaps in few bins, those beyond twice their standard error. Coverage is approximate;
    tests/metrics/test_bootstrap.py measures it.
    """
    noise = replicates.parts - found.parts[:, None]
    seen, pure = norm(found.parts, found.order), norm(noise, found.order)
    variance = np.var(replicates.gaps, axis=1)
    far = np.where(found.gaps**2 > 4 * variance, found.gaps, 0)
    shapes = [
        found._replace(gaps=g).parts for g in (smooth_gaps(found.gaps, found.share, variance), far)
    ]
    most = float(
        seen + np.quantile(pure, (1 + level) / 2)
    )  # beyond it noise cannot make up for the size

    def limit(shape: np.ndarray, tail: float) -> float:
        if np.quantile(pure, tail) >= seen:
            return 0.0
        low, high = 0.0, most
        for _ in range(16):
            t = (low + high) / 2
            low, high = (
                (low, t)
                if np.quantile(norm(noise + t * shape, found.order), tail) >= seen
                else (t, high)
            )
        return (low + high) / 2

    shapes = [shape[:, None] / size for shape in shapes if (size := norm(shape, found.order)) > 0]
    if not shapes:
        return Estimate(0.0, most, pure, 0.0).to(found.power)
    lows, highs = (
        [limit(shape, tail) for shape in shapes] for tail in ((1 + level) / 2, (1 - level) / 2)
    )
    middle = limit(shapes[0], 0.5)
    return Estimate(
        min(lows), max(highs), norm(noise + middle * shapes[0], found.order), middle
    ).to(found.power)


def difference_interval(one: Estimate, other: Estimate) -> tuple[float, float]:
    """One metric of two models on the same images and resamples: the percentile interval of the paired differences.

    The biases of two errors of calibration would not cancel in it, unless both are of one size.
    Their interval is put together from both intervals: low = m1 - m2 - sqrt(a^2 + b^2 - 2 r a b),
    with a = m1 - low1, b = high2 - m2, the middles m, and the correlation r of the replicates; high
    likewise (Zou, Psychological Methods 12, 2007). Where one of both reaches 0, the correlation
    depends on the shape of gaps that cannot be told from noise; then r is -1, the worst: from low1
    - high2 to high1 - low2.
    """
    if one.middle is None or other.middle is None:
        return percentile_interval(one.replicates - other.replicates)
    r = -1.0
    if one.low > 0 and other.low > 0:
        with np.errstate(
            invalid="ignore"
        ):  # nan where the replicates do not vary: then the limits are the middle
            r = float(np.nan_to_num(np.corrcoef(one.replicates, other.replicates)[0, 1]))

    def reach(a: float, b: float) -> float:
        return float(np.sqrt(max(a**2 + b**2 - 2 * r * a * b, 0)))

    difference = one.middle - other.middle
    low = difference - reach(one.middle - one.low, other.high - other.middle)
    return low, difference + reach(one.high - one.middle, other.middle - other.low)
