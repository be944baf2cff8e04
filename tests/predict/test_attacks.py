"""Attacks stay within their ball, move the confidence as they should, and cost nothing else."""

import numpy as np
import pytest
import torch
from torch import nn

from oecal.models.build_network import to_input
from oecal.predict.adversarial import ATTACKS, attack_images, move_images

CPU = torch.device("cpu")


@pytest.fixture
def model():
    torch.manual_seed(0)
    return (
        nn.Sequential(nn.Conv2d(1, 8, 3), nn.Tanh(), nn.Flatten(), nn.Linear(8 * 16, 3))
        .eval()
        .requires_grad_(False)
    )


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (100, 1, 6, 6), np.uint8)


def confidence(model, images):
    return model(to_input(torch.from_numpy(images))).softmax(dim=1).amax(dim=1).numpy()


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("up", [True, False])
def test_within_the_ball_and_reproducible(model, images, attack, up):
    found = attack_images(model, images, attack, 8, up, CPU)
    assert (found.dtype, found.shape) == (np.uint8, images.shape)
    assert np.abs(found.astype(int) - images).max() == 8
    np.testing.assert_array_equal(found, attack_images(model, images, attack, 8, up, CPU))


def test_stronger_attacks_move_more(model, images):
    before = confidence(model, images)
    change = {
        (a, up): (confidence(model, attack_images(model, images, a, 8, up, CPU)) - before).mean()
        for a in ATTACKS
        for up in (True, False)
    }
    assert change["pgd", True] >= change["fgsm", True] > abs(change["random", True])
    assert change["pgd", False] <= change["fgsm", False] < -abs(change["random", False])


def test_one_step_on_a_linear_model_is_the_best_one():
    """log max softmax of two logits (w x, 0) rises along sign(w) where w x > 0.

    The confidence is then sigma(|w x| + epsilon |w|_1).
    """
    weights = torch.tensor([[1.0, -2.0, 0.5, 0.25]])
    images = torch.tensor([0.6, 0.2, 0.4, 0.8]).reshape(1, 1, 2, 2)

    def logits(x):
        z = x.flatten(1) @ weights.T
        return torch.cat([z, torch.zeros_like(z)], dim=1)

    for attack in ("fgsm", "pgd"):
        found = move_images(logits, images, attack, 0.01, True)
        expected = torch.sigmoid(logits(images)[0, 0] + 0.01 * weights.abs().sum())
        torch.testing.assert_close(logits(found).softmax(dim=1).amax(), expected)
