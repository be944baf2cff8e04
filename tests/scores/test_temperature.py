import numpy as np
import pytest
import torch
from pytorch_ood.detector import TemperatureScaling
from scipy.special import log_softmax, softmax

from oecal.scores.logits import msp
from oecal.scores.numerics import fit_temperature
from oecal.scores.temperature import temperature_msp


@pytest.fixture
def val(rng):
    """Logits of which softmax(z / 1.7) is calibrated, and labels."""
    z = rng.normal(0, 2, (20_000, 5))
    return (1.7 * z).astype(np.float32), (z + rng.gumbel(size=z.shape)).argmax(axis=1)


def test_temperature_is_recovered(val):
    logits, labels = val
    for factor in (0.5, 1.0, 2.0):
        assert fit_temperature(factor * logits, labels) == pytest.approx(1.7 * factor, rel=0.03)


def test_temperature_is_the_best_of_all(val):
    logits, labels = val
    losses = {
        t: -log_softmax(logits / t, axis=1)[np.arange(len(labels)), labels].mean()
        for t in np.linspace(1, 3, 201)
    }
    assert fit_temperature(logits, labels) == pytest.approx(
        min(losses, key=losses.__getitem__), abs=0.01
    )


def test_temperature_stays_in_its_bounds():
    logits = np.array([[3.0, 0.0]] * 4)
    assert fit_temperature(logits, np.zeros(4, int)) == pytest.approx(0.2, rel=1e-3)
    assert fit_temperature(logits, np.ones(4, int)) == pytest.approx(5.0, rel=1e-3)


def test_fits_without_a_class_and_with_huge_logits(val):
    logits, labels = val
    assert 0.2 <= fit_temperature(logits[labels != 2], labels[labels != 2]) <= 5
    assert fit_temperature(1e4 * logits, labels) == pytest.approx(5, rel=1e-3)


def test_equals_pytorch_ood_at_its_temperature(val, rng):
    """Its 50 small steps of L-BFGS stop short of the optimum: the scores agree at the same T, and
    our T has the lower NLL.
    """
    logits, labels = val
    peer = TemperatureScaling(None).fit_logits(
        torch.from_numpy(logits).double(), torch.from_numpy(labels)
    )
    new = rng.normal(0, 3, (50, 5)).astype(np.float32)
    theirs, ours = peer.t.item(), fit_temperature(logits, labels)
    np.testing.assert_allclose(
        msp(new.astype(float) / theirs),
        1 + peer.predict_logits(torch.from_numpy(new).double()).detach().numpy(),
        rtol=1e-5,
    )
    nll = [
        -log_softmax(logits.astype(float) / t, axis=1)[np.arange(len(labels)), labels].mean()
        for t in (ours, theirs)
    ]
    assert nll[0] <= nll[1] + 1e-12


def test_temperature_msp(val, rng):
    new = rng.normal(0, 3, (50, 5)).astype(np.float32)
    t = fit_temperature(*val)
    np.testing.assert_allclose(
        temperature_msp(new, *val), 1 - softmax(new.astype(float) / t, axis=1).max(axis=1)
    )
    values = temperature_msp(np.array([[100, 0], [200, 0], [300, 0]], np.float32), *val)
    np.testing.assert_allclose(np.log(values), [-100 / t, -200 / t, -300 / t])
