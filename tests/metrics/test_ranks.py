"""Ranks against Demsar's numbers, SciPy and a count by hand."""

import numpy as np
import pytest
from scipy.stats import friedmanchisquare

from oecal.metrics.ranks import critical_difference, friedman, mean_ranks


def test_ranks_by_hand():
    values = np.array([[0.9, 0.8, 0.7], [0.9, 0.9, 0.1], [0.5, 0.6, 0.4]])
    np.testing.assert_allclose(mean_ranks(values), [(1 + 1.5 + 2) / 3, (2 + 1.5 + 1) / 3, 3])


@pytest.mark.parametrize("k, q", [(2, 1.960), (3, 2.343), (5, 2.728), (10, 3.164)])
def test_critical_difference_is_that_of_demsar(k, q):
    """His table 5(a), q at 0.05."""
    assert critical_difference(k, 14) == pytest.approx(
        q * np.sqrt(k * (k + 1) / (6 * 14)), abs=1e-3
    )


def test_the_example_of_demsar():
    """Section 3.2.3: 4 classifiers on 14 data sets have a critical difference of 2.569 sqrt(4 5 /
    (6 14)) = 1.25.
    """
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)


def test_friedman_is_that_of_scipy(rng):
    for values in (
        rng.random((12, 7)),
        rng.integers(0, 3, (6, 5)).astype(float),
        rng.random((2, 40)),
    ):
        found = friedman(values)
        np.testing.assert_allclose(found, friedmanchisquare(*values.T), rtol=1e-9)
        assert found == pytest.approx(friedman(-values))


def test_friedman_where_nothing_differs():
    assert friedman(np.ones((4, 3))) == (0.0, 1.0)
    assert friedman(np.ones((4, 1))) == (0.0, 1.0)
    statistic, p = friedman(
        np.tile([1.0, 2.0], (5, 1))
    )  # always the same order, k = 2: chi2 = N, 1 degree of freedom
    assert statistic == pytest.approx(5)
    assert p == pytest.approx(0.0253, abs=1e-4)
