"""Glow, a multi-scale normalising flow: a lower bound of the log-likelihood of 8-bit images.

Kingma & Dhariwal, "Glow: Generative Flow with Invertible 1x1 Convolutions", NeurIPS 2018 (arXiv 1807.03039): table 1 and figure 2.
An invertible network f maps y to z, log p(y) = log p(z) + log|det df/dy|. Images x are discrete, so f sees them uniformly dequantised
(Theis et al., arXiv 1511.01844, section 3.1): y = (255 x + u) / 256, u ~ U[0, 1) in each of the D dimensions, and

    log P(x) = log E_u[p(y)] - D log 256 >= E_u[log p(y)] - D log 256.

The right-hand side is estimated with one u per image: a lower bound in expectation, not for each draw.

Only the networks in the couplings and in the conditional priors run in bfloat16 under autocast; all else stays float32. The density
stays a valid one: whatever function of the half that stays a coupling's network computes, rounded or not, the coupling is inverted
exactly and its Jacobian is triangular.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from oecal.errors import OecalError

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
    """dequantised values y in [0, 1) enter as logit(alpha + (1 - 2 alpha) y); 0: as y - 0.5, as in the paper"""

    def __post_init__(self) -> None:
        for name in ("levels", "steps", "channels"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; write 1 or more")
        if self.alpha != 0 and not 1e-5 <= self.alpha < 0.5:  # below that, float32 does not tell 1 - alpha from 1 well enough
            raise ValueError(f"alpha is {self.alpha}; write 0, or a number from 0.00001 to below 0.5")


def zero_conv(c_in: int, c_out: int) -> nn.Conv2d:
    """A 3x3 convolution that starts as zero, so that what it controls starts as constant (section 3.3)."""
    conv = nn.Conv2d(c_in, c_out, 3, padding=1)
    for p in conv.parameters():
        nn.init.zeros_(p)
    return conv


class Mix(nn.Module):
    """Activation normalisation, then an invertible 1x1 convolution: y = W exp(-log_std) (x - mean) at each pixel.

    W = P L (U + diag(s)) (section 3.2, eq. 10): P a fixed permutation, L unit lower and U strictly upper triangular, the signs of s
    fixed, so W cannot become singular. log|det| = height width sum_c (log|s_c| - log_std_c). One matrix product does both layers.
    """

    permutation: Tensor
    sign: Tensor

    def __init__(self, c: int) -> None:
        super().__init__()
        self.mean, self.log_std = nn.Parameter(torch.zeros(c)), nn.Parameter(torch.zeros(c))
        p, lower, upper = torch.linalg.lu(torch.linalg.qr(torch.randn(c, c))[0])  # a random rotation
        self.register_buffer("permutation", p.argmax(dim=1))
        self.register_buffer("sign", upper.diag().sign())
        self.lower, self.upper = nn.Parameter(lower.tril(-1)), nn.Parameter(upper.triu(1))
        self.log_s = nn.Parameter(upper.diag().abs().log())

    def initialise(self, x: Tensor) -> None:
        """Sets mean and standard deviation of each channel over the batch x, (N, C, H, W); at least 1e-3, for constant channels."""
        std, mean = torch.std_mean(x, dim=(0, 2, 3))
        self.mean.data.copy_(mean)
        self.log_std.data.copy_(std.clamp(min=1e-3).log())

    def weight(self) -> Tensor:
        lower = self.lower.tril(-1) + torch.eye(len(self.sign), dtype=self.sign.dtype, device=self.sign.device)
        return (lower @ (self.upper.triu(1) + torch.diag(self.sign * self.log_s.exp())))[self.permutation]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        with torch.autocast(x.device.type, enabled=False):
            weight = self.weight() * torch.exp(-self.log_std)
            # A product over the last dimension, not a convolution: cuDNN would compute that in TF32.
            y = F.linear(x.movedim(1, -1), weight, -weight @ self.mean).movedim(-1, 1)
        return y, x[0, 0].numel() * (self.log_s - self.log_std).sum()

    def inverse(self, y: Tensor) -> Tensor:
        with torch.autocast(y.device.type, enabled=False):
            weight = torch.linalg.inv(self.weight().double()).to(y.dtype)
            x = F.linear(y.movedim(1, -1), weight).movedim(-1, 1)
        return x * self.log_std.exp()[:, None, None] + self.mean[:, None, None]


class Coupling(nn.Module):
    """Affine coupling (table 1): channels a | b to a | (b - t(a)) s(a), log|det| = sum log s, with s = low + (1 - low) sigmoid(raw + 2).

    The paper has low = 0. Then 1 / s has no bound, and a few samples in a hundred run away to infinity through the steps.
    """

    low = 0.1

    def __init__(self, c: int, hidden: int) -> None:
        super().__init__()
        first, middle = nn.Conv2d((c + 1) // 2, hidden, 3, padding=1), nn.Conv2d(hidden, hidden, 1)
        self.net = nn.Sequential(first, nn.ReLU(inplace=True), middle, nn.ReLU(inplace=True), zero_conv(hidden, c // 2 * 2))

    def halves_shift_scale(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        a, b = x.chunk(2, dim=1)
        shift, raw = self.net(a).to(a.dtype).chunk(2, dim=1)
        return a, b, shift, self.low + (1 - self.low) * torch.sigmoid(raw + 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        a, b, shift, scale = self.halves_shift_scale(x)
        return torch.cat([a, (b - shift) * scale], dim=1), scale.log().sum(dim=(1, 2, 3))

    def inverse(self, y: Tensor) -> Tensor:
        a, b, shift, scale = self.halves_shift_scale(y)
        return torch.cat([a, b / scale + shift], dim=1)


class Prior(nn.Module):
    """A diagonal Gaussian over `shape` (C, H, W), with a learned mean and log standard deviation of each element.

    A convolution of the `c_in` channels that stay is added to both; in the last level none stay.
    """

    def __init__(self, shape: tuple[int, int, int], c_in: int) -> None:
        super().__init__()
        self.mean, self.log_std = nn.Parameter(torch.zeros(shape)), nn.Parameter(torch.zeros(shape))
        self.net = zero_conv(c_in, 2 * shape[0]) if c_in else None

    def mean_and_log_std(self, a: Tensor) -> tuple[Tensor, Tensor]:
        if self.net is None:
            return self.mean, self.log_std
        mean, log_std = self.net(a).to(a.dtype).chunk(2, dim=1)
        return mean + self.mean, log_std + self.log_std

    def forward(self, z: Tensor, a: Tensor) -> Tensor:
        """log N(z; mean(a), std(a)^2) of each image, nats, (N,)."""
        mean, log_std = self.mean_and_log_std(a)
        return -(0.5 * ((z - mean) * torch.exp(-log_std)) ** 2 + log_std + 0.5 * math.log(2 * math.pi)).sum(dim=(1, 2, 3))

    def sample(self, a: Tensor) -> Tensor:
        mean, log_std = self.mean_and_log_std(a)
        return mean + log_std.exp() * torch.randn(len(a), *self.mean.shape).to(mean)


class Level(nn.Module):
    """One scale: squeeze, steps of flow, and a prior for all channels (`last`) or for the second half of them."""

    def __init__(self, shape: tuple[int, int, int], steps: int, hidden: int, last: bool) -> None:
        super().__init__()
        c, height, width = shape
        self.block = 1 if height % 2 or width % 2 else 2  # pixels to a side that become channels; with an odd side, none
        c, height, width = c * self.block**2, height // self.block, width // self.block
        if c < 2:
            what = f"one channel of {height} x {width} cannot be halved, as a side is odd"
            raise OecalError(f"glow: {what}; give images with even sides, or write fewer levels")
        self.mixes = nn.ModuleList(Mix(c) for _ in range(steps))
        self.couplings = nn.ModuleList(Coupling(c, hidden) for _ in range(steps))
        self.stays = 0 if last else (c + 1) // 2
        self.out_shape = (self.stays, height, width)
        self.prior = Prior((c - self.stays, height, width), self.stays)

    def forward(self, x: Tensor, initialise: bool = False) -> tuple[Tensor, Tensor]:
        """The channels that stay (N, c, h, w), and log-determinants + log-prior of those that leave, (N,) float64."""
        x = F.pixel_unshuffle(x, self.block).contiguous(memory_format=torch.channels_last)  # for Mix, and for fast convolutions
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
        """From the channels that stay, and a draw of the others, to the images that entered this level."""
        x = torch.cat([x, self.prior.sample(x)], dim=1)
        for mix, coupling in zip(reversed(self.mixes), reversed(self.couplings), strict=True):
            x = x.clamp(-1e4, 1e4)  # features of data have size 1; a draw that runs away shall end black or white, not as NaN
            x = mix.inverse(coupling.inverse(x))  # type: ignore[operator]
        return F.pixel_shuffle(x, self.block)


class Glow(nn.Module):
    """Maps images in [0, 1], (N, C, H, W), multiples of 1/255, to an estimate of log P(x) from below, nats, (N,) float64."""

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
        """What enters the flow, and the log-determinant of getting there, (N,) float64.

        Large areas of black or white are spikes of width 1/256 in the density of y. The logit (Dinh et al., Real NVP,
        arXiv 1605.08803, section 4.1) widens them, so that the flow does not have to learn it.
        """
        if not self.alpha:
            return y - 0.5, torch.zeros(len(y), dtype=torch.float64, device=y.device)
        p = self.alpha + (1 - 2 * self.alpha) * y
        log_det = math.log(1 - 2 * self.alpha) - torch.log(p) - torch.log1p(-p)
        return torch.logit(p), log_det.sum(dim=(1, 2, 3), dtype=torch.float64)

    def log_density(self, y: Tensor, initialise: bool = False) -> tuple[Tensor, Tensor]:
        """log p(y) of dequantised images in nats, and the last level's part of it; both (N,) float64."""
        x, total = self.spread(y)
        for level in self.levels:
            x, part = level(x, initialise)
            total = total + part
        return total, part

    def parts(self, x: Tensor) -> dict[str, Tensor]:
        """Of each image, nats: `log_likelihood`, as `forward` gives; `last_scale`, the last level's log-determinants and log-prior alone
        (Schirrmeister et al., NeurIPS 2020, arXiv 2006.10848)."""
        y = (255 * x + torch.rand(x.shape).to(x)) / 256  # a new tensor: noise added in place would be added again at each look
        if self.training and not self.initialised:
            with torch.no_grad():
                self.log_density(y, initialise=True)
            self.initialised.fill_(True)
        total, last = self.log_density(y)
        return {"log_likelihood": total - x[0].numel() * math.log(256), "last_scale": last}

    def forward(self, x: Tensor) -> Tensor:
        return self.parts(x)["log_likelihood"]

    @torch.no_grad()
    def sample(self, n: int) -> Tensor:
        """n images (n, C, H, W), multiples of 1/255 in [0, 1]: y of a z from the prior, rounded down to 8 bits, clipped."""
        y = torch.empty(n, *self.top, device=self.initialised.device)  # no channel stays in the last level
        for level in reversed(self.levels):
            y = level.inverse(y)  # type: ignore[operator]
        y = (torch.sigmoid(y) - self.alpha) / (1 - 2 * self.alpha) if self.alpha else y + 0.5
        return (256 * y).floor().clamp(0, 255) / 255


def build(options: Options, shape: tuple[int, int, int], classes: int) -> Glow:
    """A flow for images of `shape` (C, H, W); `classes` is not used, labels play no part."""
    return Glow(options, shape)
