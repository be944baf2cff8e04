"""Distributions of 8-bit levels given a decoder's outputs: log-probabilities, and draws.

Over the 256 levels the probabilities sum to one, but for gaussian_density, see there.

Shapes, everywhere: x (N, C, H, W) in [0, 1], multiples of 1/255; raw (N, C, P, H, W), P numbers for
each channel of each pixel. All pixels and channels are independent given raw, so log p(x | z) is a
sum over them. Means and scales are on the axis t = 2x - 1, where level v is the interval 2v/255 - 1
+- 1/255 and the levels 0 and 255 also take the tails.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

HALF = 1 / 255  # half the width of a level on the axis t
# Of log scales: from an eighth of a level's width to ten times the whole range.
LOWEST, HIGHEST = -7.0, 3.0


class Likelihood(NamedTuple):
    """`log_prob(x, raw)`: nats, (N, C, H, W).

    `draw(raw)`: an x. `start`: (P,) what raw should be, or be near, before training.
    """

    log_prob: Callable[[Tensor, Tensor], Tensor]
    draw: Callable[[Tensor], Tensor]
    start: Tensor


def draw_uniform(like: Tensor) -> Tensor:
    """Draw uniform numbers inside (0, 1), of a tensor's shape and on its device.

    They come from the CPU generator, so that they are the same on any device.
    """
    return torch.rand(like.shape).clamp(1e-7, 1 - 1e-7).to(like.device)


def to_levels(t: Tensor) -> Tensor:
    """Return the x whose interval holds t."""
    return ((t + 1) * 127.5).round().clamp(0, 255) / 255


def categorical_log_prob(x: Tensor, raw: Tensor) -> Tensor:
    """log softmax(raw)_v at the level v of x; P = 256."""
    level = (x * 255).round().long()
    # No copy where the levels lie together in memory, then twice as fast.
    rows = raw.movedim(2, -1).reshape(-1, raw.shape[2])
    return -F.cross_entropy(rows, level.flatten(), reduction="none").view_as(level)


def draw_index(logits: Tensor) -> Tensor:
    """Draw an index along dimension 2, with probability softmax(logits).

    It is where the cumulated probabilities pass a uniform number.
    """
    below = logits.softmax(dim=2).cumsum(dim=2)[:, :, :-1] < draw_uniform(
        logits[:, :, 0]
    ).unsqueeze(2)
    return below.sum(dim=2)


def categorical_draw(raw: Tensor) -> Tensor:
    """Draw a level with probability softmax(raw); P = 256."""
    return draw_index(raw) / 255


def logistic_level(t: Tensor, mean: Tensor, log_scale: Tensor) -> Tensor:
    """log [F(u) - F(l)], F the logistic cdf, u and l = (t +- 1/255 - mean) / scale.

    Shapes broadcast. log(F(u) - F(l)) = log F(u) + log(1 - F(l)) + log(1 - e^(l - u)): exact, and
    finite where the difference underflows. The form of PixelCNN++ (Salimans et al., ICLR 2017,
    arXiv 1701.05517, section 2.1) without its approximations.
    """
    log_scale = log_scale.clamp(LOWEST, HIGHEST)
    inverse = torch.exp(-log_scale)
    middle, half = inverse * (t - mean), inverse * HALF
    # log F(u), log(1 - F(l))
    above, below = F.logsigmoid(middle + half), F.logsigmoid(half - middle)
    # u - l from the scale alone: u and l may be huge.
    inside = above + below + torch.log(-torch.expm1(-2 * half))
    return torch.where(t < -0.999, above, torch.where(t > 0.999, below, inside))


def logistic_log_prob(x: Tensor, raw: Tensor) -> Tensor:
    """A discretised logistic for each channel of each pixel; P = 2: mean, log scale."""
    return logistic_level(2 * x - 1, raw[:, :, 0], raw[:, :, 1])


def logistic_draw(raw: Tensor) -> Tensor:
    """Draw a level from the logistic, by its quantile function; P = 2: mean, log scale."""
    u = draw_uniform(raw[:, :, 0])
    return to_levels(
        raw[:, :, 0] + raw[:, :, 1].clamp(LOWEST, HIGHEST).exp() * (u.log() - (-u).log1p())
    )


def mixture_log_prob(x: Tensor, raw: Tensor) -> Tensor:
    """A mixture of M discretised logistics.

    P = 3M: M weights before the softmax, M means, M log scales.
    """
    weight, mean, log_scale = torch.unflatten(raw, 2, (3, -1)).unbind(2)
    level = logistic_level((2 * x - 1).unsqueeze(2), mean, log_scale)
    return torch.logsumexp(weight + level, dim=2) - torch.logsumexp(weight, dim=2)


def mixture_draw(raw: Tensor) -> Tensor:
    """Draw a component by its weight, then a level of it; P = 3M, as in `mixture_log_prob`."""
    weight, mean, log_scale = torch.unflatten(raw, 2, (3, -1)).unbind(2)
    chosen = draw_index(weight).unsqueeze(2)
    return logistic_draw(torch.cat([mean.gather(2, chosen), log_scale.gather(2, chosen)], dim=2))


def gaussian_log_prob(x: Tensor, raw: Tensor) -> Tensor:
    """A discretised Gaussian, log [Phi(u) - Phi(l)]; P = 2: mean, log standard deviation.

    In float64, and with u and l mirrored to the side where Phi is small: log Phi(u) + log(1 -
    e^(log Phi(l) - log Phi(u))).
    """
    t, mean = 2 * x.double() - 1, raw[:, :, 0].double()
    inverse = torch.exp(-raw[:, :, 1].double().clamp(LOWEST, HIGHEST))
    middle, half = inverse * (t - mean), inverse * HALF
    side = -middle.abs()
    upper, lower = torch.special.log_ndtr(side + half), torch.special.log_ndtr(side - half)
    inside = upper + torch.log(-torch.expm1(lower - upper))
    tail = torch.special.log_ndtr(torch.where(t < 0, middle, -middle) + half)
    return torch.where(t.abs() > 0.999, tail, inside)


def gaussian_draw(raw: Tensor) -> Tensor:
    """Draw a level from the Gaussian, by its quantile function; P = 2: mean, log scale."""
    return to_levels(
        raw[:, :, 0]
        + raw[:, :, 1].clamp(LOWEST, HIGHEST).exp()
        * torch.special.ndtri(draw_uniform(raw[:, :, 0]))
    )


def density_log_prob(x: Tensor, raw: Tensor) -> Tensor:
    """log [N(t; mean, sd) 2/255]: the Gaussian DENSITY at a level's middle times its width.

    P = 2: mean, log standard deviation. What squared-error VAEs maximise, in units that compare.
    The tails outside of [-1, 1] are lost: with a standard deviation of at least a level's width,
    the levels sum to at most 1, so bits are an upper bound. Unlike the discretised Gaussian, it
    gives black and white pixels no tail to put a mean into.
    """
    log_scale = raw[:, :, 1].clamp(math.log(2 * HALF), HIGHEST)
    z = (2 * x - 1 - raw[:, :, 0]) * torch.exp(-log_scale)
    return -0.5 * z.square() - log_scale - 0.5 * math.log(2 * math.pi) + math.log(2 * HALF)


def bernoulli_log_prob(x: Tensor, raw: Tensor) -> Tensor:
    """p(v) = e^(a v / 255) / Z(a), v = 0 .. 255; P = 1: the logit a.

    The numerator is the Bernoulli likelihood lambda^x (1 - lambda)^(1 - x), a = log(lambda / (1 -
    lambda)), that older VAEs use with grey levels x; by itself it is no distribution of them and
    its nats compare with no other model's. Here it is divided by its sum over the 256 levels, as
    the continuous Bernoulli is by its integral (Loaiza-Ganem & Cunningham, NeurIPS 2019, arXiv
    1907.06845), so bits/dim compare. Z is a geometric sum: with b = |a| / 510, log Z = a/2 +
    log(sinh(256 b) / sinh(b)).
    """
    a = raw[:, :, 0]
    b = (a.abs() / 510).clamp(min=1e-5)  # at 0 the quotient is 0/0; the clamp shifts log Z by 1e-6
    log_ratio = 255 * b + torch.log(torch.expm1(-512 * b) / torch.expm1(-2 * b))
    return a * (x - 0.5) - log_ratio


def bernoulli_draw(raw: Tensor) -> Tensor:
    """Draw a level from the distribution of `bernoulli_log_prob`; P = 1."""
    return categorical_draw(
        raw[:, :, :1] * torch.linspace(0, 1, 256, device=raw.device).view(-1, 1, 1)
    )


def make_likelihood(name: str, mixtures: int) -> Likelihood:
    """Return the likelihood of this name; `mixtures` logistics, where it is a mixture."""
    if name == "categorical":
        return Likelihood(categorical_log_prob, categorical_draw, torch.zeros(256))
    if name == "logistic":
        return Likelihood(logistic_log_prob, logistic_draw, torch.tensor([0.0, -1.5]))
    if name == "logistic_mixture":
        # Narrow logistics spread over the range of t: from one broad one, training takes longer.
        start = torch.cat(
            [torch.zeros(mixtures), torch.linspace(-1, 1, mixtures), torch.full((mixtures,), -2.5)]
        )
        return Likelihood(mixture_log_prob, mixture_draw, start)
    if name == "gaussian":
        return Likelihood(gaussian_log_prob, gaussian_draw, torch.tensor([0.0, -1.0]))
    if name == "gaussian_density":
        return Likelihood(density_log_prob, gaussian_draw, torch.tensor([0.0, -1.0]))
    if name == "bernoulli":
        return Likelihood(bernoulli_log_prob, bernoulli_draw, torch.zeros(1))
    raise ValueError(
        f"likelihood is {name}; expected one of: logistic_mixture, categorical, logistic, "
        "bernoulli, gaussian, gaussian_density"
    )
