"""Background class: cross-entropy of a classifier with one more class, that of the outliers.

The older alternative to Outlier Exposure: Dhamija, Günther & Boult, "Reducing Network
Agnostophobia", NeurIPS 2018 (arXiv 1811.04110); Thulasidasan et al., "An Effective Baseline for
Robustness to Distributional Shift", 2021 (arXiv 2105.07107): E_in[-log p_y(x)] + lambda E_out[-log
p_{K+1}(x)] with the softmax p over K + 1 classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FOR = ("classifier",)
OUTLIERS = True
EXTRA_CLASSES = 1  # the network has K + 1 outputs; the last is the background


@dataclass(frozen=True)
class Options:
    """Weight of the outliers."""

    weight: float = 1.0
    """lambda, the factor on the outlier loss; one mean over all N images and M outliers, as in the
    papers, is the weight M / N"""

    def __post_init__(self) -> None:
        if not self.weight >= 0:
            raise ValueError(f"weight is {self.weight}; expected 0 or more")


def loss(
    model: nn.Module, images: Tensor, labels: Tensor, outliers: Tensor, options: Options
) -> dict[str, Tensor]:
    """E_in[CE(f(x), y)] + lambda E_out[CE(f(x), K + 1)], in nats.

    Both batches go through the network as one. Returns `loss`, to be minimised, and its two parts
    before weighting.
    """
    logits = model(torch.cat([images, outliers])).float()
    inside = F.cross_entropy(logits[: len(images)], labels)
    outside = F.cross_entropy(
        logits[len(images) :], labels.new_full((len(outliers),), logits.shape[1] - 1)
    )
    return {"loss": inside + options.weight * outside, "loss_in": inside, "loss_out": outside}
