import math

import numpy as np
import pytest
import torch
from scipy.stats import logistic, norm

from oecal.models import likelihoods

NAMES = ("logistic_mixture", "categorical", "logistic", "bernoulli", "gaussian")
LEVELS = torch.arange(256) / 255


def raw_of(name, c, size, spread):
    """Random raw numbers (1, C, P, size, size)."""
    torch.manual_seed(3)
    start = likelihoods.make_likelihood(name, 3).start
    return start.view(-1, 1, 1) + spread * torch.randn(1, c, len(start), size, size)


def cdf_differences(cdf, mean, scale):
    """log p of the 256 levels: of each its interval, of the edges the tails."""
    edges = (np.arange(257) - 0.5) * 2 / 255 - 1
    edges[0], edges[-1] = -np.inf, np.inf
    return np.log(np.diff(cdf(edges, mean, scale)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("c", [1, 3])
@pytest.mark.parametrize("spread", [0.0, 1.0, 8.0])
def test_probabilities_of_the_levels_sum_to_one(name, c, spread):
    raw = raw_of(name, c, 2, spread)
    x = LEVELS.view(256, 1, 1, 1).expand(256, c, 2, 2)
    log_p = likelihoods.make_likelihood(name, 3).log_prob(x, raw.expand(256, *raw.shape[1:]))
    assert log_p.shape == (256, c, 2, 2)
    torch.testing.assert_close(
        log_p.double().logsumexp(dim=0),
        torch.zeros(c, 2, 2, dtype=torch.float64),
        atol=2e-4,
        rtol=0,
    )


@pytest.mark.parametrize("name, cdf", [("logistic", logistic.cdf), ("gaussian", norm.cdf)])
@pytest.mark.parametrize("mean, log_scale", [(0.1, -2.0), (-1.2, -1.0), (0.0, 0.5), (0.3, -4.0)])
def test_discretised_equals_scipy(name, cdf, mean, log_scale):
    raw = torch.tensor([mean, log_scale]).view(1, 1, 2, 1, 1).expand(256, 1, 2, 1, 1)
    found = (
        likelihoods.make_likelihood(name, 1)
        .log_prob(LEVELS.view(256, 1, 1, 1), raw)
        .flatten()
        .double()
        .numpy()
    )
    with np.errstate(divide="ignore"):
        known = cdf_differences(cdf, mean, math.exp(log_scale))
    use = known > math.log(1e-9)  # further out the differences of scipy's cdf lose their digits
    np.testing.assert_allclose(found[use], known[use], atol=2e-3)


def test_a_mixture_of_equal_logistics_is_one_and_weights_count():
    one = raw_of("logistic", 1, 2, 0.5)
    same = torch.cat(
        [
            torch.randn(1, 1, 3, 2, 2),
            one[:, :, :1].repeat(1, 1, 3, 1, 1),
            one[:, :, 1:].repeat(1, 1, 3, 1, 1),
        ],
        dim=2,
    )
    x = torch.rand(1, 1, 2, 2).mul(255).round() / 255
    torch.testing.assert_close(
        likelihoods.mixture_log_prob(x, same), likelihoods.logistic_log_prob(x, one)
    )
    raw = torch.tensor([math.log(3.0), 0.0, -0.5, 0.5, -3.0, -3.0]).view(
        1, 1, 6, 1, 1
    )  # weights 3/4, 1/4
    below = LEVELS[:128].view(128, 1, 1, 1)
    assert likelihoods.mixture_log_prob(
        below, raw.expand(128, 1, 6, 1, 1)
    ).exp().sum().item() == pytest.approx(0.75, abs=1e-3)


@pytest.mark.parametrize("a", [-600.0, -3.0, 0.0, 1e-4, 0.5, 40.0])
def test_bernoulli_is_the_usual_one_over_its_sum(a):
    """Unnormalised: lambda^x (1 - lambda)^(1 - x); the normaliser is its sum over the levels."""
    x = LEVELS.double()
    unnormalised = (
        x * a - math.log1p(math.exp(-abs(a))) - max(a, 0)
    )  # x log lambda + (1 - x) log(1 - lambda)
    known = unnormalised - torch.logsumexp(unnormalised, dim=0)
    found = likelihoods.bernoulli_log_prob(
        LEVELS.view(256, 1, 1, 1), torch.full((256, 1, 1, 1, 1), a)
    ).flatten()
    torch.testing.assert_close(found.double(), known, atol=2e-4, rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [0.0, 30.0, -30.0, 1e4, -1e4])
def test_extreme_raws_give_finite_values_and_gradients(name, size):
    start = likelihoods.make_likelihood(name, 2).start
    signs = torch.tensor([1.0, -1.0, 1.0]).repeat(100)[: len(start)]
    for pattern in (torch.ones(len(start)), signs):
        raw = (size * pattern).view(1, 1, -1, 1, 1).expand(3, 1, -1, 1, 1).clone().requires_grad_()
        log_p = likelihoods.make_likelihood(name, 2).log_prob(
            torch.tensor([0.0, 128 / 255, 1.0]).view(3, 1, 1, 1), raw
        )
        log_p.sum().backward()
        assert torch.isfinite(log_p).all()
        assert (log_p < 1e-4).all()
        assert torch.isfinite(raw.grad).all()


@pytest.mark.parametrize("name", NAMES)
def test_draws_follow_the_probabilities(name):
    """The frequencies of 16 groups of levels among 40,000 draws are close to probabilities.

    That is, they are within five standard errors.
    """
    likelihood, n = likelihoods.make_likelihood(name, 3), 40000
    raw = raw_of(name, 1, 1, 0.7)
    drawn = likelihood.draw(raw.expand(n, *raw.shape[1:])).flatten()
    assert torch.equal((drawn * 255).round() / 255, drawn)
    p = (
        likelihood.log_prob(LEVELS.view(256, 1, 1, 1), raw.expand(256, *raw.shape[1:]))
        .exp()
        .view(16, 16)
        .sum(dim=1)
        .double()
    )
    found = torch.bincount((drawn * 255).round().long() // 16, minlength=16) / n
    assert ((found - p).abs() <= 5 * (p * (1 - p) / n).sqrt() + 1e-6).all()


def test_gradient_of_each_log_prob():
    for name in NAMES:
        likelihood = likelihoods.make_likelihood(name, 2)
        raw = raw_of(name, 1, 1, 0.5).double().requires_grad_()
        x = torch.full((1, 1, 1, 1), 77 / 255, dtype=torch.float64)
        assert torch.autograd.gradcheck(
            lambda r, x=x, f=likelihood.log_prob: f(x, r), (raw,), eps=1e-5, atol=1e-4
        )


def test_refuses_an_unknown_name():
    with pytest.raises(ValueError, match="likelihood is poisson; expected one of"):
        likelihoods.make_likelihood("poisson", 1)


def test_gaussian_density_stays_a_bound():
    """However narrow a scale is asked for, and wherever the mean lies."""
    x = torch.arange(256, dtype=torch.float64).view(256, 1, 1, 1) / 255
    for mean in (0.0, 1 / 255, 0.3 / 255):
        raw = (
            torch.tensor([mean, -7.0], dtype=torch.float64)
            .view(1, 1, 2, 1, 1)
            .expand(256, 1, 2, 1, 1)
        )
        assert (
            likelihoods.make_likelihood("gaussian_density", 1).log_prob(x, raw).exp().sum().item()
            <= 1 + 1e-6
        )


@pytest.mark.parametrize("mean, log_scale", [(0.1, -2.0), (-1.2, -1.0), (0.9, 0.5)])
def test_gaussian_density_against_scipy_and_it_sums_to_no_more_than_one(mean, log_scale):
    x = torch.arange(256, dtype=torch.float64).view(256, 1, 1, 1) / 255
    raw = (
        torch.tensor([mean, log_scale], dtype=torch.float64)
        .view(1, 1, 2, 1, 1)
        .expand(256, 1, 2, 1, 1)
    )
    found = likelihoods.make_likelihood("gaussian_density", 1).log_prob(x, raw).flatten()
    expected = norm.logpdf(2 * x.flatten().numpy() - 1, mean, math.exp(log_scale)) + math.log(
        2 / 255
    )
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9)
    inside = norm.cdf(1 + 1 / 255, mean, math.exp(log_scale)) - norm.cdf(
        -1 - 1 / 255, mean, math.exp(log_scale)
    )
    assert found.exp().sum().item() == pytest.approx(inside, abs=1e-4)
