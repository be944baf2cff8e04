"""What a classifier and a density model offer beside the interface of every `nn.Module`."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor, nn


class Classifier(Protocol):
    """Images (N, C, H, W) in [0, 1] to logits (N, K), in two steps."""

    head: nn.Linear

    def features(self, x: Tensor) -> Tensor:
        """The input of the last layer, (N, D)."""

    def __call__(self, x: Tensor) -> Tensor:
        """Logits (N, K)."""


class DensityModel(Protocol):
    """Images (N, C, H, W) in [0, 1], multiples of 1/255, to log-likelihoods."""

    def __call__(self, x: Tensor) -> Tensor:
        """log p(x), or what training maximises in its place, in nats, (N,)."""

    def parts(self, x: Tensor) -> dict[str, Tensor]:
        """What is stored of each image, (N,) each: the OUTPUTS of the architecture's file."""

    def sample(self, n: int) -> Tensor:
        """n images (n, C, H, W)."""


class RegretModel(DensityModel, Protocol):
    """A density model whose likelihood regret can be computed: a VAE."""

    def regret(self, x: Tensor) -> Tensor:
        """Likelihood regret in nats, (N,) float64."""
