"""Gated PixelCNN with a discretised mixture of logistics: an exact log-likelihood of 8-bit images.

log p(x) = sum_i log p(x_i | x_<i), pixels in raster order, channels of a pixel in order. The gated blocks with a vertical and a
horizontal stack (no blind spot) are those of van den Oord et al., "Conditional Image Generation with PixelCNN Decoders", NeurIPS 2016
(arXiv 1606.05328); the output distribution is that of Salimans et al., "PixelCNN++", ICLR 2017 (arXiv 1701.05517), eq. 2 and 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

KIND = "density"


@dataclass(frozen=True)
class Options:
    """Architecture of a gated PixelCNN."""

    blocks: int = 5
    """gated blocks after the first layer"""
    channels: int = 32
    """channels of each stack"""
    mixtures: int = 5
    """logistics in the mixture of a pixel"""

    def __post_init__(self) -> None:
        for name in ("blocks", "channels", "mixtures"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; write 1 or more")


def gate(x: Tensor) -> Tensor:
    """tanh(a) * sigmoid(b) for the halves a, b of the channels (van den Oord et al., eq. 2)."""
    a, b = x.chunk(2, dim=1)
    return (2 * torch.sigmoid(2 * a) - 1) * torch.sigmoid(b)  # = tanh(a) sigmoid(b); on a CPU tanh itself takes four times as long


class GatedBlock(nn.Module):
    """One layer of both stacks. `k` is the (odd) kernel width; the first layer must not see the pixel itself.

    The vertical stack sees the rows above: rows y-k//2 .. y, shifted down by one where it enters the horizontal stack. The
    horizontal stack sees the pixels to the left and, but for the first layer, its own features at the pixel.
    """

    def __init__(self, c_in: int, channels: int, k: int, first: bool) -> None:
        super().__init__()
        self.first, self.k = first, k
        rows, columns = k // 2 + 1, k // 2 + (0 if first else 1)
        self.vertical = nn.Conv2d(c_in, 2 * channels, (rows, k))
        self.horizontal = nn.Conv2d(c_in, 2 * channels, (1, columns))
        self.to_horizontal = nn.Conv2d(2 * channels, 2 * channels, 1)
        self.mix = nn.Conv2d(channels, channels, 1)

    def forward(self, v: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        half = self.k // 2
        above = self.vertical(F.pad(v, (half, half, half, 0)))
        below = F.pad(above, (0, 0, 1, 0))[:, :, :-1]  # row y now knows the rows up to y - 1 only
        left = F.pad(h, (half, 0, 0, 0))
        if self.first:
            left = left[..., :-1]
        out = self.mix(gate(self.horizontal(left) + self.to_horizontal(below)))
        return gate(above), out if self.first else h + out


class PixelCNN(nn.Module):
    """Maps images in [0, 1], (N, C, H, W), multiples of 1/255, to log p(x) in nats, (N,) float64."""

    def __init__(self, options: Options, shape: tuple[int, int, int]) -> None:
        super().__init__()
        c, self.mixtures = shape[0], options.mixtures
        self.pairs = c * (c - 1) // 2  # how a channel's mean depends on the channels before it, per mixture component
        width = options.channels
        self.first = GatedBlock(c, width, 7, first=True)
        self.blocks = nn.ModuleList(GatedBlock(width, width, 3, first=False) for _ in range(options.blocks))
        last = nn.Conv2d(2 * width, self.mixtures * (1 + 2 * c + self.pairs), 1)
        self.head = nn.Sequential(nn.ReLU(), nn.Conv2d(width, 2 * width, 1), nn.ReLU(), last)
        # Start as narrow logistics spread over the range of x: from one broad one, training takes about twice as long.
        start = torch.zeros(self.mixtures, 2 * c + self.pairs)
        start[:, :c] = torch.linspace(-1, 1, self.mixtures)[:, None]
        start[:, c : 2 * c] = -3.0
        last.bias = nn.Parameter(torch.cat([torch.zeros(self.mixtures), start.flatten()]))

    def parameters_of(self, x: Tensor) -> Tensor:
        """Raw distribution parameters of each pixel, (N, M (1 + 2C + C(C-1)/2), H, W)."""
        v, h = self.first(x, x)
        for block in self.blocks:
            v, h = block(v, h)
        return self.head(h)

    def forward(self, x: Tensor) -> Tensor:
        x = 2 * x - 1
        raw = self.parameters_of(x)
        return log_mixture_of_logistics(x, raw.float(), self.mixtures).sum(dim=(1, 2), dtype=torch.float64)


def log_mixture_of_logistics(x: Tensor, raw: Tensor, mixtures: int) -> Tensor:
    """log p of each pixel (all channels together), nats, (N, H, W).

    x: (N, C, H, W) in [-1, 1], 256 levels 2/255 apart. p(x) = sum_m pi_m prod_c [F((x_c + 1/255 - mu_mc) / s_mc) -
    F((x_c - 1/255 - mu_mc) / s_mc)] with the logistic cdf F, the edge levels 0 and 255 taking the tails, and
    mu_mc = raw mean + sum_{c' < c} coefficient_mcc' x_c' (PixelCNN++, eq. 2 and 3).
    """
    n, c, height, width = x.shape
    logit_pi, rest = raw[:, :mixtures], raw[:, mixtures:].view(n, mixtures, -1, height, width)
    mean, log_scale, coefficients = rest[:, :, :c], rest[:, :, c : 2 * c].clamp(min=-7), torch.tanh(rest[:, :, 2 * c :])
    target = x.unsqueeze(1)
    if c > 1:
        shifted, at = [mean[:, :, 0]], 0
        for channel in range(1, c):
            before = coefficients[:, :, at : at + channel] * target[:, :, :channel]
            shifted.append(mean[:, :, channel] + before.sum(dim=2))
            at += channel
        mean = torch.stack(shifted, dim=2)
    inverse = torch.exp(-log_scale)
    upper, lower = inverse * (target - mean + 1 / 255), inverse * (target - mean - 1 / 255)
    # log(F(u) - F(l)) = log F(u) + log(1 - F(l)) + log(1 - e^(l - u)): exact, and finite where the difference underflows.
    inside = F.logsigmoid(upper) + F.logsigmoid(-lower) + torch.log(-torch.expm1(lower - upper))
    level = torch.where(target < -0.999, F.logsigmoid(upper), torch.where(target > 0.999, F.logsigmoid(-lower), inside))
    return torch.logsumexp(F.log_softmax(logit_pi, dim=1) + level.sum(dim=2), dim=1)


def build(options: Options, shape: tuple[int, int, int], classes: int) -> PixelCNN:
    """A freshly initialised network for images of `shape` (C, H, W); `classes` is not used, labels play no part."""
    return PixelCNN(options, shape)
