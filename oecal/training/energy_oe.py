"""Outlier Exposure by energy: cross-entropy, plus hinges on the energies of data and outliers.

They push the energies of data below one margin and those of outliers above another. Liu, Wang,
Owens & Li, "Energy-based Out-of-distribution Detection", NeurIPS 2020 (arXiv 2010.03759), section
3.3: E_in[CE] + lambda (E_in[max(0, E(x) - m_in)^2] + E_out[max(0, m_out - E(x))^2]) with the energy
E(x) = -logsumexp(f(x)). The paper tunes a trained classifier with it (`init: baseline`); at the
start, the squares are hundreds of nats and drown the cross-entropy.
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
    """Margins and weight of the hinges.

    The defaults are the paper's for CIFAR-10; for CIFAR-100 it takes m_in = -27.
    """

    m_in: float = -23.0
    """energy that data shall not exceed, nats; the mean energies in history.csv help to choose the
    margins for another set"""
    m_out: float = -5.0
    """energy that outliers shall not fall below, nats"""
    weight: float = 0.1
    """lambda, the factor on the hinges"""

    def __post_init__(self) -> None:
        if not self.weight >= 0:
            raise ValueError(f"weight is {self.weight}; expected 0 or more")
        if not self.m_in <= self.m_out:
            raise ValueError(f"m_in is {self.m_in}, m_out is {self.m_out}; expected m_in <= m_out")


def loss(
    model: nn.Module, images: Tensor, labels: Tensor, outliers: Tensor, options: Options
) -> dict[str, Tensor]:
    """Cross-entropy + lambda * squared hinges.

    Each mean is over its own part of the batch, which goes through the network as one. Returns
    `loss`, to be minimised, its two parts before weighting, and the mean energies of data and
    outliers.
    """
    logits = model(torch.cat([images, outliers])).float()
    energy = -torch.logsumexp(logits, dim=1)
    energy_in, energy_out = energy[: len(images)], energy[len(images) :]
    inside = F.cross_entropy(logits[: len(images)], labels)
    hinges = (
        torch.relu(energy_in - options.m_in).square().mean()
        + torch.relu(options.m_out - energy_out).square().mean()
    )
    means = {"energy_in": energy_in.mean(), "energy_out": energy_out.mean()}
    return {
        "loss": inside + options.weight * hinges,
        "loss_in": inside,
        "loss_out": hinges,
        **means,
    }
