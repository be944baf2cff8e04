import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest, ttest_1samp

from oecal.metrics.likelihood_metrics import bits_per_dimension, distance_from_uniform, pit
from oecal.metrics.seed_intervals import mean_interval


def test_a_uniform_model_of_bytes_needs_eight_bits():
    np.testing.assert_allclose(bits_per_dimension(np.array([-784 * np.log(256)]), 784), [8.0])


def test_interval_equals_scipy(rng):
    values = rng.normal(size=7)
    mean, half = mean_interval(values)
    low, high = ttest_1samp(values, 0).confidence_interval()
    assert (mean - half, mean + half) == pytest.approx((low, high))


def test_one_value_has_no_interval():
    mean, half = mean_interval(np.array([3.0]))
    assert mean == 3.0
    assert np.isnan(half)


def test_pit_is_uniform_on_new_images_and_takes_ties_in_the_middle(rng):
    np.testing.assert_allclose(
        pit(np.array([-1.0, 0, 1, 2, 9]), np.array([0, 1, 1, 2])), [0.1, 0.2, 0.5, 0.8, 0.9]
    )
    p = pit(rng.normal(size=4000), rng.normal(size=4000))
    assert distance_from_uniform(p) < 0.04
    assert abs((p <= 0.05).mean() - 0.05) < 0.015


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_distance_from_uniform_is_that_of_scipy(p):
    np.testing.assert_allclose(
        distance_from_uniform(np.array(p)), kstest(p, "uniform").statistic, atol=1e-12
    )
