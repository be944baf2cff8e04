import itertools
import math

import pytest
import torch
from scipy.stats import logistic

from oecal.models import pixelcnn


def model_of(shape, **options):
    torch.manual_seed(1)
    return pixelcnn.build(pixelcnn.Options(**{"blocks": 2, "channels": 6, "mixtures": 3, **options}), shape, 0)


@pytest.mark.parametrize("channels", [1, 3])
def test_autoregressive_by_the_jacobian(channels):
    """The parameters of a pixel depend on all earlier pixels in raster order, and on no other."""
    model = model_of((channels, 5, 4)).double()
    x = torch.rand(1, channels, 5, 4, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda v: model.parameters_of(v).sum(dim=1)[0].flatten(), x)
    depends = jacobian.abs().sum(dim=(1, 2)).reshape(20, 20) > 0  # output pixel, input pixel
    assert torch.equal(depends, torch.ones(20, 20, dtype=torch.bool).tril(-1))


@pytest.mark.parametrize("shape", [(1, 1, 2), (1, 2, 1), (2, 1, 1)])
def test_probabilities_of_a_tiny_image_space_sum_to_one(shape):
    model = model_of(shape)
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(3)  # away from the initial, nearly constant distribution
    images = torch.tensor(list(itertools.product(range(256), repeat=2)), dtype=torch.float32).view(-1, *shape) / 255
    with torch.no_grad():
        log_p = torch.cat([model(batch) for batch in images.split(8192)])
    assert log_p.dtype == torch.float64
    assert torch.logsumexp(log_p, dim=0).exp().item() == pytest.approx(1, abs=1e-4)


def test_one_logistic_equals_scipy():
    mean, log_scale = 0.1, -2.0
    raw = torch.tensor([0.0, mean, log_scale]).view(1, 3, 1, 1)
    for level in (0, 17, 128, 255):
        x = torch.tensor(2 * level / 255 - 1).view(1, 1, 1, 1)
        found = pixelcnn.log_mixture_of_logistics(x, raw, 1).item()
        upper = 1.0 if level == 255 else logistic.cdf(2 * level / 255 - 1 + 1 / 255, mean, math.exp(log_scale))
        lower = 0.0 if level == 0 else logistic.cdf(2 * level / 255 - 1 - 1 / 255, mean, math.exp(log_scale))
        assert found == pytest.approx(math.log(upper - lower), rel=1e-3)


def test_far_and_narrow_stays_finite():
    raw = torch.tensor([0.0, 1.0, -30.0]).view(1, 3, 1, 1).requires_grad_()
    value = pixelcnn.log_mixture_of_logistics(torch.full((1, 1, 1, 1), -0.5), raw, 1).sum()
    value.backward()
    assert math.isfinite(value.item())
    assert torch.isfinite(raw.grad).all()


def test_an_image_does_not_depend_on_its_batch():
    model = model_of((1, 6, 6)).eval()
    x = torch.randint(0, 256, (4, 1, 6, 6)) / 255
    torch.testing.assert_close(model(x)[:1], model(x[:1]))


def test_refuses():
    with pytest.raises(ValueError, match="blocks is 0"):
        pixelcnn.Options(blocks=0)
