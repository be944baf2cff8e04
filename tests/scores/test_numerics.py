from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import log_softmax as scipy_log_softmax
from scipy.stats import entropy as scipy_entropy

from oecal.scores import numerics

rows = st.integers(2, 8).flatmap(
    lambda k: arrays(np.float32, (3, k), elements=st.floats(-1e4, 1e4, width=32))
)


def exact(logits):
    """1 - max p and H(p) of one row of logits, in 400 decimal digits."""
    with localcontext() as context:
        context.prec = 400
        weights = [(Decimal(float(z)) - Decimal(float(max(logits)))).exp() for z in logits]
        p = sorted(w / sum(weights) for w in weights)
        return float(sum(p[:-1])), float(-sum(q * q.ln() for q in p))


@pytest.mark.parametrize("gap", [0, 1e-3, 0.7, 5, 36, 40, 200, 700])
def test_precision_at_any_gap(gap):
    z = np.array([[gap, 0.0, -1.5, -1e4]], np.float32)
    log_p = numerics.log_softmax(z)
    doubt, entropy = exact(z[0])
    np.testing.assert_allclose(numerics.one_minus_max(log_p), doubt, rtol=1e-13, atol=0)
    np.testing.assert_allclose(numerics.entropy(log_p), entropy, rtol=1e-13, atol=0)


def test_log_softmax_equals_scipy_where_scipy_can_tell(rng):
    z = rng.normal(0, 5, (2, 30, 7))
    np.testing.assert_allclose(numerics.log_softmax(z), scipy_log_softmax(z, axis=-1), rtol=1e-9)
    assert scipy_log_softmax([200.0, 0.0])[0] == 0  # here it cannot
    assert numerics.log_softmax(np.array([200.0, 0.0]))[0] == -np.exp(-200)


@given(rows)
def test_bounds_and_symmetry(z):
    log_p, k = numerics.log_softmax(z), z.shape[1]
    for values, most in (
        (numerics.one_minus_max(log_p), 1 - 1 / k),
        (numerics.entropy(log_p), np.log(k)),
    ):
        assert (values >= 0).all()
        assert (values <= most * (1 + 1e-12)).all()
    assert (log_p <= 0).all()
    np.testing.assert_allclose(numerics.log_softmax(z[:, ::-1]), log_p[:, ::-1], rtol=1e-13)
    np.testing.assert_allclose(
        numerics.log_softmax(z.astype(np.float64) + 1024), log_p, rtol=1e-13, atol=1e-9
    )


def test_means_and_stored_probabilities_keep_the_doubt_of_the_largest():
    doubts = np.array([[1e-30, 1e-200], [3e-30, 5e-200]])
    log_p = np.stack(
        [np.log1p(-doubts), np.log(doubts)], axis=-1
    )  # (2 passes, 2 images, 2 classes)
    np.testing.assert_allclose(
        numerics.one_minus_max(numerics.log_mean(log_p)), [2e-30, 3e-200], rtol=1e-12
    )
    np.testing.assert_allclose(
        numerics.one_minus_max(numerics.log_probabilities(np.exp(log_p).mean(axis=0))),
        [2e-30, 3e-200],
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        numerics.entropy(numerics.log_mean(log_p)),
        doubts.mean(axis=0) * (1 - np.log([2e-30, 3e-200])),
        rtol=1e-12,
    )


def test_stored_probabilities(rng):
    p = rng.dirichlet(np.ones(5), 50)
    np.testing.assert_allclose(
        numerics.one_minus_max(numerics.log_probabilities(p)), 1 - p.max(axis=1)
    )
    np.testing.assert_allclose(
        numerics.entropy(numerics.log_probabilities(p)), scipy_entropy(p, axis=1)
    )
    np.testing.assert_allclose(numerics.log_mean(np.log(p)), np.log(p.mean(axis=0)))
    never = numerics.log_probabilities(np.array([[1.0, 0.0, 0.0]]))
    assert np.isfinite(never).all()
    assert numerics.one_minus_max(never) == pytest.approx(0, abs=1e-300)
    assert numerics.entropy(never) == pytest.approx(0, abs=1e-300)
