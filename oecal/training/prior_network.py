"""Prior network: a Dirichlet over class probabilities, sharp for data and flat for outliers.

Malinin & Gales, "Reverse KL-Divergence Training of Prior Networks", NeurIPS 2019 (arXiv
1905.13472). Concentrations alpha_k = exp(z_k): (E_in[KL(Dir(alpha) || Dir(1 + beta onehot(y)))] +
gamma E_out[KL(Dir(alpha) || Dir(1))]) / beta. The mean of the Dirichlet is softmax(z), so classes
are predicted as ever; the energy -logsumexp(z) = -log sum_k alpha_k says how flat it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

FOR = ("classifier",)
OUTLIERS = True
LOWEST, HIGHEST = -5.0, 25.0  # logits at which the divergence is evaluated, see `limit_logits`


@dataclass(frozen=True)
class Options:
    """Concentration of the target for data, and weight of the outliers."""

    concentration: float = 100.0
    """beta: the target's concentration is 1 + beta for the label, 1 for the other classes"""
    gamma: float = 1.0
    """factor on the divergence of the outliers; 1 is the default of the authors' code"""

    def __post_init__(self) -> None:
        if not self.concentration > 0:
            raise ValueError(f"concentration is {self.concentration}; expected a number above 0")
        if not self.gamma >= 0:
            raise ValueError(f"gamma is {self.gamma}; expected 0 or more")


def limit_logits(logits: Tensor) -> Tensor:
    """Clamp logits to [LOWEST, HIGHEST], with the slope of the identity.

    A logit beyond a limit is pulled back as if it stood there. Below, the divergence grows as
    exp(-z): a single logit of -50 would outweigh the batch by twenty orders of magnitude. Above,
    the slope no longer changes, but is the difference of terms of size exp(z): float64 has no digit
    of it left at 38, float32 at 18.
    """
    return logits + (logits.clamp(LOWEST, HIGHEST) - logits).detach()


def reverse_kl(logits: Tensor, target: Tensor) -> Tensor:
    """KL(Dir(exp(z)) || Dir(target)) in nats, float64, (N,).

    The logits z and the concentrations `target` have K columns each. It is ln G(a_0) - ln G(t_0) +
    sum_k [ln G(t_k) - ln G(a_k) + (a_k - t_k) (psi(a_k) - psi(a_0))], a = exp(z), a_0 and t_0 their
    sums over k.
    """
    a, t = limit_logits(logits.double()).exp(), target.double()
    a_0, t_0 = a.sum(dim=1, keepdim=True), t.sum(dim=1, keepdim=True)
    terms = torch.lgamma(t) - torch.lgamma(a) + (a - t) * (torch.digamma(a) - torch.digamma(a_0))
    return (torch.lgamma(a_0) - torch.lgamma(t_0)).squeeze(1) + terms.sum(dim=1)


def loss(
    model: nn.Module, images: Tensor, labels: Tensor, outliers: Tensor, options: Options
) -> dict[str, Tensor]:
    """(Divergence of the data + gamma * divergence of the outliers) / beta, in nats.

    Both batches go through the network as one. The division, as in the authors' code, gives the
    slopes the size of those of cross-entropy. Returns `loss`, to be minimised, and its two parts,
    neither weighted nor divided.
    """
    logits = model(torch.cat([images, outliers])).float()
    target = torch.ones_like(logits)
    target[torch.arange(len(images), device=labels.device), labels] += options.concentration
    divergence = reverse_kl(logits, target)
    inside, outside = (
        divergence[: len(images)].mean().float(),
        divergence[len(images) :].mean().float(),
    )
    return {
        "loss": (inside + options.gamma * outside) / options.concentration,
        "loss_in": inside,
        "loss_out": outside,
    }
