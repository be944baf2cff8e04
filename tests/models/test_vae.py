import math

import pytest
import torch
from torch import nn
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from oecal.models import vae

LIKELIHOODS = (
    "logistic_mixture",
    "categorical",
    "logistic",
    "bernoulli",
    "gaussian",
    "gaussian_density",
)
SIZES = [(4, 4), (12, 12), (28, 28), (32, 32), (13, 9)]


def model_of(shape, **options):
    torch.manual_seed(1)
    return vae.build(
        vae.Options(**{"latent": 3, "channels": 4, "samples": 2, "mixtures": 2, **options}),
        shape,
        0,
    )


def images_of(n, shape):
    torch.manual_seed(2)
    return torch.randint(0, 256, (n, *shape)) / 255


class Linear(vae.VAE):
    """x = W z + b + e, e ~ N(0, I): the evidence is N(b, W W^T + I).

    The columns of W are orthogonal, so the posterior is diagonal.

    `shift` and `stretch` move the encoder's mean and log variance away from the posterior's.
    """

    def __init__(self, shift=0.0, stretch=0.0):
        nn.Module.__init__(self)
        torch.manual_seed(4)
        self.samples, self.shift, self.stretch = 4, shift, stretch
        self.w = nn.Parameter(
            torch.linalg.qr(torch.randn(16, 3))[0] * torch.tensor([2.0, 1.0, 0.5])
        )
        self.b = nn.Parameter(torch.randn(16))

    def encode(self, x):
        variance = 1 / (1 + self.w.square().sum(dim=0))
        mean = (x.flatten(1) - self.b) @ self.w * variance
        return mean + self.shift, (variance.log() + self.stretch).expand_as(mean)

    def decode(self, z):
        return z @ self.w.T + self.b

    def log_prob(self, x, raw):
        return Normal(raw.double(), 1).log_prob(x.flatten(1).double()).sum(dim=1)

    def evidence(self, x):
        w, b = self.w.detach().double(), self.b.detach().double()
        return MultivariateNormal(b, w @ w.T + torch.eye(16)).log_prob(x.flatten(1).double())


@pytest.mark.parametrize("shape", [(c, *size) for c in (1, 3) for size in SIZES])
def test_any_size(shape):
    model, x = model_of(shape), images_of(2, shape)
    log_p = model(x)
    assert log_p.shape == (2,)
    assert log_p.dtype == torch.float64
    log_p.sum().backward()
    assert all(torch.isfinite(p.grad).all() and p.grad.any() for p in model.parameters())
    assert model.sample(3).shape == (3, *shape)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_every_likelihood(likelihood):
    model, x = model_of((3, 8, 8), likelihood=likelihood), images_of(5, (3, 8, 8))
    model(x).sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in model.parameters())
    with torch.inference_mode():
        parts, drawn = model.parts(x), model.sample(4)
    assert tuple(parts) == vae.OUTPUTS
    assert all(
        v.shape == (5,) and v.dtype == torch.float64 and torch.isfinite(v).all()
        for v in parts.values()
    )
    assert (parts["log_likelihood"] >= parts["elbo"]).all()
    assert torch.equal((drawn * 255).round() / 255, drawn)
    assert drawn.min() >= 0
    assert drawn.max() <= 1


def test_one_scale_for_all_pixels_is_gaussian():
    raw = model_of((1, 8, 8), likelihood="gaussian").decode(torch.randn(4, 3))
    assert raw[:, :, 0].std() > 0
    assert raw[:, :, 1].unique().numel() == 1


def test_analytic_kl_equals_torch():
    mean, log_variance = torch.randn(7, 4).double(), torch.randn(7, 4).double()
    known = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0, 1)).sum(dim=1)
    torch.testing.assert_close(vae.kl(mean, log_variance), known)
    assert vae.kl(torch.zeros(1, 4), torch.zeros(1, 4)).item() == 0


def test_with_the_exact_posterior_every_draw_gives_the_evidence():
    model, x = Linear(), images_of(6, (1, 4, 4))
    log_w, _, _ = model.log_weights(x, 20)
    torch.testing.assert_close(log_w, model.evidence(x).expand(20, 6), atol=1e-4, rtol=0)
    parts = model.parts(x)
    for name in ("log_likelihood", "elbo"):
        torch.testing.assert_close(parts[name], model.evidence(x), atol=1e-4, rtol=0)
    one_draw = torch.stack(
        [model(x) for _ in range(2000)]
    )  # with the analytic KL, right in the mean
    torch.testing.assert_close(one_draw.mean(dim=0), model.evidence(x), atol=0.1, rtol=0)


def test_with_another_encoder_the_bounds_are_in_order():
    """ELBO = evidence - KL(q, posterior), here in closed form.

    More draws come nearer to the evidence.
    """
    model, x = Linear(shift=0.3, stretch=0.5), images_of(2, (1, 4, 4)).repeat(500, 1, 1, 1)
    evidence = model.evidence(x).mean().item()
    exact_mean, exact_log_variance = Linear().encode(x[:1])
    mean, log_variance = model.encode(x[:1])
    q, posterior = (
        Normal(mean, (log_variance / 2).exp()),
        Normal(exact_mean, (exact_log_variance / 2).exp()),
    )
    gap = kl_divergence(q, posterior).sum().item()
    assert gap > 0.3
    bounds = {}
    for k in (2, 8, 256):
        model.samples = k
        bounds[k] = {name: value.mean().item() for name, value in model.parts(x).items()}
        assert bounds[k]["elbo"] == pytest.approx(evidence - gap, abs=0.1)
        assert bounds[k]["reconstruction"] - bounds[k]["kl"] == pytest.approx(
            evidence - gap, abs=0.1
        )
    assert (
        evidence - gap
        < bounds[2]["log_likelihood"]
        < bounds[8]["log_likelihood"]
        < bounds[256]["log_likelihood"]
    )
    assert bounds[256]["log_likelihood"] == pytest.approx(evidence, abs=0.03)
    assert model(x).mean().item() == pytest.approx(evidence - gap, abs=0.2)


def test_regret_is_the_gap_of_the_encoder():
    """Zero for the exact posterior.

    For another q, KL(q, posterior), which the optimisation finds.
    """
    x = images_of(6, (1, 4, 4))
    exact = Linear().regret(x, steps=20, lr=0.15, pairs=4)
    assert (exact >= 0).all()
    assert exact.max() < 0.4  # a few draws leave a little to gain
    wrong = Linear(shift=0.5, stretch=1.0)
    q, posterior = wrong.encode(x), Linear().encode(x)
    gap = kl_divergence(
        *(Normal(mean, (log_variance / 2).exp()) for mean, log_variance in (q, posterior))
    ).sum(dim=1)
    found = wrong.regret(x, steps=20, lr=0.15, pairs=16)
    torch.testing.assert_close(
        found, gap.detach().double(), atol=0.5, rtol=0
    )  # 32 draws of 3 dimensions
    assert (found > 4 * exact).all()


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
@pytest.mark.parametrize("low", [False, True])
def test_regret_leaves_the_network_alone(mode, low):
    model, x = model_of((1, 8, 8)).eval(), images_of(4, (1, 8, 8))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with mode(), torch.autocast("cpu", torch.bfloat16, enabled=low):
        model.parts(x)  # leaves autocast's copies of the weights behind
        regret = model.regret(x + 0, steps=5, lr=0.05)
        assert torch.equal(model.regret(x, steps=0, lr=0.05), torch.zeros(4, dtype=torch.float64))
    assert regret.shape == (4,)
    assert regret.dtype == torch.float64
    assert not regret.requires_grad
    assert (regret > 0).all()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in model.parameters())


def test_learns_and_prefers_what_it_saw():
    """A few steps on two-level stripes: fewer bits, and stripes are likelier than noise."""
    model = model_of((1, 8, 8), channels=8)
    x = torch.tensor([50.0, 200.0]).repeat(4).view(1, 1, 1, 8).expand(16, 1, 8, 8) / 255
    optimizer = torch.optim.AdamW(model.parameters(), 0.01)
    first = model(x).mean().item()
    for _ in range(40):
        optimizer.zero_grad()
        (-model(x).mean() / 64).backward()
        optimizer.step()
    assert model(x).mean().item() > first / 2
    assert model(images_of(16, (1, 8, 8))).mean() < model(x).mean() - 64 * math.log(2)


def test_same_seed_same_numbers():
    model, x = model_of((1, 8, 8)), images_of(3, (1, 8, 8))
    for call in (
        model,
        lambda x: model.parts(x)["log_likelihood"],
        lambda x: model.sample(2),
        lambda x: model.regret(x, 2, 0.1),
    ):
        torch.manual_seed(7)
        one = call(x)
        torch.manual_seed(7)
        assert torch.equal(call(x), one)


def test_refuses():
    with pytest.raises(ValueError, match="samples is 0; expected 1 or more"):
        vae.Options(samples=0)
