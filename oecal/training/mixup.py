"""Mixup, a control without outliers: cross-entropy of images mixed in pairs, with their labels.

Zhang, Cisse, Dauphin & Lopez-Paz, "mixup: Beyond Empirical Risk Minimization", ICLR 2018 (arXiv
1710.09412): x = lambda x_i + (1 - lambda) x_j, y = lambda y_i + (1 - lambda) y_j, lambda ~
Beta(alpha, alpha).
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
    """How strongly images are mixed."""

    alpha: float = 1.0
    """both parameters of the Beta distribution of lambda; 1, as for CIFAR-10 in the paper, is the
    uniform distribution"""

    def __post_init__(self) -> None:
        if not self.alpha > 0:
            raise ValueError(f"alpha is {self.alpha}; expected a number above 0")


def draw_share(alpha: float) -> float:
    """lambda ~ Beta(alpha, alpha), from torch's global CPU generator."""
    parameter = torch.tensor(alpha, dtype=torch.float64)
    return torch.distributions.Beta(parameter, parameter).sample().item()


def loss(
    model: nn.Module, images: Tensor, labels: Tensor, outliers: None, options: Options
) -> dict[str, Tensor]:
    """lambda CE(f(x), y_i) + (1 - lambda) CE(f(x), y_j), in nats, of images mixed in pairs.

    One lambda a batch and partners from a permutation of it, as in the authors' code. Random
    numbers come from torch's global CPU generator, on any device. Returns `loss`, to be minimised.
    """
    share, partner = draw_share(options.alpha), torch.randperm(len(images)).to(images.device)
    logits = model(share * images + (1 - share) * images[partner]).float()
    return {
        "loss": share * F.cross_entropy(logits, labels)
        + (1 - share) * F.cross_entropy(logits, labels[partner])
    }
