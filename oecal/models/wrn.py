"""Wide residual network (WRN-depth-width), the classifier of the Outlier Exposure paper.

Zagoruyko & Komodakis, "Wide Residual Networks", BMVC 2016 (arXiv 1605.07146): pre-activation
residual blocks in three groups of (depth - 4) / 6 blocks with 16k, 32k and 64k channels for width
k; the second and third group halve the resolution.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

KIND = "classifier"
OUTPUTS = ("logits", "features")


@dataclass(frozen=True)
class Options:
    """Architecture of a WRN."""

    depth: int = 40
    """number of convolutions: 6n + 4"""
    width: int = 2
    """factor on the channels 16, 32, 64"""
    dropout: float = 0.3
    """probability of dropping a channel value between the two convolutions of a block"""

    def __post_init__(self) -> None:
        if self.depth < 10 or (self.depth - 4) % 6:
            raise ValueError(f"depth is {self.depth}; expected 6n + 4: 10, 16, 22, 28, 40, ...")
        if self.width < 1:
            raise ValueError(f"width is {self.width}; expected 1 or more")
        if not 0 <= self.dropout < 1:
            raise ValueError(
                f"dropout is {self.dropout}; expected a number from 0 up to, not including, 1"
            )


class Block(nn.Module):
    """BN-ReLU-conv twice, added to the input; a 1x1 convolution where the shape changes."""

    def __init__(self, c_in: int, c_out: int, stride: int, dropout: float) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(c_in)
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.shortcut = (
            None if c_in == c_out and stride == 1 else nn.Conv2d(c_in, c_out, 1, stride, bias=False)
        )
        self.dropout = nn.Dropout(dropout)  # a module, so that it can be switched on alone

    def forward(self, x: Tensor) -> Tensor:
        """x (N, c_in, H, W) to (N, c_out, H / stride, W / stride)."""
        h = F.relu(self.norm1(x))
        skip = x if self.shortcut is None else self.shortcut(h)
        h = self.dropout(F.relu(self.norm2(self.conv1(h))))
        out: Tensor = skip + self.conv2(h)
        return out


class WRN(nn.Module):
    """Maps images in [0, 1], (N, C, H, W), to logits (N, K)."""

    def __init__(self, options: Options, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels = [16 * options.width, 32 * options.width, 64 * options.width]
        self.stem = nn.Conv2d(shape[0], 16, 3, padding=1, bias=False)
        blocks, c_in = [], 16
        for c_out, stride in zip(channels, (1, 2, 2), strict=True):
            for n in range((options.depth - 4) // 6):
                blocks.append(Block(c_in, c_out, stride if n == 0 else 1, options.dropout))
                c_in = c_out
        self.blocks = nn.Sequential(*blocks)
        self.norm = nn.BatchNorm2d(c_in)
        self.head = nn.Linear(c_in, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(self.head.bias)

    def features(self, x: Tensor) -> Tensor:
        """The input of the last layer, (N, D): channel means of the last feature map."""
        h = self.blocks(self.stem(2 * x - 1))
        return F.relu(self.norm(h)).mean(dim=(2, 3))

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, K) of images in [0, 1]: the head of `features`."""
        logits: Tensor = self.head(self.features(x))
        return logits


def build(options: Options, shape: tuple[int, int, int], classes: int) -> WRN:
    """Return a fresh network for images of `shape` (C, H, W).

    Its weights are drawn from torch's global generator.
    """
    return WRN(options, shape, classes)
