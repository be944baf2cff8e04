"""Variational autoencoder of 8-bit images: bounds of log p(x), and likelihood regret.

p(x) = integral p(x | z) N(z; 0, I) dz with a convolutional decoder; q(z | x) = N(mean(x), diag
exp(log_variance(x))). Kingma & Welling, "Auto-Encoding Variational Bayes", ICLR 2014 (arXiv
1312.6114). Nothing here is an exact log p(x): all are lower bounds or estimates of lower bounds, of
the DISCRETE image, in nats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from oecal.models.likelihoods import make_likelihood

KIND = "density"
OUTPUTS = ("log_likelihood", "elbo", "reconstruction", "kl")


@dataclass(frozen=True)
class Options:
    """Architecture of a VAE, its observation model, and how log p(x) is estimated."""

    latent: int = 32
    """dimensions of z"""
    channels: int = 16
    """channels at half the image's resolution; twice as many at a quarter"""
    samples: int = 8
    """K, draws of z for an image in evaluation; bounds with different K do not compare"""
    likelihood: Literal[
        "logistic_mixture", "categorical", "logistic", "bernoulli", "gaussian", "gaussian_density"
    ] = "logistic_mixture"
    """of a level given z (likelihoods.py); both gaussians have one learned scale for all pixels,
    gaussian_density is a bound"""
    mixtures: int = 3
    """logistics in the mixture of a pixel's channel (logistic_mixture)"""

    def __post_init__(self) -> None:
        for name in ("latent", "channels", "samples", "mixtures"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; expected 1 or more")


class Residual(nn.Module):
    """h + conv(silu(h)), a 3x3 convolution that keeps the shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, h: Tensor) -> Tensor:
        """h and the result are (N, channels, H, W)."""
        out: Tensor = h + self.conv(F.silu(h))
        return out


class VAE(nn.Module):
    """Maps images (N, C, H, W) to a bound of log p(x) in nats, (N,) float64.

    Images are in [0, 1], multiples of 1/255. The bounds need `encode`, `decode` and `log_prob`
    only; a subclass may replace them.
    """

    def __init__(self, options: Options, shape: tuple[int, int, int]) -> None:
        super().__init__()
        c, self.height, self.width = shape
        self.latent, self.samples = options.latent, options.samples
        rows, columns = -(-self.height // 4), -(-self.width // 4)
        w = options.channels
        self.encoder = nn.Sequential(
            *(
                nn.Conv2d(c, w, 4, 2, 1),
                nn.SiLU(),
                nn.Conv2d(w, 2 * w, 4, 2, 1),
                Residual(2 * w),
                nn.SiLU(),
                nn.Flatten(),
            )
        )
        self.posterior = nn.Linear(2 * w * rows * columns, 2 * self.latent)
        # Convolutions at a quarter and at half of the resolution, whose channels become pixels: on
        # a CPU several times faster than transposed convolutions.
        self.from_latent = nn.Sequential(
            nn.Linear(self.latent, 2 * w * rows * columns), nn.Unflatten(1, (2 * w, rows, columns))
        )
        self.likelihood = make_likelihood(options.likelihood, options.mixtures)
        start = self.likelihood.start
        self.log_scale: nn.Parameter | None = None
        if options.likelihood in ("gaussian", "gaussian_density"):
            self.log_scale, start = nn.Parameter(start[1].clone()), start[:1]
        self.per_channel = len(start)
        last = nn.Conv2d(w, 4 * c * len(start), 3, padding=1)
        last.bias = nn.Parameter(start.repeat(c).repeat_interleave(4))
        self.decoder = nn.Sequential(
            *(
                Residual(2 * w),
                nn.SiLU(),
                nn.Conv2d(2 * w, 4 * w, 3, padding=1),
                nn.PixelShuffle(2),
            ),
            *(Residual(w), nn.SiLU(), last, nn.PixelShuffle(2)),
        )

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of q(z | x), each (N, latent), float32."""
        padded = F.pad(2 * x - 1, (0, -self.width % 4, 0, -self.height % 4))
        h = self.encoder(padded)
        with torch.autocast(x.device.type, enabled=False):
            mean, log_variance = self.posterior(h.float()).chunk(2, dim=1)
        return mean, log_variance.clamp(-15, 10)

    def decode(self, z: Tensor) -> Tensor:
        """Return raw parameters of the levels' distributions, (N, C, P, H, W), float32."""
        raw = self.decoder(self.from_latent(z))[:, :, : self.height, : self.width].float()
        # A plane for each parameter is fastest, but for the softmax over many levels.
        if self.per_channel < 256:
            raw = raw.contiguous()
        levels: Tensor = raw.unflatten(1, (-1, self.per_channel))
        if self.log_scale is None:
            return levels
        return torch.cat([levels, self.log_scale.float().expand_as(levels)], dim=2)

    def log_prob(self, x: Tensor, raw: Tensor) -> Tensor:
        """log p(x | z), nats, (N,) float64."""
        with torch.autocast(x.device.type, enabled=False):
            return self.likelihood.log_prob(x, raw).sum(dim=(1, 2, 3), dtype=torch.float64)

    def noise(self, like: Tensor) -> Tensor:
        """Draw standard normal numbers from the CPU generator."""
        return torch.randn(like.shape).to(like)

    def forward(self, x: Tensor) -> Tensor:
        """Return the ELBO with one draw z of the posterior, log p(x | z) - KL(q(z | x), p(z)).

        Kingma & Welling, eq. 10 with L = 1.
        """
        mean, log_variance = self.encode(x)
        z = mean + torch.exp(log_variance / 2) * self.noise(mean)
        return self.log_prob(x, self.decode(z)) - kl(mean, log_variance)

    def log_weights(self, x: Tensor, samples: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return log weights, reconstructions and KL of K = `samples` draws z.

        log w = log p(x | z) + log p(z) - log q(z | x), (K, N); log p(x | z), (K, N); the analytic
        KL, (N,). One draw for all images at a time: K decoder outputs would be K times as large as
        the images' own numbers.
        """
        mean, log_variance = self.encode(x)
        reconstructions, ratios = [], []
        for _ in range(samples):
            noise = self.noise(mean)
            z = mean + torch.exp(log_variance / 2) * noise
            reconstructions.append(self.log_prob(x, self.decode(z)))
            ratios.append(
                ((noise.double().square() - z.double().square() + log_variance.double()) / 2).sum(
                    dim=1
                )
            )
        reconstruction = torch.stack(reconstructions)
        return reconstruction + torch.stack(ratios), reconstruction, kl(mean, log_variance)

    def parts(self, x: Tensor) -> dict[str, Tensor]:
        """Return estimates with K = `samples` draws of the posterior, each (N,) float64, nats.

        log_likelihood: log 1/K sum_k w_k, the importance-weighted bound (Burda et al., ICLR 2016,
        arXiv 1509.00519, eq. 8); elbo: the mean of log w_k of the same draws, never above it;
        reconstruction: the mean of log p(x | z_k); kl: KL(q(z | x), p(z)), analytic.
        """
        log_w, reconstruction, divergence = self.log_weights(x, self.samples)
        estimate = torch.logsumexp(log_w, dim=0) - math.log(self.samples)
        return {
            "log_likelihood": estimate,
            "elbo": log_w.mean(dim=0),
            "reconstruction": reconstruction.mean(dim=0),
            "kl": divergence,
        }

    def sample(self, n: int) -> Tensor:
        """Draw n images (n, C, H, W) in [0, 1], multiples of 1/255.

        First z from the prior, then each level.
        """
        z = torch.randn(n, self.latent).to(next(self.parameters()).device)
        with torch.no_grad():
            return self.likelihood.draw(self.decode(z))

    def regret(self, x: Tensor, steps: int = 30, lr: float = 0.1, pairs: int = 1) -> Tensor:
        """Return the likelihood regret, nats, (N,) float64, >= 0.

        It is the maximum of the ELBO over the parameters of q, minus the ELBO of the encoder's q:
        Xiao, Yan & Amit, NeurIPS 2020 (arXiv 2003.02977). What is optimised are mean and log
        variance of each image's q(z | x) themselves, not a copy of the encoder for each image: so
        images stay a batch. `steps` steps of Adam with rate `lr`; where the rate is too large or
        the steps too few, the score depends on them. Both ELBOs use the same `pairs` draws and
        their mirror images, so their difference is not the noise of the draws; an image keeps the
        best q that it met. The network's weights stay as they are and gather no gradients, whatever
        grad mode the caller is in.
        """
        kind = x.device.type
        # Autocast may hold copies of the weights, made in inference mode, through which no gradient
        # passes: here it makes its own.
        low = torch.autocast(
            kind,
            torch.get_autocast_dtype(kind),
            torch.is_autocast_enabled(kind),
            cache_enabled=False,
        )
        with torch.inference_mode(False), torch.enable_grad(), low:
            x = x.clone()
            free = [p.detach().clone().requires_grad_() for p in self.encode(x)]
            noise = [
                sign * eps
                for eps in (self.noise(free[0]) for _ in range(pairs))
                for sign in (1, -1)
            ]
            optimizer = torch.optim.Adam(free, lr)
            history = []
            for _ in range(steps + 1):
                mean, log_variance = free
                elbo, gradients = (
                    torch.zeros(len(x), dtype=torch.float64, device=x.device),
                    [torch.zeros_like(p) for p in free],
                )
                for eps in noise:
                    z = mean + torch.exp(log_variance / 2) * eps
                    bound = (self.log_prob(x, self.decode(z)) - kl(mean, log_variance)) / len(noise)
                    elbo += bound.detach()
                    for total, gradient in zip(
                        gradients, torch.autograd.grad(-bound.sum(), free), strict=True
                    ):
                        total += gradient
                history.append(elbo)
                for parameter, gradient in zip(free, gradients, strict=True):
                    parameter.grad = gradient
                optimizer.step()
            return torch.stack(history).amax(dim=0) - history[0]


def kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, diag exp(log_variance)), N(0, I)) in nats, (N,) float64.

    Kingma & Welling, appendix B.
    """
    mean, log_variance = mean.double(), log_variance.double()
    return (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1) / 2


def build(options: Options, shape: tuple[int, int, int], classes: int) -> VAE:
    """Return a fresh network for images of `shape` (C, H, W); labels play no part."""
    return VAE(options, shape)
