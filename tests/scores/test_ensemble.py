from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import softmax
from scipy.stats import entropy

from oecal.scores.ensemble import ensemble_entropy, ensemble_msp, ensemble_mutual_information


def exact(logits):
    """1 - max p, H(p) and the mutual information of one image, logits (S, K), in 400 decimal
    digits.
    """
    with localcontext() as context:
        context.prec = 400
        weights = [[Decimal(float(z)).exp() for z in row] for row in logits]
        p = [[w / sum(row) for w in row] for row in weights]
        mean = [sum(column) / len(p) for column in zip(*p, strict=True)]
        h = [-sum(q * q.ln() for q in row) for row in (mean, *p)]
        return float(1 - max(mean)), float(h[0]), float(h[0] - sum(h[1:]) / len(p))


def check(logits, rtol):
    """All three scores of the images, logits (S, N, K), against exact arithmetic."""
    expected = np.array([exact(logits[:, n]) for n in range(logits.shape[1])]).T
    for score, values in zip(
        (ensemble_msp, ensemble_entropy, ensemble_mutual_information), expected, strict=True
    ):
        np.testing.assert_allclose(score(logits), values, rtol=rtol, err_msg=score.__name__)
    return expected


def test_by_definition(rng):
    logits = rng.normal(0, 3, (4, 100, 6)).astype(np.float32)
    p = softmax(logits.astype(float), axis=2)
    np.testing.assert_allclose(ensemble_msp(logits), 1 - p.mean(axis=0).max(axis=1), rtol=1e-9)
    np.testing.assert_allclose(ensemble_entropy(logits), entropy(p.mean(axis=0), axis=1))
    information = entropy(p.mean(axis=0), axis=1) - entropy(p, axis=2).mean(axis=0)
    np.testing.assert_allclose(ensemble_mutual_information(logits), information, rtol=1e-9)


def test_random_images_exactly(rng):
    check(rng.normal(0, 4, (3, 10, 4)).astype(np.float32), 1e-12)


def test_seeds_that_nearly_agree(rng):
    """The difference of entropies, 1e-16 of the entropy at best, has no digit left of these.

    So has that of p_s and their mean.
    """
    base = rng.normal(0, 2, (1, 6, 5))
    for scale in (1e-4, 1e-6, 1e-8):
        logits = base + scale * rng.normal(size=(3, 6, 5))
        expected = check(logits, 1e-15 / scale + 1e-12)[2]
        assert ((expected > 1e-4 * scale**2) & (expected < scale**2)).all()
    p = softmax(logits, axis=2)
    naive = entropy(p.mean(axis=0), axis=1) - entropy(p, axis=2).mean(axis=0)
    assert np.abs(naive / expected - 1).min() > 0.1


def test_saturated_seeds_still_rank():
    gaps = np.array([20.0, 50, 100, 200, 201, 400])
    logits = np.zeros((2, 6, 3), np.float32)
    logits[0, :, 1], logits[1, :, 1] = gaps, gaps + 2
    expected = check(logits, 1e-11)
    assert (np.diff(expected, axis=1) < 0).all()


def test_seeds_that_are_sure_of_different_classes():
    logits = np.array([[[1e4, 0, 0]], [[0, 1e4, 0]]], np.float32)
    assert ensemble_msp(logits) == pytest.approx(0.5)
    for score in (ensemble_entropy, ensemble_mutual_information):
        assert score(logits) == pytest.approx(np.log(2))


@given(arrays(np.float32, (3, 2, 4), elements=st.floats(-1e4, 1e4, width=32)))
def test_bounds_and_invariance(logits):
    scores = {
        ensemble_msp: 3 / 4,
        ensemble_entropy: np.log(4),
        ensemble_mutual_information: np.log(3),
    }
    for score, most in scores.items():
        values = score(logits)
        assert (values >= 0).all()
        assert (values <= most * (1 + 1e-12)).all()
        np.testing.assert_allclose(score(logits[::-1, :, ::-1]), values, rtol=1e-7, atol=1e-12)
        np.testing.assert_allclose(
            score(logits.astype(float) + np.array([512, -64, 0])[:, None, None]),
            values,
            rtol=1e-7,
            atol=1e-10,
        )
    assert (ensemble_mutual_information(logits) <= ensemble_entropy(logits) + 1e-12).all()
    same = np.repeat(logits[:1], 3, axis=0)
    np.testing.assert_allclose(ensemble_mutual_information(same), 0, atol=1e-15)
    np.testing.assert_allclose(ensemble_entropy(same), ensemble_entropy(logits[:1]), rtol=1e-12)
