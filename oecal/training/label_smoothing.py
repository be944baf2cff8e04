"""Label smoothing, a control without outliers: labels leave some probability to every class.

Szegedy, Vanhoucke, Ioffe, Shlens & Wojna, "Rethinking the Inception Architecture for Computer
Vision", CVPR 2016 (arXiv 1512.00567), section 7: (1 - epsilon) CE(f(x), y) + epsilon CE(f(x), U),
that is, Outlier Exposure's term, but on the data themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

FOR = ("classifier",)
OUTLIERS = False


@dataclass(frozen=True)
class Options:
    """How far labels are smoothed."""

    epsilon: float = 0.1
    """probability spread over all classes, that of the label included; 0.1 in the paper"""

    def __post_init__(self) -> None:
        if not 0 <= self.epsilon < 1:
            raise ValueError(
                f"epsilon is {self.epsilon}; expected a number from 0 up to, not including, 1"
            )


def loss(
    model: nn.Module, images: Tensor, labels: Tensor, outliers: None, options: Options
) -> dict[str, Tensor]:
    """(1 - epsilon) CE(f(x), y) + epsilon CE(f(x), U), in nats. Returns `loss`, to be minimised."""
    return {"loss": F.cross_entropy(model(images).float(), labels, label_smoothing=options.epsilon)}
