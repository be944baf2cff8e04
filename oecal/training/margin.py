"""Outlier Exposure for a density model: a margin between the likelihoods of data and outliers.

Hendrycks, Mazeika & Dietterich, ICLR 2019 (arXiv 1812.04606), section 4.4: max(0, m + nll(x_in) -
nll(x_out)), added to the NLL. The paper gives neither the unit of the margin nor the weight of the
term, and its code was not released; both are options here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

FOR = ("density",)
OUTLIERS = True


@dataclass(frozen=True)
class Options:
    """Size, unit and weight of the margin."""

    margin: float = 1.0
    """how much less likely than data an outlier shall be"""
    unit: Literal["bits_per_dim", "nats_per_image"] = "bits_per_dim"
    """unit of the margin"""
    weight: float = 1.0
    """factor on the margin loss, which is in nats per dimension like the NLL"""
    reduction: Literal["pairs", "means"] = "pairs"
    """pairs: the hinge of each (data, outlier) pair, then the mean; means: the hinge of the two
    batch means"""

    def __post_init__(self) -> None:
        if not (self.margin >= 0 and self.weight >= 0):
            raise ValueError(
                f"margin is {self.margin}, weight is {self.weight}; expected 0 or more"
            )


def hinge(nll_in: Tensor, nll_out: Tensor, margin: float, reduction: str) -> Tensor:
    """max(0, margin + nll_in - nll_out), all in one unit.

    The mean over all pairs of the two batches, or that of their means.
    """
    if reduction == "means":
        return torch.relu(margin + nll_in.mean() - nll_out.mean())
    return torch.relu(margin + nll_in[:, None] - nll_out[None, :]).mean()


def loss(
    model: nn.Module, images: Tensor, labels: Tensor, outliers: Tensor, options: Options
) -> dict[str, Tensor]:
    """NLL of the data + weight * hinge, in nats per dimension.

    Returns `loss` and its two parts before weighting.
    """
    dims = images[0].numel()
    nll = -model(torch.cat([images, outliers])) / dims
    nll_in, nll_out = nll[: len(images)], nll[len(images) :]
    margin = (
        options.margin * math.log(2) if options.unit == "bits_per_dim" else options.margin / dims
    )
    outside = hinge(nll_in, nll_out, margin, options.reduction)
    return {
        "loss": nll_in.mean() + options.weight * outside,
        "loss_in": nll_in.mean(),
        "loss_out": outside,
    }
