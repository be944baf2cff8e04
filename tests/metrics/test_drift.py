"""The sequential test for drift: exact p-values, false alarms as promised, quick where much
changes.
"""

import numpy as np
import pytest
from scipy.stats import binom, kstest

from oecal.metrics.drift_detection import count_earlier_larger, find_alarms, p_values, wealth


class Half:
    """In place of a generator: ties count half."""

    def uniform(self, size):
        return np.full(size, 0.5)


@pytest.mark.parametrize("length", [1, 2, 64, 65, 200])
def test_earlier_larger_counts(rng, length):
    ranks = np.array([rng.permutation(length) for _ in range(3)])
    expected = [[np.count_nonzero(line[:t] > line[t]) for t in range(length)] for line in ranks]
    np.testing.assert_array_equal(count_earlier_larger(ranks), expected)


@pytest.mark.parametrize("dtype", [np.float64, np.uint8])
def test_p_values_are_those_of_the_definition(rng, dtype):
    val, streams = (
        rng.integers(20, size=50).astype(dtype),
        rng.integers(20, size=(4, 90)).astype(dtype),
    )
    found = p_values(val, streams, Half())
    for line, p in zip(streams, found, strict=True):
        for t in range(90):
            seen = np.concatenate([val, line[: t + 1]])
            expected = (
                np.count_nonzero(seen > line[t]) + 0.5 * np.count_nonzero(seen == line[t])
            ) / len(seen)
            assert p[t] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("values", [1000000, 5])
def test_p_values_are_uniform_and_independent(rng, values):
    p = np.concatenate(
        [
            p_values(rng.integers(values, size=30), rng.integers(values, size=(1, 100)), rng)
            for _ in range(300)
        ]
    )
    assert kstest(p.ravel(), "uniform").pvalue > 1e-3
    assert (
        kstest(p.mean(axis=1) * np.sqrt(12 * 100) - 0.5 * np.sqrt(12 * 100), "norm").pvalue > 1e-3
    )  # as a sum of independent ones
    assert abs(np.corrcoef(p[:, :-1].ravel(), p[:, 1:].ravel())[0, 1]) < 4 / np.sqrt(300 * 99)


def test_wealth_is_a_martingale(rng):
    after = wealth(rng.uniform(size=(40_000, 20)))
    assert after[:, 0].mean() == pytest.approx(1, abs=0.01)
    assert after[:, -1].mean() == pytest.approx(1, abs=0.01)
    assert (after > 0).all()


def test_first_alarm():
    stream = np.array([[1.0, 50, 100, 20, 300], [1, 2, 3, 4, 99]])
    assert find_alarms(stream, 0.01).tolist() == [2, -1]


@pytest.mark.parametrize("alpha", [0.01, 0.1])
def test_false_alarms_are_as_rare_as_promised(rng, alpha):
    """1,000 streams of ID images, each with validation images of its own: its first 100."""
    p = p_values(np.zeros(0), rng.normal(size=(1000, 1100)), rng)[:, 100:]
    false = np.count_nonzero(find_alarms(wealth(p), alpha) >= 0)
    assert false <= binom.ppf(0.999, 1000, alpha)


def test_a_fifth_of_ood_images_is_noticed_soon(rng):
    """OOD scores 3 standard deviations up, from the 500th image on."""
    streams = rng.normal(size=(100, 1000))
    streams[:, 500:] += 3 * (rng.uniform(size=(100, 500)) < 0.2)
    found = find_alarms(wealth(p_values(rng.normal(size=500), streams, rng)), 0.01)
    assert np.count_nonzero((found >= 0) & (found < 500)) <= 5
    late = found[found >= 500] - 500
    assert len(late) >= 95
    assert np.median(late) < 80


def test_much_wealth_stays_finite():
    assert np.isfinite(wealth(np.full((1, 3000), 1e-6))).all()
