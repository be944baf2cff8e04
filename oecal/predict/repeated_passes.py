"""Statistics of an image that take many passes of a classifier, or a gradient.

They cost many times as much as logits, so they are computed for part of a set only.

ODIN (Liang, Li & Srikant, ICLR 2018, arXiv 1706.02690); Monte Carlo dropout (Gal & Ghahramani, ICML
2016, arXiv 1506.02142); test-time augmentation (Wang et al. 2019, arXiv 1807.07356); SWAG (Maddox
et al., NeurIPS 2019, arXiv 1902.02476).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from oecal.core.errors import OecalError
from oecal.core.seeds import derive_seed
from oecal.models.build_network import to_input
from oecal.predict.memory import run_in_parts
from oecal.predict.prediction_plan import Augmentation
from oecal.training.augment import augment

EPSILONS = (0.0, 0.0005, 0.001, 0.002, 0.004, 0.008)  # of ODIN, for images in [0, 1]
TEMPERATURE = 1000  # of ODIN
BATCH = {"cpu": 64, "cuda": 256}  # a gradient needs the activations of all layers at once
TINY = torch.finfo(torch.float64).tiny

Logits = Callable[[Tensor], Tensor]  # images (N, C, H, W) to (N, K), or to (S, N, K) of many passes
Statistics = Callable[[Tensor], dict[str, Tensor]]
Method = Callable[[np.ndarray], dict[str, np.ndarray]]


def compute_doubt(logits: Tensor, temperature: float) -> Tensor:
    """Return 1 - max_k softmax(z / T)_k of each row z of logits (N, K), (N,) float64.

    It is the sum over the other classes, which keeps its digits where the maximum is close to 1.
    """
    p = (logits.double() / temperature).softmax(dim=1)
    return p.scatter(1, p.argmax(dim=1, keepdim=True), 0).sum(dim=1)


def odin(logits: Logits, images: Tensor) -> dict[str, Tensor]:
    """Return `odin` (N, E): 1 - max softmax(z(x~) / T) for E values of epsilon.

    x~ = x - epsilon sign(-grad_x log max softmax(z(x) / T)).
    """
    images = images.detach().requires_grad_()
    with torch.enable_grad():
        confidence = (logits(images) / TEMPERATURE).log_softmax(dim=1).amax(dim=1)
        (uphill,) = torch.autograd.grad(confidence.sum(), images)
    images = images.detach()
    return {
        "odin": torch.stack(
            [
                compute_doubt(logits(images + epsilon * uphill.sign()), TEMPERATURE)
                for epsilon in EPSILONS
            ],
            dim=1,
        )
    }


def summarize_passes(logits: Tensor) -> dict[str, Tensor]:
    """Summarize the logits (S, N, K) of S passes, float64.

    `p` (N, K): the mean of p_s = softmax(z_s); `mi` (N,): mean_s KL(p_s || p), nats; `agreement`
    (N,): the share of the passes that vote for the most voted class.

    KL as sum_k p (r log r - r + 1), r = p_s / p: no term is negative, so a difference far below
    float64's precision next to 1 survives.
    """
    each = logits.double().softmax(dim=2)
    p = each.mean(dim=0)
    r = each / p.clamp(min=TINY)
    votes = F.one_hot(each.argmax(dim=2), each.shape[2]).double().mean(dim=0)
    return {
        "p": p,
        "mi": (p * (torch.xlogy(r, r) - r + 1)).sum(dim=2).mean(dim=0),
        "agreement": votes.amax(dim=1),
    }


@contextmanager
def dropping(model: nn.Module) -> Iterator[None]:
    """Switch dropout on as in training; all else, batch normalisation too, stays as it is.

    Raises OecalError if the model has no dropout.
    """
    layers = [m for m in model.modules() if isinstance(m, nn.Dropout) and m.p > 0]
    if not layers:
        raise OecalError(
            "dropout: the model has none, so all passes would be the same; set dropout above 0 in "
            "its options, or remove the scores that need it"
        )
    for layer in layers:
        layer.train()
    try:
        yield
    finally:
        for layer in layers:
            layer.eval()


def dropout(model: nn.Module, passes: int, images: Tensor) -> Tensor:
    """Logits (S, N, K) of S passes with dropout."""
    with dropping(model):
        return torch.stack([model(images) for _ in range(passes)])


def tta(model: nn.Module, passes: int, how: Augmentation, images: Tensor) -> Tensor:
    """Logits (S, N, K) of the images as they are, then of S - 1 altered copies."""
    altered = (augment(images, how.shift, how.flip) for _ in range(passes - 1))
    return torch.stack([model(images), *(model(copy) for copy in altered)])


def swag(samples: Sequence[nn.Module], images: Tensor) -> Tensor:
    """Logits (S, N, K) of S sampled models."""
    return torch.stack([model(images) for model in samples])


@torch.no_grad()
def run_batches(
    name: str, statistics: Statistics, device: torch.device, images: np.ndarray
) -> dict[str, np.ndarray]:
    """Compute the statistics of all images, uint8 (N, C, H, W), batch by batch.

    Noise follows from method and place of the batch alone.
    """
    size, parts = BATCH.get(device.type, BATCH["cpu"]), []
    for start in tqdm(range(0, len(images), size), desc=name, leave=False, disable=None):
        torch.manual_seed(derive_seed("costly", name, start))
        batch = to_input(torch.from_numpy(images[start : start + size]).to(device))
        values = run_in_parts(statistics, batch)
        parts.append({key: tensor.cpu().numpy() for key, tensor in values.items()})
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def list_methods(
    model: nn.Module,
    names: Collection[str],
    classes: int,
    passes: int,
    how: Augmentation,
    samples: Sequence[nn.Module],
    device: torch.device,
) -> dict[str, Method]:
    """Return what gives the statistics of images, by the names of the methods.

    `odin` gives an array of this name, the others `{method}_p`, `{method}_mi` and
    `{method}_agreement`. classes: the first K outputs are classes; passes: of dropout and tta; how:
    augmentation of tta; samples: the models of swag. Leaves all models in evaluation mode and
    without gradients of their weights.
    """
    for one in (model, *samples):
        one.eval().requires_grad_(False)

    def summarize(name: str, logits: Logits) -> Statistics:
        return lambda images: {
            f"{name}_{key}": values
            for key, values in summarize_passes(logits(images)[..., :classes]).items()
        }

    known: dict[str, Statistics] = {
        "odin": partial(odin, lambda images: model(images)[:, :classes]),
        "dropout": summarize("dropout", partial(dropout, model, passes)),
        "tta": summarize("tta", partial(tta, model, passes, how)),
        "swag": summarize("swag", partial(swag, samples)),
    }
    return {name: partial(run_batches, name, known[name], device) for name in names}
