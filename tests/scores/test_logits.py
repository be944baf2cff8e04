import numpy as np
import pytest
import torch
from pytorch_ood import detector
from scipy.stats import entropy as scipy_entropy

from oecal.scores import logits as family
from oecal.scores.catalogue import fitting, scores
from oecal.scores.likelihood import log_likelihood

ALL = fitting(["logits", "features"])


@pytest.fixture
def z(rng):
    return rng.normal(0, 3, (200, 7)).astype(np.float32)


@pytest.mark.parametrize(
    "name, peer",
    [("msp", detector.MaxSoftmax), ("energy", detector.EnergyBased), ("max_logit", detector.MaxLogit), ("entropy", detector.Entropy)],
)
def test_equals_pytorch_ood(z, name, peer):
    np.testing.assert_allclose(getattr(family, name)(z), peer.score(torch.from_numpy(z).double()).numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "name, value", [("msp", -1 / 4), ("h_u_p", -np.log(4)), ("max_logit", -2), ("energy", -2 - np.log(4)), ("entropy", np.log(4))]
)
def test_of_uniform_logits(name, value):
    np.testing.assert_allclose(getattr(family, name)(np.full((3, 4), 2.0)), value)


def test_entropy_and_h_u_p_by_definition(z):
    p = np.exp(z.astype(float)) / np.exp(z.astype(float)).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(family.entropy(z), scipy_entropy(p, axis=1))
    np.testing.assert_allclose(family.h_u_p(z), np.log(p).mean(axis=1))


@pytest.mark.parametrize("name", ALL)
def test_contract_of_every_logit_score(name, z):
    score = getattr(family, name)
    values = score(z)
    assert values.shape == (200,)
    assert values.dtype == np.float64
    np.testing.assert_allclose(score(z[:, ::-1]), values)  # the order of the classes means nothing
    sure, unsure = np.array([[9.0, 0, 0, 0]]), np.array([[1.0, 1, 1, 0]])
    assert score(sure) < score(unsure)
    assert np.isfinite(score(np.array([[1e4, -1e4, 0.0, 0.0]], np.float32))).all()


def test_saturated_float32_keeps_an_order():
    # Both maxima are 1 in float32; in float64 they differ.
    values = family.msp(np.array([[20.0, 0.0], [25.0, 0.0]], np.float32))
    assert values[1] < values[0]


def test_an_unlikely_image_is_an_anomalous_one():
    np.testing.assert_array_equal(log_likelihood(np.array([-10.0, -20.0])), [10.0, 20.0])


def test_catalogue():
    found = scores()
    assert found["msp"] == ("msp", "oecal.scores.logits", "msp", ("logits",), {})
    assert {"msp", "h_u_p", "max_logit", "energy", "entropy"} <= set(ALL)
