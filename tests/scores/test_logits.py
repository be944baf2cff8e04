from decimal import Decimal, localcontext

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pytorch_ood import detector
from scipy.special import softmax
from scipy.stats import entropy as scipy_entropy

from oecal.scores import logits as family
from oecal.scores.catalogue import list_scores
from oecal.scores.likelihood import log_likelihood

ALL = [s.name for s in list_scores().values() if s.family == "logits"]

some_logits = arrays(np.float32, (4, 5), elements=st.floats(-1e4, 1e4, width=32))


@pytest.fixture
def z(rng):
    return rng.normal(0, 3, (200, 7)).astype(np.float32)


def peer(cls, z, **options):
    return cls(None, **options).predict_logits(torch.from_numpy(z).double()).numpy()


@pytest.mark.parametrize(
    "name, cls",
    [
        ("energy", detector.EnergyBased),
        ("max_logit", detector.MaxLogit),
        ("entropy", detector.Entropy),
    ],
)
def test_equals_pytorch_ood(z, name, cls):
    np.testing.assert_allclose(getattr(family, name)(z), peer(cls, z), rtol=1e-5, atol=1e-6)


def test_msp_is_one_more_than_pytorch_oods(z):
    np.testing.assert_allclose(family.msp(z), 1 + peer(detector.MaxSoftmax, z), rtol=1e-5)


def test_gen_is_the_sum_of_which_pytorch_ood_takes_the_mean(rng):
    z = rng.normal(0, 2, (200, 130)).astype(np.float32)
    np.testing.assert_allclose(family.gen(z), 100 * peer(detector.GEN, z, M=100), rtol=1e-5)
    np.testing.assert_allclose(family.gen(z[:, :7]), 7 * peer(detector.GEN, z[:, :7]), rtol=1e-5)


@pytest.mark.parametrize(
    "name, value",
    [
        ("msp", 3 / 4),
        ("h_u_p", -np.log(4)),
        ("max_logit", -2),
        ("energy", -2 - np.log(4)),
        ("entropy", np.log(4)),
        ("margin", 1),
        ("gen", 4 * (3 / 16) ** 0.1),
    ],
)
def test_of_uniform_logits(name, value):
    np.testing.assert_allclose(getattr(family, name)(np.full((3, 4), 2.0)), value)


def test_by_definition(z):
    p = np.sort(softmax(z.astype(float), axis=1), axis=1)
    np.testing.assert_allclose(family.entropy(z), scipy_entropy(p, axis=1))
    np.testing.assert_allclose(family.h_u_p(z), np.log(p).mean(axis=1))
    np.testing.assert_allclose(family.margin(z), 1 - (p[:, -1] - p[:, -2]), rtol=1e-7)
    np.testing.assert_allclose(family.gen(z), ((p * (1 - p)) ** 0.1).sum(axis=1), rtol=1e-7)


@pytest.mark.parametrize("name", ALL)
def test_contract_of_every_logit_score(name, z):
    score = getattr(family, name)
    values = score(z)
    assert values.shape == (200,)
    assert values.dtype == np.float64
    np.testing.assert_allclose(score(z[:, ::-1]), values)  # the order of the classes means nothing
    sure, unsure = np.array([[9.0, 0, 0, 0]]), np.array([[1.0, 1, 1, 0]])
    assert score(sure) < score(unsure)


@given(some_logits)
def test_bounds_and_invariance(z):
    k = z.shape[1]
    for name, least, most in (
        ("msp", 0, 1 - 1 / k),
        ("entropy", 0, np.log(k)),
        ("margin", 0, 1),
        ("h_u_p", -np.inf, -np.log(k)),
        ("gen", 0, k * ((1 - 1 / k) / k) ** 0.1),
    ):
        values = getattr(family, name)(z)
        assert (values >= least).all()
        assert (values <= most + 1e-12 * abs(most)).all()
        np.testing.assert_allclose(
            getattr(family, name)(z.astype(np.float64) + 512), values, rtol=1e-9, atol=1e-12
        )


def exact(gap):
    """The scores of three classes, one of them ahead by `gap`, in 400 decimal digits."""
    with localcontext() as context:
        context.prec = 400
        other, tenth = 1 / (2 + Decimal(float(gap)).exp()), Decimal("0.1")
        top = 1 - 2 * other
        found = {
            "msp": 2 * other,
            "entropy": -top * top.ln() - 2 * other * other.ln(),
            "margin": 1 - top + other,
            "gen": (top * (1 - top)) ** tenth + 2 * (other * (1 - other)) ** tenth,
        }
        return {name: float(value) for name, value in found.items()}


def test_a_gap_of_200_still_ranks():
    """Where p_max is 1 in float32 and in float64: the peers give every image the same score, exact
    arithmetic does not.
    """
    gaps = np.array([50, 100, 150, 199, 200, 200.5, 300, 700], np.float32)
    z = np.zeros((8, 3), np.float32)
    z[:, 1] = gaps
    for name in ALL:
        values = getattr(family, name)(z)
        assert (np.diff(values) < 0).all(), name
    for cls in (detector.MaxSoftmax, detector.Entropy, detector.GEN):
        assert len(np.unique(peer(cls, z))) == 1, cls
    for name in ("msp", "entropy", "margin", "gen"):
        np.testing.assert_allclose(
            getattr(family, name)(z), [exact(gap)[name] for gap in gaps], rtol=1e-12
        )


def test_clipping_reverses_two_of_pytorch_oods_entropies():
    # It takes each p < 1e-7 for 1e-7: nine such classes outweigh a second class with p = 8e-7.
    many, two = np.array([[0, *[-50] * 9]], np.float32), np.array([[0, -14, -800]], np.float32)
    np.testing.assert_allclose(
        family.entropy(many), 9 * np.exp(-50) * (50 + 1)
    )  # e^-x (x + 1) + O(e^-2x) for each gap x
    np.testing.assert_allclose(family.entropy(two), np.exp(-14) * (14 + 1), rtol=1e-5)
    assert family.entropy(many) < family.entropy(two)
    assert peer(detector.Entropy, many) > peer(detector.Entropy, two)


@pytest.mark.parametrize("name", ALL)
def test_hostile_logits(name):
    z = np.array(
        [[1e4, -1e4, 0, 0], [1e4, 1e4, 1e4, 1e4], [1e4, 1e4, -1e4, -1e4], [3e38, -3e38, 0, 0]],
        np.float32,
    )
    assert np.isfinite(getattr(family, name)(z)).all()


@pytest.mark.parametrize(
    "name, value", [("msp", 1 / 2), ("entropy", np.log(2)), ("margin", 1), ("gen", 2 * 0.25**0.1)]
)
def test_a_tie_of_two_huge_logits(name, value):
    np.testing.assert_allclose(
        getattr(family, name)(np.array([[1e4, 1e4, -1e4]], np.float32)), value
    )


def test_found_in_the_file():
    assert set(ALL) == {"msp", "h_u_p", "max_logit", "energy", "entropy", "margin", "gen"}
    assert list_scores()["msp"][:4] == ("msp", "oecal.scores.logits", "msp", ("logits",))


def test_an_unlikely_image_is_an_anomalous_one():
    np.testing.assert_array_equal(log_likelihood(np.array([-10.0, -20.0])), [10.0, 20.0])
