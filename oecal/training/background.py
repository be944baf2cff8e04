"""The background model of likelihood ratios: trained on images with random pixels replaced.

Ren et al., "Likelihood Ratios for Out-of-Distribution Detection", NeurIPS 2019 (arXiv 1906.02845),
section 3: what is left to learn is the background statistics. The paper takes mutation rates of 0.1
to 0.3, and an L2 penalty on the weights (`weight_decay`).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

FOR = ("density",)
OUTLIERS = False


@dataclass(frozen=True)
class Options:
    """How much of an image is replaced."""

    rate: float = 0.2
    """probability that a value is replaced by one of the 256 levels, each as likely"""

    def __post_init__(self) -> None:
        if not 0 <= self.rate <= 1:
            raise ValueError(f"rate is {self.rate}; expected a number from 0 to 1")


def mutate(images: Tensor, rate: float) -> Tensor:
    """Replace each value of images (N, C, H, W) in [0, 1] with probability `rate`.

    The new values are k / 255, k uniform in 0..255. Random numbers come from torch's global CPU
    generator, on any device.
    """
    replaced = torch.rand(images.shape) < rate
    levels = torch.randint(256, images.shape) / 255
    return torch.where(replaced.to(images.device), levels.to(images.device), images)


def loss(
    model: nn.Module, images: Tensor, labels: Tensor, outliers: None, options: Options
) -> dict[str, Tensor]:
    """Mean NLL of the mutated images, nats per dimension. Returns `loss`, to be minimised."""
    return {"loss": -model(mutate(images, options.rate)).mean() / images[0].numel()}
