"""The layers of Glow.

They are activation normalisation with an invertible 1x1 convolution, affine coupling, and Gaussian
priors. Sections and tables are those of Kingma & Dhariwal, NeurIPS 2018 (arXiv 1807.03039). Under
autocast, all but the networks stays float32.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def zero_conv(c_in: int, c_out: int) -> nn.Conv2d:
    """Return a 3x3 convolution that starts as zero (section 3.3).

    What it controls then starts as constant.
    """
    conv = nn.Conv2d(c_in, c_out, 3, padding=1)
    for p in conv.parameters():
        nn.init.zeros_(p)
    return conv


class Mix(nn.Module):
    """Activation normalisation, then an invertible 1x1 convolution.

    At each pixel, y = W exp(-log_std) (x - mean) with W = P L (U + diag(s)) (section 3.2, eq. 10):
    P a fixed permutation, L unit lower and U strictly upper triangular, the signs of s fixed, so W
    cannot become singular. log|det| = height width sum_c (log|s_c| - log_std_c). One matrix product
    does both layers.
    """

    permutation: Tensor
    sign: Tensor

    def __init__(self, c: int) -> None:
        super().__init__()
        self.mean, self.log_std = nn.Parameter(torch.zeros(c)), nn.Parameter(torch.zeros(c))
        p, lower, upper = torch.linalg.lu(
            torch.linalg.qr(torch.randn(c, c))[0]
        )  # a random rotation
        self.register_buffer("permutation", p.argmax(dim=1))
        self.register_buffer("sign", upper.diag().sign())
        self.lower, self.upper = nn.Parameter(lower.tril(-1)), nn.Parameter(upper.triu(1))
        self.log_s = nn.Parameter(upper.diag().abs().log())

    def initialise(self, x: Tensor) -> None:
        """Set mean and standard deviation of each channel to those of the batch x, (N, C, H, W).

        The latter to at least 1e-3, for constant channels.
        """
        std, mean = torch.std_mean(x, dim=(0, 2, 3))
        self.mean.data.copy_(mean)
        self.log_std.data.copy_(std.clamp(min=1e-3).log())

    def weight(self) -> Tensor:
        """Return W (C, C), from its factors P, L, U and s."""
        lower = self.lower.tril(-1) + torch.eye(
            len(self.sign), dtype=self.sign.dtype, device=self.sign.device
        )
        return (lower @ (self.upper.triu(1) + torch.diag(self.sign * self.log_s.exp())))[
            self.permutation
        ]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map x (N, C, H, W) to y of the same shape, and return log|det| in nats too.

        That is a scalar: it is the same for each image.
        """
        with torch.autocast(x.device.type, enabled=False):
            weight = self.weight() * torch.exp(-self.log_std)
            # A product over the last dimension, not a convolution: cuDNN would compute that in
            # TF32.
            y = F.linear(x.movedim(1, -1), weight, -weight @ self.mean).movedim(-1, 1)
        return y, x[0, 0].numel() * (self.log_s - self.log_std).sum()

    def inverse(self, y: Tensor) -> Tensor:
        """The x of y, both (N, C, H, W); W is inverted in float64."""
        with torch.autocast(y.device.type, enabled=False):
            weight = torch.linalg.inv(self.weight().double()).to(y.dtype)
            x = F.linear(y.movedim(1, -1), weight).movedim(-1, 1)
        return x * self.log_std.exp()[:, None, None] + self.mean[:, None, None]


class Coupling(nn.Module):
    """Affine coupling (table 1): channels a | b to a | (b - t(a)) s(a), log|det| = sum log s.

    s = low + (1 - low) sigmoid(raw + 2). The paper has low = 0. Then 1 / s has no bound, and a few
    samples in a hundred run away to infinity through the steps.
    """

    low = 0.1

    def __init__(self, c: int, hidden: int) -> None:
        super().__init__()
        first, middle = nn.Conv2d((c + 1) // 2, hidden, 3, padding=1), nn.Conv2d(hidden, hidden, 1)
        self.net = nn.Sequential(
            first,
            nn.ReLU(inplace=True),
            middle,
            nn.ReLU(inplace=True),
            zero_conv(hidden, c // 2 * 2),
        )

    def halves_shift_scale(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return a and b, and for b shift and scale in (low, 1), functions of a alone.

        This is what forward and inverse share.
        """
        a, b = x.chunk(2, dim=1)
        shift, raw = self.net(a).to(a.dtype).chunk(2, dim=1)
        return a, b, shift, self.low + (1 - self.low) * torch.sigmoid(raw + 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map x (N, C, H, W) to y of the same shape; also log|det| of each image in nats, (N,)."""
        a, b, shift, scale = self.halves_shift_scale(x)
        return torch.cat([a, (b - shift) * scale], dim=1), scale.log().sum(dim=(1, 2, 3))

    def inverse(self, y: Tensor) -> Tensor:
        """The x of y, both (N, C, H, W): exact, as the half that decides is passed on unchanged."""
        a, b, shift, scale = self.halves_shift_scale(y)
        return torch.cat([a, b / scale + shift], dim=1)


class Prior(nn.Module):
    """A diagonal Gaussian over `shape` (C, H, W).

    Each element has a learned mean and log standard deviation. A convolution of the `c_in` channels
    that stay is added to both; in the last level none stay.
    """

    def __init__(self, shape: tuple[int, int, int], c_in: int) -> None:
        super().__init__()
        self.mean, self.log_std = nn.Parameter(torch.zeros(shape)), nn.Parameter(torch.zeros(shape))
        self.net = zero_conv(c_in, 2 * shape[0]) if c_in else None

    def mean_and_log_std(self, a: Tensor) -> tuple[Tensor, Tensor]:
        """Return those of z given a (N, c_in, H, W): (N, C, H, W), or (C, H, W) if none stay."""
        if self.net is None:
            return self.mean, self.log_std
        mean, log_std = self.net(a).to(a.dtype).chunk(2, dim=1)
        return mean + self.mean, log_std + self.log_std

    def forward(self, z: Tensor, a: Tensor) -> Tensor:
        """log N(z; mean(a), std(a)^2) of each image, nats, (N,)."""
        mean, log_std = self.mean_and_log_std(a)
        return -(
            0.5 * ((z - mean) * torch.exp(-log_std)) ** 2 + log_std + 0.5 * math.log(2 * math.pi)
        ).sum(dim=(1, 2, 3))

    def sample(self, a: Tensor) -> Tensor:
        """Draw z for each of a, (N, C, H, W).

        Random numbers come from the CPU generator, so that z is the same on any device.
        """
        mean, log_std = self.mean_and_log_std(a)
        return mean + log_std.exp() * torch.randn(len(a), *self.mean.shape).to(mean)
