"""Bootstrap intervals of errors of calibration, which are norms of gaps, and of their differences.

Noise only adds to a norm, so a percentile interval would call every calibrated model miscalibrated;
`norm_interval` inverts a test. The resamples are those of oecal.metrics.bootstrap. Notation: B
resamples; bins may be bins of confidence, of each class's probability, or points at which a
smoothed error is evaluated.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from oecal.metrics.resamples import percentile_interval

# Widths of the smoothing of gaps, in bins: from none to their mean
WIDTHS = (0.1, 1.0, 2.0, 4.0, 8.0, 16.0, 1e9)


class Binned(NamedTuple):
    """The gaps of all bins, and the norm of them that is the metric."""

    gaps: np.ndarray
    """Mean confidence less accuracy, (bins,) or (bins, B)."""
    share: np.ndarray
    """The share of the images in each bin, (bins,)."""
    order: float
    """The order of the norm: 1, 2 or infinity."""
    power: int = 1
    """The metric is the norm to this power, as the Brier score's reliability is a square."""

    @property
    def parts(self) -> np.ndarray:
        """What the norm is taken of: gaps times share^(1 / order)."""
        return (self.gaps.T * self.share ** (1 / self.order)).T


class Estimate(NamedTuple):
    """A 95% interval of a metric."""

    low: float
    high: float
    replicates: np.ndarray
    """The metric in each resample, (B,); of an error of calibration, for gaps of size `middle`."""
    middle: float | None = None
    """Of an error of calibration, the estimate without its upward bias."""

    def to(self, power: int) -> Estimate:
        """Return the estimate of the norm to this power, which rises with the norm."""
        middle = None if self.middle is None else self.middle**power
        return Estimate(self.low**power, self.high**power, self.replicates**power, middle)


def norm(parts: np.ndarray, order: float) -> np.ndarray:
    """(sum_b |parts_b|^order)^(1 / order) over the first axis, the bins.

    It is the largest |parts_b| if the order is infinite.

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
    """Smooth gaps (bins,) over neighbouring bins.

    The width is the one of WIDTHS with the least estimated risk (Mallows's C_p).
    """
    distance = np.subtract.outer(np.arange(len(gaps)), np.arange(len(gaps)))
    best, smooth = np.inf, gaps
    for width in WIDTHS:
        kernel = np.exp(-((distance / width) ** 2) / 2) * share
        kernel /= kernel.sum(axis=1, keepdims=True)
        risk = share @ ((gaps - kernel @ gaps) ** 2 + 2 * np.diag(kernel) * variance)
        if risk < best:
            best, smooth = risk, kernel @ gaps
    return smooth


def norm_interval(observed: Binned, replicates: Binned, level: float = 0.95) -> Estimate:
    """Return an interval for the norm of the true gaps, by inversion of a test.

    It holds all sizes t under which the observed gaps are no surprise. Were the true gaps t d, with
    a shape d of norm 1, the observed norm would be |t d + e|, where the noise e is distributed as
    the replicates around the observed gaps. t is in the interval if the observed norm lies between
    the quantiles of |t d + e|; at `middle` it is the median. So 0 is in the interval unless noise
    alone would be smaller; and the observed norm, which noise has enlarged, may lie above it. The
    shape is not known, as the observed gaps are too noisy. Two are tried, and the interval holds
    what either allows: gaps spread over all bins, `smooth_gaps`, which gives the middle; and gaps
    in few bins, those beyond twice their standard error. Coverage is approximate;
    tests/metrics/test_bootstrap.py measures it.
    """
    order = observed.order
    noise = replicates.parts - observed.parts[:, None]
    size, pure = norm(observed.parts, order), norm(noise, order)
    variance = np.var(replicates.gaps, axis=1)
    far = np.where(observed.gaps**2 > 4 * variance, observed.gaps, 0)
    spread = smooth_gaps(observed.gaps, observed.share, variance)
    shapes = [observed._replace(gaps=gaps).parts for gaps in (spread, far)]
    # beyond it noise cannot make up for the size
    most = float(size + np.quantile(pure, (1 + level) / 2))

    def find_limit(shape: np.ndarray, tail: float) -> float:
        if np.quantile(pure, tail) >= size:
            return 0.0
        low, high = 0.0, most
        for _ in range(16):
            t = (low + high) / 2
            reached = np.quantile(norm(noise + t * shape, order), tail) >= size
            low, high = (low, t) if reached else (t, high)
        return (low + high) / 2

    shapes = [shape[:, None] / length for shape in shapes if (length := norm(shape, order)) > 0]
    if not shapes:
        return Estimate(0.0, most, pure, 0.0).to(observed.power)
    lows, highs = (
        [find_limit(shape, tail) for shape in shapes] for tail in ((1 + level) / 2, (1 - level) / 2)
    )
    middle = find_limit(shapes[0], 0.5)
    resampled = norm(noise + middle * shapes[0], order)
    return Estimate(min(lows), max(highs), resampled, middle).to(observed.power)


def difference_interval(one: Estimate, other: Estimate) -> tuple[float, float]:
    """Return an interval of the difference of one metric between two models.

    Both are from the same images and resamples. It is the percentile interval of the paired
    differences, except for errors of calibration: their biases would not cancel, unless both errors
    have the same size. So their interval is put together from both intervals: low = m1 - m2 -
    sqrt(a^2 + b^2 - 2 r a b), with a = m1 - low1, b = high2 - m2, the middles m, and the
    correlation r of the replicates; high likewise (Zou, Psychological Methods 12, 2007). Where one
    interval reaches 0, the correlation depends on the shape of gaps that cannot be told from noise;
    then r is -1, the worst case: from low1 - high2 to high1 - low2.
    """
    if one.middle is None or other.middle is None:
        return percentile_interval(one.replicates - other.replicates)
    r = -1.0
    if one.low > 0 and other.low > 0:
        # nan where the replicates do not vary: then the limits are the middle
        with np.errstate(invalid="ignore"):
            r = float(np.nan_to_num(np.corrcoef(one.replicates, other.replicates)[0, 1]))

    def reach(a: float, b: float) -> float:
        return float(np.sqrt(max(a**2 + b**2 - 2 * r * a * b, 0)))

    difference = one.middle - other.middle
    low = difference - reach(one.middle - one.low, other.high - other.middle)
    return low, difference + reach(one.high - one.middle, other.middle - other.low)
