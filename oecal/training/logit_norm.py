"""Logit normalisation: cross-entropy of logits of constant length; a control without outliers.

Wei, Xie, Cheng, Feng, An & Li, "Mitigating Neural Network Overconfidence with Logit Normalization",
ICML 2022 (arXiv 2205.09310): E[CE(f(x) / (tau |f(x)|), y)]. The network cannot lower its loss by
longer logits; at test time they are used as they are. While they are short, slopes are steep, 1 /
(tau |f(x)|): in a short training, set `clip_norm` to 1 or so.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

FOR = ("classifier",)
OUTLIERS = False
# Shorter logits are divided by this: the slope, 1 / (tau * length), stays finite at zero.
SHORTEST = 1e-3


@dataclass(frozen=True)
class Options:
    """Length of the normalised logits."""

    tau: float = 0.04
    """temperature: the length is 1 / tau; 0.04 is the paper's choice for CIFAR-10"""

    def __post_init__(self) -> None:
        if not self.tau > 0:
            raise ValueError(f"tau is {self.tau}; expected a number above 0")


def loss(
    model: nn.Module, images: Tensor, labels: Tensor, outliers: None, options: Options
) -> dict[str, Tensor]:
    """Cross-entropy of the normalised logits, in nats.

    At least log(1 + (K - 1) exp(-sqrt(K / (K - 1)) / tau)) for K classes. Returns `loss`, to be
    minimised. Validation NLL is that of the logits as they are.
    """
    logits = F.normalize(model(images).float(), dim=1, eps=SHORTEST) / options.tau
    return {"loss": F.cross_entropy(logits, labels)}
