"""Mixture Outlier Exposure: cross-entropy, plus that of mixtures of data and outliers.

The targets of mixtures lie between label and uniform: Zhang, Inkawhich, Linderman, Chen & Li,
"Mixture Outlier Exposure: Towards Out-of-Distribution Detection in Fine-Grained Environments", WACV
2023 (arXiv 2106.03917), with linear mixing: E_in[CE(f(x), y)] + beta E[CE(f(x'), y')], x' = lambda
x + (1 - lambda) x_out, y' = lambda y + (1 - lambda) U, lambda ~ Beta(alpha, alpha). OpenOOD's is
another method: it pastes rectangles (CutMix), and its beta is the second parameter of the Beta
distribution.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from oecal.training.mixup import draw_share
from oecal.training.oe import uniform_cross_entropy

FOR = ("classifier",)
OUTLIERS = True


@dataclass(frozen=True)
class Options:
    """How data and outliers are mixed, and the weight of the mixtures."""

    alpha: float = 1.0
    """both parameters of the Beta distribution of lambda, the share of the data in a mixture; 1 is
    the uniform distribution"""
    beta: float = 1.0
    """factor on the loss of the mixtures; 1 is the default of the authors' code, for fine-grained
    sets they take 5"""

    def __post_init__(self) -> None:
        if not self.alpha > 0:
            raise ValueError(f"alpha is {self.alpha}; expected a number above 0")
        if not self.beta >= 0:
            raise ValueError(f"beta is {self.beta}; expected 0 or more")


def loss(
    model: nn.Module, images: Tensor, labels: Tensor, outliers: Tensor, options: Options
) -> dict[str, Tensor]:
    """Cross-entropy of the data + beta * cross-entropy of the mixtures, in nats.

    Outlier m is mixed with image m of the batch, counted on from its start where there are more
    outliers than images; one lambda a batch, from torch's global CPU generator. Data and mixtures
    go through the network as one batch (the authors take two passes, in which batch normalisation
    sees two distributions). Returns `loss`, to be minimised, and its two parts before weighting.
    """
    share, partner = (
        draw_share(options.alpha),
        torch.arange(len(outliers), device=images.device) % len(images),
    )
    logits = model(torch.cat([images, share * images[partner] + (1 - share) * outliers])).float()
    inside, mixed = F.cross_entropy(logits[: len(images)], labels), logits[len(images) :]
    outside = (
        share * F.cross_entropy(mixed, labels[partner])
        + (1 - share) * uniform_cross_entropy(mixed).mean()
    )
    return {"loss": inside + options.beta * outside, "loss_in": inside, "loss_out": outside}
