"""PixelCNN++: an autoregressive model with an exact log-likelihood of 8-bit images.

log p(x) = sum_i log p(x_i | x_<i), pixels in raster order, channels of a pixel in order. Salimans,
Karpathy, Chen & Kingma, "PixelCNN++", ICLR 2017 (arXiv 1701.05517): gated residual blocks in two
streams, one that sees the rows above (down) and one that also sees the pixels to the left (down and
right); strided convolutions to lower resolutions and back, with short-cuts between the two passes;
a mixture of discretised logistics with linear dependence between the colour channels (section 2).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from oecal.models.likelihoods import HIGHEST, LOWEST, logistic_level, to_levels

KIND = "density"
OUTPUTS = ("log_likelihood",)


@dataclass(frozen=True)
class Options:
    """Architecture of a PixelCNN++."""

    channels: int = 32
    """channels of each of the two streams"""
    blocks: int = 2
    """gated residual blocks at each resolution, in each of the two passes"""
    levels: int = 2
    """resolutions: 1 keeps the image's, each further one halves it"""
    mixtures: int = 5
    """logistics in the mixture of a pixel"""
    dropout: float = 0.0
    """probability of dropping a channel value inside a block"""

    def __post_init__(self) -> None:
        for name in ("channels", "blocks", "levels", "mixtures"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; expected 1 or more")
        if not 0 <= self.dropout < 1:
            raise ValueError(
                f"dropout is {self.dropout}; expected a number from 0 up to, not including, 1"
            )


class Causal(nn.Module):
    """A convolution whose output at a pixel sees the rows above it and its own.

    Of the columns it sees as many on both sides or, with `right`, only those to the left and its
    own. kernel: (rows, columns); a stride of 2 keeps the pixels of even row and column.
    """

    def __init__(
        self, c_in: int, c_out: int, kernel: tuple[int, int], right: bool, stride: int = 1
    ) -> None:
        super().__init__()
        rows, columns = kernel
        self.margin = (
            (columns - 1, 0, rows - 1, 0) if right else (columns // 2, columns // 2, rows - 1, 0)
        )
        self.conv = nn.Conv2d(c_in, c_out, kernel, stride)

    def forward(self, x: Tensor) -> Tensor:
        """x (N, c_in, H, W) to (N, c_out, H, W), or half of H and W with a stride of 2.

        Zeros stand above and beside the image.
        """
        h: Tensor = self.conv(F.pad(x, self.margin))
        return h


class GatedResidual(nn.Module):
    """x + a sigmoid(b), (a, b) from two causal convolutions of x.

    `side` (the other stream, a short-cut) enters between them. ELU stands where Salimans et al.
    concatenate ELU(x) and ELU(-x): on a CPU that takes twice the time for the same gain.
    """

    def __init__(
        self, channels: int, kernel: tuple[int, int], right: bool, side: int, dropout: float
    ) -> None:
        super().__init__()
        self.first = Causal(channels, channels, kernel, right)
        self.side = nn.Conv2d(side, channels, 1) if side else None
        self.second = Causal(channels, 2 * channels, kernel, right)
        self.dropout = dropout

    def forward(self, x: Tensor, side: Tensor | None = None) -> Tensor:
        """x and the result are (N, channels, H, W).

        side: (N, side, H, W), ignored by a layer built without one.
        """
        h = self.first(F.elu(x))
        if self.side is not None and side is not None:
            h = h + self.side(F.elu(side))
        a, b = self.second(F.dropout(F.elu(h), self.dropout, self.training)).chunk(2, dim=1)
        out: Tensor = x + a * torch.sigmoid(b)
        return out


class Streams(nn.Module):
    """One layer of both streams.

    `above` sees the rows above a pixel, `before` all that comes before it; `before` hears from
    `above`.
    """

    def __init__(self, channels: int, shortcut: bool, dropout: float) -> None:
        super().__init__()
        side = channels if shortcut else 0
        self.above = GatedResidual(channels, (2, 3), False, side, dropout)
        self.before = GatedResidual(channels, (2, 2), True, channels + side, dropout)

    def forward(
        self, above: Tensor, before: Tensor, shortcut: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Both streams (N, channels, H, W).

        shortcut: both of a layer of the same resolution on the way down.
        """
        above = self.above(above, shortcut[0] if shortcut else None)
        return above, self.before(
            before, torch.cat([above, shortcut[1]], dim=1) if shortcut else above
        )


class Resize(nn.Module):
    """Both streams to half the resolution, or back to twice the one."""

    def __init__(self, channels: int, up: bool) -> None:
        super().__init__()
        c = channels
        self.above: nn.Module = (
            nn.ConvTranspose2d(c, c, (2, 3), 2) if up else Causal(c, c, (2, 3), False, 2)
        )
        self.before: nn.Module = (
            nn.ConvTranspose2d(c, c, (2, 2), 2) if up else Causal(c, c, (2, 2), True, 2)
        )

    def forward(self, above: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        """Both streams, (N, channels, H, W) each, at the other resolution."""
        return self.above(above), self.before(before)


class PixelCNN(nn.Module):
    """Maps images (N, C, H, W) to log p(x) in nats, (N,) float64.

    Images are in [0, 1], multiples of 1/255.
    """

    def __init__(self, options: Options, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.shape, self.mixtures = shape, options.mixtures
        c, width = shape[0], options.channels
        # How a channel's mean depends on the channels before it, per mixture component.
        pairs = c * (c - 1) // 2
        # The image with a channel of ones, which tells the padding from black.
        self.rows_above = Causal(c + 1, width, (2, 3), False)
        self.row_above = Causal(c + 1, width, (1, 3), False)
        self.to_the_left = Causal(c + 1, width, (2, 1), True)
        self.levels, self.blocks = options.levels, options.blocks
        layers = options.levels * options.blocks
        self.down = nn.ModuleList(Streams(width, False, options.dropout) for _ in range(layers))
        self.up = nn.ModuleList(Streams(width, True, options.dropout) for _ in range(layers))
        self.shrink = nn.ModuleList(Resize(width, up=False) for _ in range(options.levels - 1))
        self.grow = nn.ModuleList(Resize(width, up=True) for _ in range(options.levels - 1))
        self.head = nn.Conv2d(width, self.mixtures * (1 + 2 * c + pairs), 1)
        # Start as narrow logistics spread over the range of x: from one broad one, training takes
        # about twice as long.
        start = torch.zeros(self.mixtures, 2 * c + pairs)
        start[:, :c] = torch.linspace(-1, 1, self.mixtures)[:, None]
        start[:, c : 2 * c] = -3.0
        self.head.bias = nn.Parameter(torch.cat([torch.zeros(self.mixtures), start.flatten()]))

    def parameters_of(self, x: Tensor) -> Tensor:
        """Return raw distribution parameters of each pixel of x in [-1, 1].

        The shape is (N, M (1 + 2C + C(C-1)/2), H, W).
        """
        x = torch.cat([x, torch.ones_like(x[:, :1])], dim=1)
        above = shift_down(self.rows_above(x))
        before = shift_down(self.row_above(x)) + shift_right(self.to_the_left(x))
        shortcuts = []
        for level in range(self.levels):
            if level:
                above, before = self.shrink[level - 1](above, before)
            for layer in self.down[level * self.blocks : (level + 1) * self.blocks]:
                above, before = layer(above, before)
                shortcuts.append((above, before))
        for level in reversed(range(self.levels)):
            for layer in self.up[level * self.blocks : (level + 1) * self.blocks]:
                above, before = layer(above, before, shortcuts.pop())
            if level:
                height, width = shortcuts[-1][0].shape[2:]
                above, before = self.grow[level - 1](above, before)
                # Of a transposed kernel of 3 columns, the middle one is the pixel's own.
                above, before = above[:, :, :height, 1 : width + 1], before[:, :, :height, :width]
        raw: Tensor = self.head(F.elu(before))
        return raw

    def forward(self, x: Tensor) -> Tensor:
        """log p(x) in nats, (N,) float64, of x in [0, 1], multiples of 1/255."""
        x = 2 * x - 1
        raw = self.parameters_of(x).float()
        return log_mixture_of_logistics(x, raw, self.mixtures).sum(dim=(1, 2), dtype=torch.float64)

    def parts(self, x: Tensor) -> dict[str, Tensor]:
        """Return `log_likelihood`, nats, (N,) float64.

        It is exact, so evaluation computes the same as training.
        """
        return {"log_likelihood": self(x)}

    @torch.no_grad()
    def sample(self, n: int) -> Tensor:
        """Draw n images (n, C, H, W) in [0, 1], pixel after pixel given those before."""
        device = self.head.weight.device
        x = torch.zeros(n, *self.shape, device=device)
        for row in range(self.shape[1]):
            for column in range(self.shape[2]):
                # Rows below cannot matter: leaving them out halves the work.
                raw = self.parameters_of(2 * x[:, :, : row + 1] - 1)[:, :, row, column].float()
                x[:, :, row, column] = (draw_pixels(raw, self.shape[0], self.mixtures) + 1) / 2
        return x


def shift_down(h: Tensor) -> Tensor:
    """Move features one row down: row y then knows nothing of the rows from y on."""
    return F.pad(h, (0, 0, 1, 0))[:, :, :-1]


def shift_right(h: Tensor) -> Tensor:
    """Move features one column to the right."""
    return F.pad(h, (1, 0))[..., :-1]


def log_mixture_of_logistics(x: Tensor, raw: Tensor, mixtures: int) -> Tensor:
    """log p of each pixel (all channels together), nats, (N, H, W).

    x: (N, C, H, W) in [-1, 1], 256 levels 2/255 apart. p(x) = sum_m pi_m prod_c [F((x_c + 1/255 -
    mu_mc) / s_mc) - F((x_c - 1/255 - mu_mc) / s_mc)] with the logistic cdf F, the edge levels 0 and
    255 taking the tails, and mu_mc = raw mean + sum_{c' < c} coefficient_mcc' x_c' (PixelCNN++, eq.
    2 and 3).
    """
    n, c, height, width = x.shape
    logit_pi, rest = raw[:, :mixtures], raw[:, mixtures:].view(n, mixtures, -1, height, width)
    mean, log_scale, coefficients = (
        rest[:, :, :c],
        rest[:, :, c : 2 * c],
        torch.tanh(rest[:, :, 2 * c :]),
    )
    target = x.unsqueeze(1)
    if c > 1:
        shifted, at = [mean[:, :, 0]], 0
        for channel in range(1, c):
            before = coefficients[:, :, at : at + channel] * target[:, :, :channel]
            shifted.append(mean[:, :, channel] + before.sum(dim=2))
            at += channel
        mean = torch.stack(shifted, dim=2)
    level = logistic_level(target, mean, log_scale)
    return torch.logsumexp(F.log_softmax(logit_pi, dim=1) + level.sum(dim=2), dim=1)


def draw_pixels(raw: Tensor, channels: int, mixtures: int) -> Tensor:
    """Draw each pixel from its distribution, (N, C) in [-1, 1], multiples of 2/255 from -1.

    raw: (N, M (1 + 2C + C(C-1)/2)). First a component, then channel after channel the logistic's
    inverse cdf, rounded to the nearest level; the tails go to the edge levels. Random numbers come
    from torch's global CPU generator.
    """
    n, c = len(raw), channels
    gumbel = -torch.log(-torch.log(torch.rand(n, mixtures, dtype=torch.float64))).to(raw.device)
    component = (raw[:, :mixtures] + gumbel).argmax(dim=1)
    rest = (
        raw[:, mixtures:]
        .view(n, mixtures, -1)[torch.arange(n, device=raw.device), component]
        .double()
    )
    mean, log_scale, coefficients = (
        rest[:, :c],
        rest[:, c : 2 * c].clamp(LOWEST, HIGHEST),
        torch.tanh(rest[:, 2 * c :]),
    )
    u = torch.rand(n, c, dtype=torch.float64).to(raw.device)
    x, at = torch.zeros_like(mean), 0
    for channel in range(c):
        centre = mean[:, channel] + (coefficients[:, at : at + channel] * x[:, :channel]).sum(dim=1)
        value = centre + log_scale[:, channel].exp() * torch.logit(u[:, channel])
        x[:, channel] = 2 * to_levels(value) - 1
        at += channel
    return x.to(raw.dtype)


def build(options: Options, shape: tuple[int, int, int], classes: int) -> PixelCNN:
    """Return a fresh network for images of `shape` (C, H, W); labels play no part."""
    return PixelCNN(options, shape)
