"""Glow, a multi-scale normalising flow: a lower bound of the log-likelihood of 8-bit images.

Kingma & Dhariwal, "Glow: Generative Flow with Invertible 1x1 Convolutions", NeurIPS 2018 (arXiv
1807.03039): table 1 and figure 2. An invertible network f maps y to z, log p(y) = log p(z) +
log|det df/dy|. Images x are discrete, so f sees them uniformly dequantised (Theis et al., arXiv
1511.01844, section 3.1): y = (255 x + u) / 256, u ~ U[0, 1) in each of the D dimensions, and

    log P(x) = log E_u[p(y)] - D log 256 >= E_u[log p(y)] - D log 256.

The right-hand side is estimated with one u per image: a lower bound in expectation, not for each
draw.

Only the networks in the couplings and in the conditional priors run in bfloat16 under autocast; all
else stays float32. The density stays a valid one: whatever function of the half that stays a
coupling's network computes, rounded or not, the coupling is inverted exactly and its Jacobian is
triangular.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from oecal.core.errors import OecalError
from oecal.models.flow_layers import Coupling, Mix, Prior

KIND = "density"
OUTPUTS = ("log_likelihood", "last_scale")


@dataclass(frozen=True)
class Options:
    """Architecture of a Glow."""

    levels: int = 2
    """scales; each but the last ends with half of its channels leaving for the prior"""
    steps: int = 8
    """steps of flow in each level"""
    channels: int = 32
    """hidden channels of a coupling's network"""
    alpha: float = 0.002
    """dequantised values y in [0, 1) enter as logit(alpha + (1 - 2 alpha) y); 0: as y - 0.5, as in
    the paper"""

    def __post_init__(self) -> None:
        for name in ("levels", "steps", "channels"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; expected 1 or more")
        # Below that, float32 does not tell 1 - alpha from 1 well enough.
        if self.alpha != 0 and not 1e-5 <= self.alpha < 0.5:
            raise ValueError(
                f"alpha is {self.alpha}; expected 0, or a number from 0.00001 to below 0.5"
            )


class Level(nn.Module):
    """One scale: squeeze, steps of flow, and a prior.

    The prior is for all channels in the last scale, else for the second half of them.
    """

    def __init__(self, shape: tuple[int, int, int], steps: int, hidden: int, last: bool) -> None:
        super().__init__()
        c, height, width = shape
        # Pixels to a side that become channels; with an odd side, none.
        self.block = 1 if height % 2 or width % 2 else 2
        c, height, width = c * self.block**2, height // self.block, width // self.block
        if c < 2:
            what = f"one channel of {height} x {width} cannot be split further, as a side is odd"
            raise OecalError(f"glow: {what}; use images with even sides, or fewer levels")
        self.mixes = nn.ModuleList(Mix(c) for _ in range(steps))
        self.couplings = nn.ModuleList(Coupling(c, hidden) for _ in range(steps))
        self.stays = 0 if last else (c + 1) // 2
        self.out_shape = (self.stays, height, width)
        self.prior = Prior((c - self.stays, height, width), self.stays)

    def forward(self, x: Tensor, initialise: bool = False) -> tuple[Tensor, Tensor]:
        """Return the channels that stay (N, c, h, w), and what the others contribute to log p.

        The latter are log-determinants + log-prior, (N,) float64.
        """
        x = F.pixel_unshuffle(x, self.block).contiguous(
            memory_format=torch.channels_last
        )  # for Mix, and for fast convolutions
        total = torch.zeros(len(x), dtype=torch.float64, device=x.device)
        for mix, coupling in zip(self.mixes, self.couplings, strict=True):
            if initialise:
                mix.initialise(x)  # type: ignore[operator]
            x, of_mix = mix(x)
            x, of_coupling = coupling(x)
            total = total + of_mix + of_coupling
        stays, leaves = x[:, : self.stays], x[:, self.stays :]
        return stays, total + self.prior(leaves, stays)

    def inverse(self, x: Tensor) -> Tensor:
        """Return the images that entered this level, from the channels that stay.

        The other channels are drawn.
        """
        x = torch.cat([x, self.prior.sample(x)], dim=1)
        for mix, coupling in zip(reversed(self.mixes), reversed(self.couplings), strict=True):
            # Features of data have size 1: a draw that runs away shall end black or white, not NaN.
            x = x.clamp(-1e4, 1e4)
            x = mix.inverse(coupling.inverse(x))  # type: ignore[operator]
        return F.pixel_shuffle(x, self.block)


class Glow(nn.Module):
    """Maps images (N, C, H, W) to an estimate of log P(x) from below, nats, (N,) float64.

    Images are in [0, 1], multiples of 1/255.
    """

    initialised: Tensor

    def __init__(self, options: Options, shape: tuple[int, int, int]) -> None:
        super().__init__()
        # One flag for all layers: each look at a flag makes the CPU wait for the GPU.
        self.register_buffer("initialised", torch.tensor(False))
        self.alpha, self.levels = options.alpha, nn.ModuleList()
        for index in range(options.levels):
            level = Level(shape, options.steps, options.channels, last=index == options.levels - 1)
            self.levels.append(level)
            shape = level.out_shape
        self.top = shape

    def spread(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return what enters the flow, and the log-determinant of getting there, (N,) float64.

        Large areas of black or white are spikes of width 1/256 in the density of y. The logit (Dinh
        et al., Real NVP, arXiv 1605.08803, section 4.1) widens them, so that the flow does not have
        to learn it.
        """
        if not self.alpha:
            return y - 0.5, torch.zeros(len(y), dtype=torch.float64, device=y.device)
        p = self.alpha + (1 - 2 * self.alpha) * y
        log_det = math.log(1 - 2 * self.alpha) - torch.log(p) - torch.log1p(-p)
        return torch.logit(p), log_det.sum(dim=(1, 2, 3), dtype=torch.float64)

    def log_density(self, y: Tensor, initialise: bool = False) -> tuple[Tensor, Tensor]:
        """Return log p(y) of dequantised images and the last level's part of it.

        Both are in nats, (N,) float64.
        """
        x, total = self.spread(y)
        for level in self.levels:
            x, part = level(x, initialise)
            total = total + part
        return total, part

    def parts(self, x: Tensor) -> dict[str, Tensor]:
        """Return `log_likelihood`, as `forward` gives, and `last_scale`, in nats, (N,) float64.

        The latter is the last level's log-determinants and log-prior alone (Schirrmeister et al.,
        NeurIPS 2020, arXiv 2006.10848).
        """
        # A new tensor: noise added in place would be added again at each look.
        y = (255 * x + torch.rand(x.shape).to(x)) / 256
        if self.training and not self.initialised:
            with torch.no_grad():
                self.log_density(y, initialise=True)
            self.initialised.fill_(True)
        total, last = self.log_density(y)
        return {"log_likelihood": total - x[0].numel() * math.log(256), "last_scale": last}

    def forward(self, x: Tensor) -> Tensor:
        """Return log p(x) in nats, (N,) float64, of x in [0, 1].

        It is a bound, with one draw of the dequantisation noise.
        """
        return self.parts(x)["log_likelihood"]

    @torch.no_grad()
    def sample(self, n: int) -> Tensor:
        """Draw n images (n, C, H, W), multiples of 1/255 in [0, 1].

        They are the y of a z from the prior, rounded down to 8 bits and clipped.
        """
        # No channel stays in the last level.
        y = torch.empty(n, *self.top, device=self.initialised.device)
        for level in reversed(self.levels):
            y = level.inverse(y)  # type: ignore[operator]
        y = (torch.sigmoid(y) - self.alpha) / (1 - 2 * self.alpha) if self.alpha else y + 0.5
        return (256 * y).floor().clamp(0, 255) / 255


def build(options: Options, shape: tuple[int, int, int], classes: int) -> Glow:
    """Return a flow for images of `shape` (C, H, W); labels play no part, nor do `classes`."""
    return Glow(options, shape)
