"""Thresholds from validation scores, with a guarantee that holds for a finite number of images.

An image is accepted if and only if its score is at most the threshold. Both guarantees rest on the
binomial distribution alone, whatever the distribution of the scores, and hold for images from the
distribution of the validation images. Their probability is over the draw of these.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

GRID = 25  # accepted counts that are tried
# Where the sequence of tests among them starts: where errors have little to do with the score, the
# strictest test is the weakest
STARTS = 3


@dataclass(frozen=True)
class Threshold:
    """A threshold and how it was selected."""

    threshold: float | None
    """None if no threshold has the guarantee."""
    n: int
    """Number of images that it was selected on."""
    bound: float | None
    """Upper confidence limit of the rate at the threshold; None without a threshold."""


def clopper_pearson(
    events: np.ndarray | int, n: np.ndarray | int, confidence: float
) -> tuple[np.ndarray, np.ndarray]:
    """One-sided lower and upper confidence limits of a probability, each at `confidence`, exact.

    Clopper & Pearson (Biometrika 1934): quantiles of Beta(k, n - k + 1) at 1 - confidence and of
    Beta(k + 1, n - k) at confidence; 0 for k = 0 and 1 for k = n. Both together are an interval at
    2 confidence - 1. Shapes broadcast.

    >>> low, high = clopper_pearson(np.array([0, 5]), 100, 0.95)
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.0, 0.02], [0.03, 0.102])
    """
    from scipy.special import betaincinv

    k, n = np.asarray(events, np.float64), np.asarray(n, np.float64)
    low = np.where(k > 0, betaincinv(np.maximum(k, 1), n - k + 1, 1 - confidence), 0.0)
    high = np.where(k < n, betaincinv(k + 1, np.maximum(n - k, 1), confidence), 1.0)
    return low, high


def fewest_images(level: float, confidence: float) -> int:
    """Return the smallest n from which `level` can be guaranteed: (1 - level)^n <= 1 - confidence.

    Fewer images show nothing, even without a single event.

    >>> fewest_images(0.05, 0.95)
    59
    """
    return int(np.ceil(np.log1p(-confidence) / np.log1p(-level) - 1e-9))


def select_rejection_threshold(
    scores: np.ndarray, level: float, confidence: float = 0.95
) -> Threshold:
    """Return the smallest threshold that rejects at most `level` of ID images.

    It does so with probability >= `confidence`; scores (N,) of ID validation images. It is the
    order statistic s_(N-k): an image of the same distribution exceeds it with a probability that is
    Beta(k + 1, N - k), or smaller where scores are tied (Wilks, Ann. Math. Stat. 1941). k is the
    largest number whose upper Clopper-Pearson limit, k of N, is at most `level`. There is no
    threshold if N is too small, (1 - level)^N > 1 - confidence: a guarantee of 5% at 0.95 needs 59
    images.

    >>> select_rejection_threshold(np.arange(58), level=0.05)
    Threshold(threshold=None, n=58, bound=None)
    >>> select_rejection_threshold(np.arange(100), level=0.05).threshold
    98.0
    """
    ordered = np.sort(np.asarray(scores, np.float64))
    n = len(ordered)
    _, bounds = clopper_pearson(np.arange(n), n, confidence)  # ascending
    k = int(np.searchsorted(bounds, level, side="right")) - 1
    return (
        Threshold(float(ordered[n - 1 - k]), n, float(bounds[k]))
        if k >= 0
        else Threshold(None, n, None)
    )


def select_error_threshold(
    scores: np.ndarray, errors: np.ndarray, level: float, confidence: float = 0.95
) -> Threshold:
    """Return the largest threshold at which at most `level` of the accepted images are errors.

    It holds with probability >= `confidence`. scores, errors: (N,), errors 1 or 0. Learn then Test
    (Angelopoulos et al. 2021, arXiv 2110.01052, fixed-sequence testing with several starts):
    thresholds that accept from a quarter of the images, but at least as many as can show anything
    (`fewest_images`), up to all of them, in equal steps; from strict to loose, each with the exact
    binomial test of a larger error rate among the accepted. The starts are a third of the way
    apart, and each gets an equal share of alpha = 1 - confidence; a test that rejects passes what
    it had to the next one, a test that does not loses it (the fallback procedure of Wiens, Pharm.
    Stat. 2003). The loosest threshold that passed its test is taken; there is none if none did.
    bound: the upper Clopper-Pearson limit at `confidence`.

    The thresholds are order statistics. Where the error rate does not fall as the threshold grows,
    which is what a score is for, all those beyond the true limit have binomial errors below the
    limit and more likely ones above, so the guarantee is exact. For a score in another order each
    single test is exact, but the whole sequence is not proven to be.

    >>> scores = np.arange(200)
    >>> select_error_threshold(scores, scores >= 100, level=0.1).threshold
    99.0
    """
    from scipy.special import betainc

    scores, alpha = np.asarray(scores, np.float64), 1 - confidence
    order = np.argsort(scores, kind="stable")
    ordered, wrong, n = scores[order], np.cumsum(np.asarray(errors, np.int64)[order]), len(scores)
    if n < fewest_images(level, confidence):
        return Threshold(None, n, None)
    strictest = max(min(fewest_images(level, 1 - alpha / STARTS), n), n // 4)
    counts = np.unique(np.linspace(strictest, n, GRID).astype(int))
    # those tied with the threshold are accepted, too
    accepted = np.searchsorted(ordered, ordered[counts - 1], side="right")
    events = wrong[accepted - 1]
    # P(binomial(accepted, level) <= events)
    p = np.where(
        events < accepted, betainc(np.maximum(accepted - events, 1), events + 1, 1 - level), 1.0
    )
    shares = (
        np.bincount(np.arange(STARTS) * len(counts) // STARTS, minlength=len(counts))
        * alpha
        / STARTS
    )
    budget, passed = 0.0, -1
    for j, share in enumerate(shares):
        budget += share
        if budget > 0 and p[j] <= budget:
            passed = j
        else:
            budget = 0.0
    if passed < 0:
        return Threshold(None, n, None)
    _, bound = clopper_pearson(int(events[passed]), int(accepted[passed]), confidence)
    return Threshold(float(ordered[accepted[passed] - 1]), n, float(bound))
