import numpy as np
import pytest
from scipy.stats import ttest_1samp

from oecal.metrics.intervals import mean_interval
from oecal.metrics.likelihood import bits_per_dimension


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
