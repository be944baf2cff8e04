"""SWAG: weights sampled from a Gaussian around those that SGD visits at a constant learning rate after a training.

Maddox, Garipov, Izmailov, Vetrov & Wilson, "A Simple Baseline for Bayesian Uncertainty in Deep
Learning", NeurIPS 2019 (arXiv 1902.02476), section 3. The walk goes on with the run's own
objective, data and outliers.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from tqdm import tqdm

from oecal.core.device import announce_device, autocast, set_up_device
from oecal.core.errors import OecalError
from oecal.core.files import replacing
from oecal.core.seeds import derive_seed
from oecal.models.build_network import save_weights
from oecal.training.loop import Data, Loss, make_batch, make_optimizer, train_epoch, validate
from oecal.training.recipe import Recipe
from oecal.training.train_run import prepare

REFRESH = (
    20  # training batches, at most an epoch, from which a sample's batch-norm statistics are made
)


class Gaussian(NamedTuple):
    """N(mean, (diag(variance) + deviations^T deviations / (R - 1)) / 2) of P weights: mean, variance (P,), deviations (R, P)."""

    mean: Tensor
    variance: Tensor
    deviations: Tensor


def fit_gaussian(snapshots: Tensor) -> Gaussian:
    """The Gaussian of R snapshots (R, P): their mean, mean squared deviation from it (division by R), and these deviations.

    The paper, which does not keep the snapshots, takes deviations from a running mean in place of
    those from the final one.
    """
    mean = snapshots.mean(dim=0)
    deviations = snapshots - mean
    return Gaussian(mean, deviations.square().mean(dim=0), deviations)


def draw_weights(gaussian: Gaussian) -> Tensor:
    """mean + sqrt(variance / 2) z_1 + deviations^T z_2 / sqrt(2 (R - 1)), eq. 1 of the paper.

    z_1 and z_2 are standard normal.

    Random numbers come from torch's global CPU generator.
    """
    mean, variance, deviations = gaussian
    low_rank = torch.randn(len(deviations)) @ deviations / math.sqrt(2 * (len(deviations) - 1))
    return mean + (variance / 2).sqrt() * torch.randn(len(mean)) + low_rank


def flatten_weights(model: nn.Module) -> Tensor:
    """All parameters in one vector, (P,), a copy on the CPU."""
    return torch.cat([p.detach().flatten().cpu() for p in model.parameters()])


@torch.no_grad()
def fill_weights(model: nn.Module, weights: Tensor) -> None:
    """The inverse of `flatten_weights`; each parameter keeps its memory format."""
    parameters = list(model.parameters())
    for parameter, values in zip(
        parameters, torch.split(weights, [p.numel() for p in parameters]), strict=True
    ):
        parameter.copy_(values.view(parameter.shape))


def walk_weights(
    model: nn.Module, loss: Loss, data: Data, recipe: Recipe, steps: int, seed: int, precision: str
) -> Iterator[Tensor]:
    """The weights after each of `recipe.epochs` stretches of `steps` steps.

    a stretch of more than an epoch takes several.
    """
    optimizer, epoch, whole = (
        make_optimizer(model, recipe),
        0,
        len(data.images) // recipe.batch_size,
    )
    for _ in tqdm(range(recipe.epochs), desc="snapshots", leave=False, disable=None):
        for start in range(0, steps, whole):
            part = replace(recipe, epoch_images=min(whole, steps - start) * recipe.batch_size)
            train_epoch(model, optimizer, loss, data, part, epoch, seed, precision)
            epoch += 1
        yield flatten_weights(model)


@torch.no_grad()
def refresh_batch_norm(
    model: nn.Module, loss: Loss, data: Data, recipe: Recipe, precision: str
) -> None:
    """Batch-norm statistics of these weights: means over training batches, which go through the model as the objective sends them."""
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches
    model.train()
    device, n = data.images.device, len(data.images)
    for chosen in (
        torch.split(torch.randperm(n).to(device), recipe.batch_size)[
            : min(REFRESH, n // recipe.batch_size)
        ]
        if norms
        else ()
    ):
        with autocast(device, precision):
            loss(model, *make_batch(data, chosen, recipe))


def sample_swag(
    params: Mapping[str, Any],
    swag: Mapping[str, Any],
    in_dist: str,
    outliers: Sequence[str],
    weights: str,
    path: str,
    seed: int,
    device: str = "auto",
    precision: str = "auto",
    threads: int = 1,
    channels_last: bool = True,
    may_be_missing: Collection[str] = (),
) -> None:
    """Writes the sampled models of a run, weights and buffers, under the keys `sample{n}.{name}`, n from 0.

    params: as for the run's training, of which momentum, weight decay, batch sizes and augmentation
    are kept; swag: steps of SGD in all, at the constant lr, snapshots at equal distances, samples;
    weights: the trained run's. The rest is as in `oecal.training.train_run.run`. Raises OecalError
    if there are fewer steps than snapshots or the walk diverges. Killed, it starts again: it is
    short.
    """
    if swag["steps"] < swag["snapshots"]:
        raise OecalError(
            f"swag.steps: found {swag['steps']}, but there are {swag['snapshots']} snapshots; write at least that many steps"
        )
    torch_device = set_up_device(device, threads)
    model, loss, data, _ = prepare(
        params, in_dist, outliers, weights, seed, torch_device, channels_last, may_be_missing
    )
    announce_device(torch_device, precision)
    walk = {
        "optimizer": "sgd",
        "lr": swag["lr"],
        "final_lr": swag["lr"],
        "epochs": swag["snapshots"],
    }
    recipe = Recipe(**{**params["recipe"], **walk})
    try:
        every = swag["steps"] // swag["snapshots"]
        gaussian = fit_gaussian(
            torch.stack(
                list(
                    walk_weights(
                        model, loss, data, recipe, every, derive_seed(seed, "swag"), precision
                    )
                )
            )
        )
    except OecalError as error:
        raise OecalError(f"swag: {error}") from None
    samples: dict[str, Tensor] = {}
    for n in tqdm(range(swag["samples"]), desc="samples", leave=False, disable=None):
        torch.manual_seed(derive_seed(seed, "swag", "sample", n))
        fill_weights(model, draw_weights(gaussian))
        refresh_batch_norm(model, loss, data, recipe, precision)
        state = model.state_dict().items()
        samples |= {
            f"sample{n}.{name}": values.cpu().clone(memory_format=torch.contiguous_format)
            for name, values in state
        }
        logging.info(
            "sample %d: %s",
            n,
            "  ".join(
                f"{name} {value:.5g}" for name, value in validate(model, data, precision).items()
            ),
        )
    with replacing(path) as temporary:
        save_weights(temporary, samples, {**params, "swag": dict(swag), "seed": seed})
