"""Promises of thresholds are kept, and not by promising nothing."""

import numpy as np
import pytest
from scipy.stats import beta, binom

from oecal.metrics.guarantees import (
    clopper_pearson,
    fewest_images,
    select_error_threshold,
    select_rejection_threshold,
)

REPEATS = 400


def allowed(share):
    """Broken promises among REPEATS that chance explains: exceeded once in 1,000 times."""
    return int(binom.ppf(0.999, REPEATS, share))


@pytest.mark.parametrize(("k", "n"), [(0, 10), (3, 10), (10, 10), (7, 400)])
def test_limits_invert_the_binomial_test(k, n):
    low, high = clopper_pearson(k, n, 0.95)
    assert binom.cdf(k, n, high) == pytest.approx(0.05) if k < n else high == 1
    assert binom.sf(k - 1, n, low) == pytest.approx(0.05) if k > 0 else low == 0


def test_limits_of_arrays():
    low, high = clopper_pearson(np.arange(3), np.array([5, 50, 500]), 0.975)
    np.testing.assert_allclose(high, beta.ppf(0.975, [1, 2, 3], [5, 49, 498]))
    np.testing.assert_allclose(low, [0, *beta.ppf(0.025, [1, 2], [50, 499])])


def test_fewest():
    assert [fewest_images(0.05, 0.95), fewest_images(0.01, 0.95), fewest_images(0.5, 0.75)] == [
        59,
        299,
        2,
    ]


def test_rejection_needs_enough_images(rng):
    scores = rng.normal(size=59)
    assert select_rejection_threshold(scores[:58], 0.05).threshold is None
    found = select_rejection_threshold(scores, 0.05)
    assert (found.threshold, found.n) == (scores.max(), 59)
    assert found.bound == pytest.approx(1 - 0.05 ** (1 / 59))


def test_rejection_is_kept_as_often_as_said(rng):
    """The share of validation draws whose threshold rejects more than promised: at most 5%, and not
    far less.
    """
    n = 1000
    found = [select_rejection_threshold(rng.uniform(size=n), 0.05) for _ in range(REPEATS)]
    rejected = np.array([1 - t.threshold for t in found])  # scores are uniform: the rate is known
    assert np.count_nonzero(rejected > 0.05) <= allowed(0.05)
    assert np.count_nonzero(rejected > 0.05) >= int(binom.ppf(0.001, REPEATS, 0.03))
    assert rejected.mean() > 0.035
    assert np.mean([t.bound for t in found]) <= 0.05


def test_rejection_with_ties(rng):
    """Ten equally frequent values: the rate is a multiple of a tenth, and 0 must be chosen."""
    broken = 0
    for _ in range(REPEATS):
        found = select_rejection_threshold(rng.integers(10, size=300), 0.15)
        broken += (9 - found.threshold) / 10 > 0.15
    assert broken <= allowed(0.05)
    assert select_rejection_threshold(np.zeros(300), 0.05).threshold == 0


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_errors_are_kept_as_often_as_said(rng, confidence):
    """An image of score s is wrong with probability s / 4, s uniform: the error rate among those
    accepted at t is t / 8.
    """
    kept, thresholds = 0, []
    for _ in range(REPEATS):
        scores = rng.uniform(size=1000)
        found = select_error_threshold(
            scores, rng.uniform(size=1000) < scores / 4, 0.08, confidence
        )
        thresholds.append(np.nan if found.threshold is None else found.threshold)
        kept += found.threshold is None or found.threshold / 8 <= 0.08
    assert REPEATS - kept <= allowed(1 - confidence)
    assert np.isnan(thresholds).mean() < 0.15
    assert 0.4 < np.nanmedian(thresholds) < 0.64  # 0.64 is the largest that keeps it


def test_errors_of_a_score_in_no_order(rng):
    """The error rate is the same at each threshold, just above the level: hardly a threshold may be
    found.
    """
    found = [
        select_error_threshold(rng.uniform(size=500), rng.uniform(size=500) < 0.0501, 0.05)
        for _ in range(REPEATS)
    ]
    assert sum(t.threshold is not None for t in found) <= allowed(0.05)


def test_errors_that_the_score_does_not_tell(rng):
    """2% are wrong whatever the score: the strictest test often fails, and yet mostly nearly all
    are accepted.
    """
    found = [
        select_error_threshold(rng.uniform(size=400), rng.uniform(size=400) < 0.02, 0.05).threshold
        for _ in range(REPEATS)
    ]
    assert np.mean([t is not None and t > 0.95 for t in found]) > 0.6


def test_errors_with_ties(rng):
    """Five values, of which the last is wrong twice as often as is promised."""
    rates, broken, loosest = np.array([0.0, 0.0, 0.05, 0.05, 0.3]), 0, []
    for _ in range(REPEATS):
        scores = rng.integers(5, size=400)
        found = select_error_threshold(scores, rng.uniform(size=400) < rates[scores], 0.06)
        broken += found.threshold is not None and rates[: int(found.threshold) + 1].mean() > 0.06
        loosest.append(-1 if found.threshold is None else found.threshold)
    assert broken <= allowed(0.05)
    assert np.median(loosest) == 3


def test_errors_without_any_and_with_all(rng):
    scores = rng.normal(size=200)
    found = select_error_threshold(scores, np.zeros(200), 0.05)
    assert (found.threshold, found.bound) == (scores.max(), pytest.approx(1 - 0.05 ** (1 / 200)))
    assert select_error_threshold(scores, np.ones(200), 0.05).threshold is None
    assert select_error_threshold(scores[:58], np.zeros(58), 0.05).threshold is None
