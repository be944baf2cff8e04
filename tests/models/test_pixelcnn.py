import itertools
import math

import pytest
import torch
from scipy.stats import logistic

from oecal.models import pixelcnn
from oecal.predict.outputs import TOLERANCE


def model_of(shape, **options):
    torch.manual_seed(1)
    return pixelcnn.build(
        pixelcnn.Options(**{"blocks": 1, "channels": 6, "mixtures": 3, "levels": 2, **options}),
        shape,
        0,
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_autoregressive_by_the_jacobian(channels):
    """The parameters of a pixel depend on all earlier pixels in raster order, and on no other."""
    model = model_of((channels, 5, 4)).double()
    x = torch.rand(1, channels, 5, 4, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(
        lambda v: model.parameters_of(v).sum(dim=1)[0].flatten(), x
    )
    depends = jacobian.abs().sum(dim=(1, 2)).reshape(20, 20) > 0  # output pixel, input pixel
    assert torch.equal(depends, torch.ones(20, 20, dtype=torch.bool).tril(-1))


@pytest.mark.parametrize("shape", [(1, 1, 2), (1, 2, 1), (2, 1, 1)])
def test_probabilities_of_a_tiny_image_space_sum_to_one(shape):
    model = model_of(shape)
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(3)  # away from the initial, nearly constant distribution
    images = (
        torch.tensor(list(itertools.product(range(256), repeat=2)), dtype=torch.float32).view(
            -1, *shape
        )
        / 255
    )
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
        upper = (
            1.0
            if level == 255
            else logistic.cdf(2 * level / 255 - 1 + 1 / 255, mean, math.exp(log_scale))
        )
        lower = (
            0.0
            if level == 0
            else logistic.cdf(2 * level / 255 - 1 - 1 / 255, mean, math.exp(log_scale))
        )
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
    torch.testing.assert_close(model(x)[:1], model(x[:1]), rtol=0, atol=36 * TOLERANCE)


def test_refuses():
    with pytest.raises(ValueError, match="blocks is 0"):
        pixelcnn.Options(blocks=0)


def entropy_of(model, x):
    """sum_i H(x_i | x_<i) along each image, nats (N,).

    The conditional entropies are in closed form, from all 256 levels of each pixel.
    """
    levels = (2 * torch.arange(256) / 255 - 1).view(-1, 1, 1, 1)
    raw = model.parameters_of(2 * x - 1)
    total = torch.zeros(len(x), dtype=torch.float64)
    for row, column in itertools.product(range(x.shape[2]), range(x.shape[3])):
        at = raw[:, :, row, column].repeat_interleave(256, dim=0)[:, :, None, None]
        log_p = (
            pixelcnn.log_mixture_of_logistics(levels.repeat(len(x), 1, 1, 1), at, model.mixtures)
            .view(len(x), 256)
            .double()
        )
        total -= (log_p.exp() * log_p).sum(dim=1)
    return total


def test_sampling_and_likelihood_agree():
    """The mean of -log p over samples is the model's entropy.

    The conditional entropies estimate it without -log p of any sample.

    1,000 samples for each, different ones; within 3 standard errors. Samples of another model are
    more than 10 off: the test can fail.
    """
    torch.manual_seed(3)
    model = model_of((1, 4, 4), levels=2).eval()
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(2)  # away from the initial, nearly constant distribution
        nll = -model(model.sample(1000)) / (16 * math.log(2))
        entropy = entropy_of(model, model.sample(1000)) / (16 * math.log(2))
        other = model_of((1, 4, 4), levels=2).eval()
        wrong = -model(other.sample(1000)) / (16 * math.log(2))
    error = math.sqrt(nll.var() / 1000 + entropy.var() / 1000)
    assert abs(nll.mean() - entropy.mean()) < 3 * error
    assert abs(wrong.mean() - entropy.mean()) > 10 * error


def test_samples_of_colour_follow_their_distribution():
    """Levels of a 1x1 RGB image: frequencies of the first channel against its probabilities."""
    torch.manual_seed(0)
    model = model_of((3, 1, 1), levels=1).eval()
    with torch.no_grad():
        model.head.bias.add_(0.7 * torch.randn_like(model.head.bias))
        x = model.sample(20000)
        assert x.shape == (20000, 3, 1, 1)
        torch.testing.assert_close((x * 255).round() / 255, x)
        raw = model.parameters_of(torch.zeros(1, 3, 1, 1))
        levels = (2 * torch.arange(256) / 255 - 1).view(256, 1, 1, 1)
        of_first = raw[:, first_channel(model)].repeat(256, 1, 1, 1)
        first = pixelcnn.log_mixture_of_logistics(levels, of_first, model.mixtures).exp().flatten()
        counts = torch.bincount((x[:, 0, 0, 0] * 255).round().long(), minlength=256) / 20000
        assert (counts - first).abs().max() < 0.02
        assert first.sum().item() == pytest.approx(1, abs=1e-4)


def first_channel(model):
    """Indices of the raw parameters of the first channel: weights, its means, its log scales."""
    m, per = model.mixtures, 9
    return [*range(m), *(i for k in range(m) for i in (m + per * k, m + per * k + 3))]


def test_sampling_repeats_with_the_seed_of_torch():
    model = model_of((1, 5, 4)).eval()
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append(model.sample(3))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


@pytest.mark.parametrize("shape", [(1, 4, 4), (1, 13, 9), (3, 7, 10)])
def test_any_size(shape):
    model = model_of(shape, levels=3)
    assert model(torch.rand(2, *shape)).shape == (2,)
