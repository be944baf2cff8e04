"""What the prediction job leaves of a density model beside its likelihoods."""

import numpy as np
import pytest
import torch
from torch import nn

from oecal.models import pixelcnn
from oecal.predict.costly import compute_gradients
from oecal.predict.outputs import TOLERANCE, predict_outputs
from oecal.predict.probes import FACTORS, fade, make_constants

CPU = torch.device("cpu")


class Quadratic(nn.Module):
    """log p(x) = -a |x|^2 - b: gradients by hand."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Parameter(torch.tensor(2.0)), nn.Parameter(torch.tensor(1.0))

    def forward(self, x):
        return -(self.a * x.square().sum(dim=(1, 2, 3)) + self.b).double()


class Noisy(nn.Module):
    """A model whose estimate draws noise."""

    def parts(self, x):
        return {"log_likelihood": torch.rand(len(x)).double()}


def test_gradients_by_hand(rng):
    images = rng.integers(0, 256, (3, 1, 2, 2), np.uint8)
    found = compute_gradients(Quadratic(), images, CPU)
    length = np.sqrt(((images / 255) ** 2).sum(axis=(1, 2, 3)))
    np.testing.assert_allclose(found["input_gradient"], 4 * length, rtol=1e-5)
    np.testing.assert_allclose(
        found["gradient_norms"],
        np.stack([np.log(length**4), np.zeros(3)], axis=1),
        rtol=1e-4,
        atol=1e-6,
    )


def test_gradients_of_an_image_do_not_depend_on_the_others(rng):
    torch.manual_seed(0)
    model = pixelcnn.build(pixelcnn.Options(4, 1, 1, 2), (1, 6, 6), 0)
    images = rng.integers(0, 256, (3, 1, 6, 6), np.uint8)
    both, alone = compute_gradients(model, images, CPU), compute_gradients(model, images[2:], CPU)
    assert both["gradient_norms"].shape == (3, len(list(model.parameters())))
    np.testing.assert_allclose(both["gradient_norms"][2:], alone["gradient_norms"], rtol=TOLERANCE)
    assert all(p.grad is None for p in model.parameters())


def test_noise_of_an_estimate_follows_from_the_place(rng):
    images = rng.integers(0, 256, (100, 1, 2, 2), np.uint8)
    torch.manual_seed(1)
    first = predict_outputs(Noisy(), "density", images, CPU)["log_likelihood"]
    np.testing.assert_array_equal(
        predict_outputs(Noisy(), "density", images, CPU)["log_likelihood"], first
    )
    assert len(np.unique(first)) == 100


def test_probes(rng):
    found = make_constants((3, 4, 4))
    assert (found == np.arange(256)[:, None, None, None]).all()
    images = rng.integers(0, 256, (2, 3, 8, 8), np.uint8)
    shades = fade(images)
    assert shades.shape == (2, len(FACTORS), 3, 8, 8)
    np.testing.assert_array_equal(shades[:, -1], images)
    assert (shades[:, 0].std(axis=(2, 3)) == 0).all()
    spread = shades.astype(float).std(axis=(2, 3, 4))
    assert (np.diff(spread, axis=1) > 0).all()
    np.testing.assert_allclose(
        shades.mean(axis=(3, 4)), images.mean(axis=(2, 3))[:, None].repeat(11, 1), atol=0.5
    )


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_precision_of_a_density_model(rng, precision):
    torch.manual_seed(0)
    model = pixelcnn.build(pixelcnn.Options(8, 1, 2, 3), (1, 8, 8), 0)
    images = rng.integers(0, 256, (40, 1, 8, 8), np.uint8)
    exact = predict_outputs(model, "density", images, CPU)["log_likelihood"]
    found = predict_outputs(model, "density", images, CPU, precision)["log_likelihood"]
    assert found.dtype == np.float64
    assert abs((found - exact).mean()) / (64 * np.log(2)) < 0.005
