"""Bootstrap intervals of calibration metrics over test images, of one trained model; they say nothing of other seeds or training sets.

Each resample draws as many images as there are, with replacement, ID images and those of each OOD set by themselves. Means and ratios of
means get the percentile interval (Efron & Tibshirani, 1993). An error of calibration does not: it is a norm of the gaps of the bins, to
which noise only adds, so a percentile interval would call every calibrated model miscalibrated; `norm_interval` is what it gets.

Notation: N images, B resamples, D distinct confidences. A resample is a weight per image, how often it is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from oecal.metrics.calibration import by_rank, by_width
from oecal.metrics.resamples import drawn, percentile_interval

CELLS = 1_000_000  # weights of so many images times resamples at a time, 8 MB
WIDTHS = (0.1, 1.0, 2.0, 4.0, 8.0, 16.0, 1e9)  # of the smoothing of gaps, in bins: from none to their mean


class Binned(NamedTuple):
    """Gaps of bins, mean confidence less accuracy, (bins,) or (bins, B); the share of the images in each, (bins,); the norm's order."""

    gaps: np.ndarray
    share: np.ndarray
    order: int

    @property
    def parts(self) -> np.ndarray:
        """What the norm is taken of: gaps times share^(1 / order)."""
        return (self.gaps.T * self.share ** (1 / self.order)).T


class Estimate(NamedTuple):
    """Limits of a 95% interval, and the metric in each resample, (B,).

    Of an error of calibration `middle` is the estimate without the bias upwards, and the resamples are those of gaps of this size.
    """

    low: float
    high: float
    replicates: np.ndarray
    middle: float | None = None


Statistics = Callable[[np.ndarray], dict[str, Any]]


def resampled(strata: Sequence[tuple[int, np.random.Generator]], resamples: int) -> Iterator[np.ndarray]:
    """Weights (N, b), some resamples at a time; strata: number of images, in their order, and where their resamples come from."""
    n = sum(size for size, _ in strata)
    most = max(CELLS // n, 1)
    for start in range(0, resamples, most):
        b = min(most, resamples - start)
        yield np.concatenate([drawn(size, b, rng) for size, rng in strata]).astype(np.float64)


def statistics(
    confidence: np.ndarray, correct: np.ndarray, losses: Mapping[str, np.ndarray], bins: int = 15, size: int = 100
) -> Statistics:
    """A function from weights (N, b) to each metric (b,), and for ece, rms and mad to the gaps of their bins.

    With weights of 1 they are those of oecal.metrics.calibration. losses: further metrics that are means over images, (N,) each. All
    others depend on how many right and how many wrong images have each confidence. The bins are the same in all resamples.
    """
    from scipy.sparse import csr_array

    n, correct = len(confidence), np.asarray(correct, bool)
    values, group, counts = np.unique(confidence, return_inverse=True, return_counts=True)
    of_right, of_wrong = (
        csr_array((np.ones(len(i)), (group[i], i)), (len(values), n)) for i in (np.flatnonzero(correct), np.flatnonzero(~correct))
    )
    used, place = np.unique(by_width(values, bins), return_inverse=True)
    width = csr_array((np.ones(len(values)), (place, np.arange(len(values)))), (len(used), len(values)))
    at_rank = np.repeat(np.arange(len(values)), counts)  # ties are spread evenly over their ranks
    mass = csr_array((1 / counts[at_rank], (by_rank(n, size), at_rank)), (max(n // size, 1), len(values)))
    width_share, mass_share, doubt = width @ counts / n, mass @ counts / n, 1 - values

    def of(weights: np.ndarray) -> dict[str, Any]:
        right, wrong = of_right @ weights, of_wrong @ weights  # (D, b)
        both = right + wrong
        excess = values[:, None] * both - right
        rights, wrongs = right.sum(axis=0), wrong.sum(axis=0)
        in_doubt = doubt @ both + wrongs
        less_sure = np.cumsum(wrong, axis=0) - wrong / 2
        with np.errstate(invalid="ignore"):  # nan where a resample has no error, or nothing right
            auroc = np.einsum("db,db->b", right, less_sure) / (rights * wrongs)
        gaps = (mass @ excess) / (mass @ both)
        return {
            "accuracy": rights / n,
            "ece": Binned((width @ excess) / n / width_share[:, None], width_share, 1),
            "rms": Binned(gaps, mass_share, 2),
            "mad": Binned(gaps, mass_share, 1),
            "soft_f1": np.divide(2 * doubt @ wrong, in_doubt, out=np.zeros_like(in_doubt), where=in_doubt > 0),
            "mean_confidence": values @ both / n,
            "error_auroc": auroc,
            **{name: loss @ weights / n for name, loss in losses.items()},
        }

    return of


def norm(parts: np.ndarray, order: int) -> np.ndarray:
    """Over the bins, the first axis."""
    return np.abs(parts).sum(axis=0) if order == 1 else np.sqrt((parts**2).sum(axis=0))


def smoothed(gaps: np.ndarray, share: np.ndarray, variance: np.ndarray) -> np.ndarray:
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

    Were the true gaps t d, with a shape d of norm 1, one would find |t d + e|, where the noise e is distributed as the replicates around
    what was found. t is in the interval if the norm found lies between the quantiles of |t d + e|; middle: where it is the median. So 0 is
    in it unless noise alone would be smaller; and the norm found, which noise has enlarged, may lie above it. The shape is not known:
    the gaps found have too much noise in them. Two are tried, and the interval holds what either allows: gaps spread over all bins,
    `smoothed`, which gives the middle; and gaps in few bins, those beyond twice their standard error. Coverage is approximate;
    tests/metrics/test_bootstrap.py measures it.
    """
    noise = replicates.parts - found.parts[:, None]
    seen, pure = norm(found.parts, found.order), norm(noise, found.order)
    variance = np.var(replicates.gaps, axis=1)
    far = np.where(found.gaps**2 > 4 * variance, found.gaps, 0)
    shapes = [found._replace(gaps=g).parts for g in (smoothed(found.gaps, found.share, variance), far)]
    most = float(seen + np.quantile(pure, (1 + level) / 2))  # beyond it noise cannot make up for the size

    def limit(shape: np.ndarray, tail: float) -> float:
        if np.quantile(pure, tail) >= seen:
            return 0.0
        low, high = 0.0, most
        for _ in range(16):
            t = (low + high) / 2
            low, high = (low, t) if np.quantile(norm(noise + t * shape, found.order), tail) >= seen else (t, high)
        return (low + high) / 2

    shapes = [shape[:, None] / size for shape in shapes if (size := norm(shape, found.order)) > 0]
    if not shapes:
        return Estimate(0.0, most, pure, 0.0)
    lows, highs = ([limit(shape, tail) for shape in shapes] for tail in ((1 + level) / 2, (1 - level) / 2))
    middle = limit(shapes[0], 0.5)
    return Estimate(min(lows), max(highs), norm(noise + middle * shapes[0], found.order), middle)


def difference_interval(one: Estimate, other: Estimate) -> tuple[float, float]:
    """One metric of two models on the same images and resamples: the percentile interval of the paired differences.

    The biases of two errors of calibration would not cancel in it, unless both are of one size. Their interval is put together from
    both intervals: low = m1 - m2 - sqrt(a^2 + b^2 - 2 r a b), with a = m1 - low1, b = high2 - m2, the middles m, and the correlation r of
    the replicates; high likewise (Zou, Psychological Methods 12, 2007). Where one of both reaches 0, the correlation depends on the shape
    of gaps that cannot be told from noise; then r is -1, the worst: from low1 - high2 to high1 - low2.
    """
    if one.middle is None or other.middle is None:
        return percentile_interval(one.replicates - other.replicates)
    r = -1.0
    if one.low > 0 and other.low > 0:
        with np.errstate(invalid="ignore"):  # nan where the replicates do not vary: then the limits are the middle
            r = float(np.nan_to_num(np.corrcoef(one.replicates, other.replicates)[0, 1]))

    def reach(a: float, b: float) -> float:
        return float(np.sqrt(max(a**2 + b**2 - 2 * r * a * b, 0)))

    difference = one.middle - other.middle
    low = difference - reach(one.middle - one.low, other.high - other.middle)
    return low, difference + reach(one.high - one.middle, other.middle - other.low)


def bootstrap(of: Statistics, weights: Iterator[np.ndarray], n: int) -> dict[str, Estimate]:
    """Each metric of `statistics`, from the weights of `resampled` for n images."""
    chunks = [of(w) for w in weights]
    estimates = {}
    for name, found in of(np.ones((n, 1))).items():
        if isinstance(found, Binned):
            gaps = np.concatenate([chunk[name].gaps for chunk in chunks], axis=1)
            estimates[name] = norm_interval(found._replace(gaps=found.gaps[:, 0]), found._replace(gaps=gaps))
        else:
            replicates = np.concatenate([chunk[name] for chunk in chunks])
            estimates[name] = Estimate(*percentile_interval(replicates), replicates)
    return estimates
