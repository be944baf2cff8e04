"""Tests over seeds: SciPy, closed forms and simulation agree; Holm's correction by hand."""

import numpy as np
import pytest
from scipy import stats

from oecal.metrics.seed_intervals import mean_interval
from oecal.metrics.significance import cohens_d, difference, equivalence, holm, t_test


@pytest.mark.parametrize("n", [2, 3, 10])
def test_t_test_is_that_of_scipy(rng, n):
    values = rng.normal(0.3, 1, n)
    for than in (-1.0, 0.0, 0.4):
        np.testing.assert_allclose(
            t_test(values, than), stats.ttest_1samp(values, than).pvalue, rtol=1e-12
        )


@pytest.mark.parametrize("than", [0.0, 0.5])
def test_equivalence_is_the_larger_of_two_tests_of_scipy(rng, than):
    values = rng.normal(than + 0.1, 0.5, 8)
    low = stats.ttest_1samp(values, than - 0.4, alternative="greater").pvalue
    high = stats.ttest_1samp(values, than + 0.4, alternative="less").pvalue
    np.testing.assert_allclose(equivalence(values, 0.4, than), max(low, high), rtol=1e-12)
    one_sided = [
        stats.ttest_1samp(values, b, alternative=a).pvalue
        for b, a in ((than - 0.4, "less"), (than + 0.4, "greater"))
    ]
    np.testing.assert_allclose(
        difference(values, 0.4, than), min(1, 2 * min(one_sided)), rtol=1e-12
    )


def test_closed_forms():
    """With one degree of freedom t is Cauchy: P(t > x) = 1/2 - arctan(x) / pi.

    Of 1 and 3, mean 2, t against 0 is 2 and against 5 is -3.
    """
    values = np.array([1.0, 3.0])
    np.testing.assert_allclose(t_test(values), 1 - 2 * np.arctan(2) / np.pi, rtol=1e-12)
    np.testing.assert_allclose(
        equivalence(values, 5.0), 0.5 - np.arctan(3) / np.pi, rtol=1e-12
    )  # the other one: t = 7
    np.testing.assert_allclose(
        difference(values, 1.0), 2 * (0.5 - np.arctan(1) / np.pi), rtol=1e-12
    )
    np.testing.assert_allclose(difference(values, 0.0), t_test(values), rtol=1e-12)
    np.testing.assert_allclose(cohens_d(values, 1.0), 1 / np.sqrt(2), rtol=1e-12)


def test_within_and_outside_never_both(rng):
    for _ in range(200):
        values = rng.normal(rng.uniform(-2, 2), rng.uniform(0.01, 1), 4)
        assert max(equivalence(values, 1.0), difference(values, 1.0)) >= 0.5


@pytest.mark.parametrize("values", [[], [0.3], [0.3, 0.3, 0.3], [0.3, np.nan, 0.4]])
def test_without_a_test_there_is_no_p(values):
    values = np.array(values)
    for p in (
        t_test(values),
        t_test(values, 0.3),
        equivalence(values, 1.0),
        difference(values, 0.1),
        cohens_d(values),
    ):
        assert np.isnan(p)


def test_holm():
    """Holm's own procedure, by hand: 4 x 0.005, then max(0.02, 3 x 0.01), then max(0.03, 2 x 0.03),
    then max(0.06, 0.04).
    """
    np.testing.assert_allclose(
        holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02], rtol=1e-12
    )
    np.testing.assert_allclose(
        holm(np.array([0.01, np.nan, 0.04, 0.03, 0.005])),
        [0.03, np.nan, 0.06, 0.06, 0.02],
        rtol=1e-12,
    )
    np.testing.assert_array_equal(holm(np.array([0.5, 0.9])), [1, 1])
    np.testing.assert_array_equal(holm(np.array([np.nan])), [np.nan])
    assert holm(np.zeros(0)).size == 0


def test_holm_lies_between_no_correction_and_bonferroni(rng):
    p = rng.uniform(size=50) ** 3
    adjusted = holm(p)
    assert (p <= adjusted).all()
    assert (adjusted <= np.minimum(1, len(p) * p)).all()
    assert (np.diff(adjusted[np.argsort(p)]) >= 0).all()


def test_holm_keeps_the_rate_of_any_false_rejection(rng):
    """Ten claims of which eight are nothing: some of the eight is rejected in at most 5% of the
    studies, without correction in a third.
    """
    false, uncorrected = [], []
    for _ in range(1500):
        p = np.array([t_test(values) for values in rng.normal([0.0] * 8 + [4.0] * 2, 1, (5, 10)).T])
        false.append((holm(p)[:8] <= 0.05).any())
        uncorrected.append((p[:8] <= 0.05).any())
    assert np.mean(false) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1500)
    assert np.mean(uncorrected) > 0.25


@pytest.mark.parametrize("n", [3, 5, 10])
def test_the_interval_covers(rng, n):
    """95% intervals over n seeds cover 93 to 97% of the time.

    Paired differences of correlated seeds do, too.
    """
    base = rng.normal(0.6, 0.1, (4000, n))
    change = -0.2 + rng.normal(0, 0.03, (4000, n))
    covered = []
    for before, after in zip(base, base + change, strict=True):
        mean, half = mean_interval(after - before)
        covered.append(abs(mean + 0.2) <= half)
    assert 0.93 <= np.mean(covered) <= 0.97


def test_equivalence_keeps_its_level(rng):
    """A mean on the border is called within the margin in 5% of the studies.

    One beyond it, less often.
    """
    share = [
        np.mean([equivalence(values, 1.0) <= 0.05 for values in rng.normal(mean, 0.3, (2000, 5))])
        for mean in (1.0, 1.2)
    ]
    assert 0.035 <= share[0] <= 0.065
    assert share[1] < 0.02
