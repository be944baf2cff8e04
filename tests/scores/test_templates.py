from decimal import Decimal, localcontext

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pytorch_ood.detector import KLMatching
from scipy.special import rel_entr, softmax

from oecal.scores.templates import kl_matching


@pytest.fixture
def val(rng):
    return rng.normal(0, 3, (300, 6)).astype(np.float32)


def peer(z, val):
    return (
        KLMatching(None)
        .fit_logits(torch.from_numpy(val).double())
        .predict_logits(torch.from_numpy(z).double())
        .numpy()
    )


def test_equals_pytorch_ood(rng, val):
    z = rng.normal(0, 3, (100, 6)).astype(np.float32)
    np.testing.assert_allclose(kl_matching(z, val), peer(z, val), rtol=1e-5)
    without = val[val.argmax(axis=1) != 2]  # no image is taken for class 2: no template
    np.testing.assert_allclose(kl_matching(z, without), peer(z, without), rtol=1e-5)


def test_by_hand():
    val = np.log([[0.8, 0.2], [0.6, 0.4], [0.1, 0.9]])
    z = np.log([[0.7, 0.3], [0.5, 0.5]])
    found = kl_matching(z, val)
    assert found[0] == pytest.approx(0, abs=1e-15)  # the mean of the first two
    assert found[1] == pytest.approx(0.5 * np.log(0.5 / 0.7) + 0.5 * np.log(0.5 / 0.3))


@given(arrays(np.float32, (3, 4), elements=st.floats(-1e4, 1e4, width=32)))
def test_bounds_and_invariance(z):
    val = np.random.default_rng(0).normal(0, 3, (50, 4)).astype(np.float32)
    values = kl_matching(z, val)
    assert (values >= 0).all()
    assert np.isfinite(values).all()
    np.testing.assert_allclose(kl_matching(z[:, ::-1], val[:, ::-1]), values, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(
        kl_matching(z.astype(float) - 512, val), values, rtol=1e-9, atol=1e-11
    )


def kl(z, template):
    """KL(softmax(z) || softmax(template)) in 400 digits."""
    with localcontext() as context:
        context.prec = 400
        p, q = (
            [w / sum(weights) for w in weights]
            for weights in ([Decimal(float(v)).exp() for v in row] for row in (z, template))
        )
        return float(sum(a * (a / b).ln() for a, b in zip(p, q, strict=True)))


def test_saturated():
    """Where p_max rounds to 1 the peer loses the term of the largest class, which is as large as
    the others: its KL falls below 0.
    """
    val = np.array([[180, 0, 0], [0, 180, 0]], np.float32)
    z = np.array(
        [[60, 0, 0], [120, 0, 0], [120, 20, 0], [180.5, 0, 0], [181, 0, 0], [190, 0, 0]], np.float32
    )
    values = kl_matching(z, val)
    np.testing.assert_allclose(values, [kl(row, val[0]) for row in z], rtol=1e-10)
    assert (peer(z, val)[-3:] < 0).all()


def test_templates_that_underflow():
    never = np.array(
        [[2000, 0], [0, 2000]], np.float32
    )  # the peer's templates hold zeros, and its log 0 is -1.8e308
    assert kl_matching(np.zeros((1, 2), np.float32), never)[0] == pytest.approx(1000 - np.log(2))
    assert peer(np.zeros((1, 2), np.float32), never)[0] > 1e300


def test_rounding_takes_no_divergence_below_0(rng):
    templates = rng.normal(0, 1, (40, 40)) + 5 * np.eye(
        40
    )  # one image of each class: each is its own template
    values = kl_matching(templates, templates)
    assert (values >= 0).all()
    assert (values < 1e-14).all()


def test_of_many_classes(rng):
    val, z = rng.normal(0, 3, (400, 40)), rng.normal(0, 3, (20, 40))
    p, predicted = softmax(val, axis=1), val.argmax(axis=1)
    templates = [p[predicted == k].mean(axis=0) for k in np.unique(predicted)]
    expected = [min(rel_entr(q, d).sum() for d in templates) for q in softmax(z, axis=1)]
    np.testing.assert_allclose(kl_matching(z, val), expected)
