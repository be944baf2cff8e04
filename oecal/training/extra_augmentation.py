"""The control that tells Outlier Exposure from more data: strongly augmented copies, no outliers.

The batch is as large, and costs as much, as one with outliers, whose place is taken by copies of
the batch's own images with their true labels, each cropped and erased in another way: resized crops
as of Szegedy et al. 2015 (arXiv 1409.4842), Random Erasing of Zhong et al. 2020 (arXiv 1708.04896).
Neither is one of the corruptions that a study evaluates. Outliers with random labels, drawn anew in
each step, would be no such control: the expectation of their cross-entropy over the labels is
Outlier Exposure's term.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FOR = ("classifier",)
OUTLIERS = False


@dataclass(frozen=True)
class Options:
    """Number, weight and strength of the copies."""

    share: float = 2.0
    """copies per image; outlier_batch_size / batch_size of the training to compare with, 2 in the
    Outlier Exposure paper"""
    weight: float = 0.5
    """factor on the loss of the copies; as of the outliers in objective `oe`"""
    crop: float = 0.6
    """a crop's side is at least this share of the image's"""
    erase: float = 0.5
    """each side of the erased rectangle is at most this share of the image's"""

    def __post_init__(self) -> None:
        if not (self.share > 0 and self.weight >= 0):
            raise ValueError(
                f"share is {self.share}, weight is {self.weight}; "
                "expected a share above 0 and a weight of 0 or more"
            )
        if not 0 < self.crop <= 1:
            raise ValueError(f"crop is {self.crop}; expected a number above 0, at most 1")
        if not 0 <= self.erase <= 1:
            raise ValueError(f"erase is {self.erase}; expected a number from 0 to 1")


def crop_randomly(images: Tensor, smallest: float) -> Tensor:
    """Enlarge a random part of each image (N, C, H, W) to the whole (bilinear).

    Its sides are `smallest` to 1 times the image's.
    """
    n, _, height, width = images.shape
    scale = smallest + (1 - smallest) * torch.rand(n, 1)
    middle = (1 - scale) * (2 * torch.rand(2, n, 1) - 1)  # an image spans -1 to 1
    x, y = (
        scale * ((2 * torch.arange(size) + 1) / size - 1) + m
        for size, m in zip((width, height), middle, strict=True)
    )
    grid = torch.stack(
        [x[:, None, :].expand(n, height, width), y[:, :, None].expand(n, height, width)], dim=3
    )
    return F.grid_sample(images, grid.to(images.device), padding_mode="border", align_corners=False)


def erase_randomly(images: Tensor, largest: float) -> Tensor:
    """Fill a random rectangle of each image (N, C, H, W) with the image's mean.

    Its sides are 0 to `largest` times the image's.
    """
    n, _, height, width = images.shape

    def interval(side: int) -> Tensor:
        length = largest * side * torch.rand(n, 1)
        start = (side - length) * torch.rand(n, 1)
        middle = torch.arange(side) + 0.5  # of each pixel
        return (start <= middle) & (middle < start + length)

    rectangle = interval(height)[:, None, :, None] & interval(width)[:, None, None, :]
    return torch.where(rectangle.to(images.device), images.mean(dim=(2, 3), keepdim=True), images)


def loss(
    model: nn.Module, images: Tensor, labels: Tensor, outliers: None, options: Options
) -> dict[str, Tensor]:
    """Cross-entropy of the images + weight * cross-entropy of their augmented copies, in nats.

    Both go through the network as one batch. Random numbers come from torch's global CPU generator,
    on any device. Returns `loss`, to be minimised, and its two parts before weighting.
    """
    copied = torch.arange(max(1, round(options.share * len(images))), device=images.device) % len(
        images
    )
    extra = erase_randomly(crop_randomly(images[copied], options.crop), options.erase)
    logits = model(torch.cat([images, extra])).float()
    inside, outside = (
        F.cross_entropy(logits[: len(images)], labels),
        F.cross_entropy(logits[len(images) :], labels[copied]),
    )
    return {"loss": inside + options.weight * outside, "loss_in": inside, "loss_extra": outside}
