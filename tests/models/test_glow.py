import math

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

from benchmarks.density_glow import as_normflows
from oecal.core.errors import OecalError
from oecal.models import flow_layers, glow
from oecal.predict.outputs import TOLERANCE


def model_of(shape, **options):
    """A flow in evaluation mode whose every layer does something: no weight is zero."""
    torch.manual_seed(1)
    model = glow.build(
        glow.Options(**{"levels": 2, "steps": 2, "channels": 8, **options}), shape, 0
    )
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.1 * torch.randn(p.shape))
    model.initialised.fill_(True)
    return model.eval()


def images_of(n, shape):
    return torch.randint(0, 256, (n, *shape)) / 255


def log_det_by_autograd(function, x):
    jacobian = torch.autograd.functional.jacobian(lambda v: function(v[None])[0].flatten(), x)
    return torch.linalg.slogdet(jacobian.reshape(x.numel(), x.numel()))[1].item()


@pytest.mark.parametrize("c", [2, 3, 4])
@pytest.mark.parametrize("kind", ["mix", "coupling"])
def test_layer_inverts_and_its_log_determinant_is_the_jacobians(kind, c):
    torch.manual_seed(c)
    layer = (flow_layers.Mix(c) if kind == "mix" else flow_layers.Coupling(c, 5)).double()
    for p in layer.parameters():
        p.data.add_(0.3 * torch.randn(p.shape))
    x = torch.randn(2, c, 3, 2, dtype=torch.float64)
    y, log_det = layer(x)
    torch.testing.assert_close(layer.inverse(y), x)
    for one, value in zip(x, log_det.expand(2), strict=True):
        assert value.item() == pytest.approx(
            log_det_by_autograd(lambda v: layer(v)[0], one), abs=1e-9
        )


@pytest.mark.parametrize("shape", [(1, 4, 4), (1, 2, 6), (3, 2, 4), (3, 3, 5)])
@pytest.mark.parametrize("levels, alpha", [(1, 0.0), (2, 0.0), (2, 0.02)])
def test_density_of_the_whole_flow_by_the_jacobian(shape, levels, alpha):
    """log p(y) = log p(z) + log|det dz/dy|, from torch.distributions and from autograd.

    Odd sides included.
    """
    model = model_of(shape, levels=levels, alpha=alpha).double()

    def latent(y):
        (x, _), parts, log_p = model.spread(y), [], 0.0
        for level in model.levels:
            x = F.pixel_unshuffle(x, level.block)
            for mix, coupling in zip(level.mixes, level.couplings, strict=True):
                x = coupling(mix(x)[0])[0]
            stays, z = x[:, : level.stays], x[:, level.stays :]
            mean, log_std = level.prior.mean_and_log_std(stays)
            log_p = log_p + torch.distributions.Normal(mean, log_std.exp()).log_prob(z).sum()
            x = stays
            parts.append(z.flatten(1))
        return torch.cat(parts, dim=1), log_p

    y = torch.rand(1, *shape, dtype=torch.float64)
    total, last = model.log_density(y)
    expected = latent(y)[1].item() + log_det_by_autograd(lambda v: latent(v)[0], y[0])
    assert total.item() == pytest.approx(expected, abs=1e-8)
    assert (last.item() == total.item()) == (levels == 1)  # the logit, if any, belongs to no level


def test_a_mix_starts_as_a_rotation():
    torch.manual_seed(0)
    weight = flow_layers.Mix(12).weight()
    torch.testing.assert_close(weight @ weight.T, torch.eye(12), atol=1e-5, rtol=0)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 5, 7), (3, 4, 5)])
def test_a_level_inverts(shape, monkeypatch):
    model = model_of(shape)
    level, x = model.levels[0], torch.rand(2, *shape)
    stays, leaves = [], []
    monkeypatch.setattr(
        level.prior, "forward", lambda z, a: leaves.append(z) or torch.zeros(len(z))
    )
    monkeypatch.setattr(level.prior, "sample", lambda a: leaves[0])
    stays.append(level(x)[0])
    torch.testing.assert_close(level.inverse(stays[0]), x, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("alpha, low, high", [(0.0, -30, 30), (0.1, -0.125, 1.125)])
def test_density_of_two_pixels_integrates_to_one(alpha, low, high):
    """The midpoint rule over the plane of dequantised images of two values.

    With a logit, over all that it maps.
    """
    model = model_of((2, 1, 1), levels=1, steps=3, alpha=alpha)
    width = (high - low) / 600
    grid = low + (torch.arange(600) + 0.5) * width
    y = torch.cartesian_prod(grid, grid).view(-1, 2, 1, 1)
    with torch.no_grad():
        log_p = torch.cat([model.log_density(part)[0] for part in y.split(60_000)])
    assert torch.logsumexp(log_p, dim=0).exp().item() * width**2 == pytest.approx(1, abs=2e-3)


def test_activation_normalisation_of_the_first_batch_then_never_again(tmp_path):
    torch.manual_seed(0)
    model = glow.build(glow.Options(steps=2, channels=4), (1, 8, 8), 0)
    images = images_of(64, (1, 8, 8))
    model.eval()(images)
    assert not model.initialised  # only training initialises
    model.train()(images)
    assert model.initialised
    mix, x = flow_layers.Mix(4), 3 * torch.randn(64, 4, 4, 4) + 7
    mix.initialise(x)
    normal = F.linear(
        mix(x)[0].movedim(1, -1), torch.linalg.inv(mix.weight())
    )  # without the 1x1 convolution
    torch.testing.assert_close(normal.mean(dim=(0, 1, 2)), torch.zeros(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(normal.std(dim=(0, 1, 2)), torch.ones(4), atol=1e-4, rtol=0)

    save_file(
        {k: v.contiguous() for k, v in model.state_dict().items()}, tmp_path / "m.safetensors"
    )
    torch.manual_seed(5)  # other permutations than those saved
    again = glow.build(glow.Options(steps=2, channels=4), (1, 8, 8), 0)
    again.load_state_dict(load_file(tmp_path / "m.safetensors"))
    torch.manual_seed(2)
    before = model.eval()(images)
    again.train()(images_of(64, (1, 8, 8)) / 2)  # a batch of quite another mean
    torch.manual_seed(2)
    assert torch.equal(again(images), before)


def test_a_constant_channel_does_not_break_the_initialisation():
    model = glow.build(glow.Options(steps=1, channels=4), (1, 8, 8), 0)
    out = model.train()(torch.zeros(16, 1, 8, 8))
    out.sum().backward()
    assert torch.isfinite(out).all()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())


def test_dequantisation():
    model = model_of((1, 6, 6))
    images = images_of(5, (1, 6, 6))
    copy = images.clone()
    torch.manual_seed(3)
    first = model.parts(images)
    assert torch.equal(images, copy)
    assert set(first) == set(glow.OUTPUTS)
    assert all(v.shape == (5,) and v.dtype == torch.float64 for v in first.values())
    torch.manual_seed(3)
    assert torch.equal(model(images), first["log_likelihood"])
    assert not torch.equal(model(images), first["log_likelihood"])
    torch.manual_seed(3)
    y = (255 * images + torch.rand(images.shape)) / 256
    assert torch.equal(model.log_density(y)[0] - 36 * math.log(256), first["log_likelihood"])
    # With one u for both, an image's likelihood does not depend on its batch.
    both, alone = model.log_density(y)[0][:2], model.log_density(y[:2])[0]
    torch.testing.assert_close(both, alone, rtol=0, atol=36 * TOLERANCE)


def test_expected_bound_of_a_uniform_density_is_zero_bits_of_gain():
    """A flow whose density were 1 on [0, 1)^D gives each image 256^-D.

    It is the constant in the change of variables.
    """
    model = model_of((1, 4, 4))
    model.log_density = lambda y: (torch.zeros(len(y), dtype=torch.float64),) * 2
    assert model(images_of(1, (1, 4, 4))).item() / (16 * math.log(2)) == pytest.approx(-8)


def test_autocast_touches_only_the_networks():
    """In bfloat16 the same numbers come back through a coupling, and the density hardly moves.

    A 1x1 convolution is as in float32.
    """
    model = model_of((1, 8, 8))
    layer, mix = model.levels[0].couplings[0], model.levels[0].mixes[0]
    x = torch.randn(3, 4, 4, 4)
    y = torch.rand(3, 1, 8, 8)
    exact = model.log_density(y)[0]
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(layer.inverse(layer(x)[0]), x, atol=1e-5, rtol=1e-5)
        assert layer(x)[1].dtype == torch.float32
        torch.testing.assert_close(mix.inverse(mix(x)[0]), x, atol=1e-5, rtol=1e-5)
        low = model.log_density(y)[0]
    assert not torch.equal(low, exact)
    torch.testing.assert_close(low, exact, rtol=0.01, atol=0.5)


@pytest.mark.parametrize("shape", [(1, 4, 4), (1, 6, 10), (3, 7, 5)])
def test_samples(shape):
    model = model_of(shape)
    images = model.sample(3)
    assert images.shape == (3, *shape)
    assert torch.equal((images * 255).round() / 255, images)
    assert images.min() >= 0
    assert images.max() <= 1
    torch.manual_seed(0)
    first = model.sample(2)
    torch.manual_seed(0)
    assert torch.equal(model.sample(2), first)


@pytest.mark.parametrize("shape, alpha", [((1, 8, 8), 0.0), ((3, 4, 12), 0.01)])
def test_equals_normflows(shape, alpha, monkeypatch):
    """The same weights, images and numbers.

    In normflows the scale has no lower bound, and split priors are not conditional.
    """
    monkeypatch.setattr(flow_layers.Coupling, "low", 0.0)
    model = model_of(shape, steps=3, alpha=alpha)
    for p in model.levels[0].prior.net.parameters():
        p.data.zero_()
    y = torch.rand(6, *shape)
    with torch.no_grad():
        theirs = as_normflows(model).log_prob(y if alpha else y - 0.5, None)
        torch.testing.assert_close(model.log_density(y)[0], theirs.double(), rtol=1e-5, atol=1e-3)


def test_samples_of_a_wild_model_are_still_images():
    model = model_of((1, 8, 8), steps=6)
    for name, p in model.named_parameters():
        if ".net." in name:
            p.data.mul_(300)
    images = model.sample(20)
    assert torch.isfinite(images).all()
    assert images.min() >= 0
    assert images.max() <= 1


def test_a_coupling_does_not_let_samples_run_away():
    """However large the network's output, the way back enlarges a difference by 1 / low at most."""
    torch.manual_seed(0)
    layer = flow_layers.Coupling(4, 8).double()
    for p in layer.parameters():
        p.data.add_(torch.randn(p.shape)).mul_(10)
    a, b = 100 * torch.rand(2, 5, 2, 3, 3, dtype=torch.float64)
    with torch.no_grad():
        log_det = layer(torch.cat([a, b], dim=1))[1]
        gain = (
            layer.inverse(torch.cat([a, b + 1], dim=1)) - layer.inverse(torch.cat([a, b], dim=1))
        )[:, 2:]
    assert (log_det >= 18 * math.log(layer.low)).all()
    assert gain.max().item() == pytest.approx(1 / layer.low, rel=1e-3)
    assert gain.min().item() == pytest.approx(1, rel=1e-3)


def test_refuses():
    for key in ("levels", "steps", "channels"):
        with pytest.raises(ValueError, match=f"{key} is 0; expected 1 or more"):
            glow.Options(**{key: 0})
    for alpha in (-0.1, 1e-6, 0.5, math.nan):
        with pytest.raises(ValueError, match=f"alpha is {alpha}; expected 0, or a number from"):
            glow.Options(alpha=alpha)
    for shape, levels in (((1, 5, 7), 1), ((3, 5, 7), 3)):
        with pytest.raises(OecalError, match="one channel of 5 x 7 cannot be split further"):
            glow.build(glow.Options(levels=levels), shape, 0)
