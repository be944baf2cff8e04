"""The ordinary objective, without outliers: cross-entropy, or a density model's NLL."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

FOR = ("classifier", "density")
OUTLIERS = False


@dataclass(frozen=True)
class Options:
    """Nothing to choose."""


def loss(
    model: nn.Module, images: Tensor, labels: Tensor, outliers: None, options: Options
) -> dict[str, Tensor]:
    """Mean loss of a batch: cross-entropy in nats, or NLL in nats per dimension.

    images: (N, C, H, W) in [0, 1]; labels: (N,). Returns `loss`, to be minimised.
    """
    out = model(images)
    if out.ndim == 1:  # log-likelihoods
        return {"loss": -out.mean() / images[0].numel()}
    return {"loss": F.cross_entropy(out.float(), labels)}
