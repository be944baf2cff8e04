"""Outlier Exposure for a classifier: cross-entropy, plus that of outliers from uniform.

Auxiliary outliers shall be answered with the uniform distribution: Hendrycks, Mazeika & Dietterich,
"Deep Anomaly Detection with Outlier Exposure", ICLR 2019 (arXiv 1812.04606), sections 3 and 4.3.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FOR = ("classifier",)
OUTLIERS = True


@dataclass(frozen=True)
class Options:
    """Weight of the outliers."""

    weight: float = 0.5
    """lambda, the factor on the outlier loss; 0.5 in the paper's vision experiments"""

    def __post_init__(self) -> None:
        if not self.weight >= 0:
            raise ValueError(f"weight is {self.weight}; expected 0 or more")


def uniform_cross_entropy(logits: Tensor) -> Tensor:
    """-1/K sum_k log softmax(z)_k of each row z of logits (N, K), in nats; at least log K.

    It is computed as logsumexp(z) - mean_k z_k.
    """
    return torch.logsumexp(logits, dim=1) - logits.mean(dim=1)


def loss(
    model: nn.Module, images: Tensor, labels: Tensor, outliers: Tensor, options: Options
) -> dict[str, Tensor]:
    """E_in[CE(f(x), y)] + lambda E_out[CE(f(x), uniform)], in nats.

    Both batches go through the network as one, so that batch normalisation sees one distribution;
    two passes are known to hurt. Returns `loss`, to be minimised, and its two parts before
    weighting.
    """
    logits = model(torch.cat([images, outliers])).float()
    inside = F.cross_entropy(logits[: len(images)], labels)
    outside = uniform_cross_entropy(logits[len(images) :]).mean()
    return {"loss": inside + options.weight * outside, "loss_in": inside, "loss_out": outside}
