"""SWAG: weights sampled from a Gaussian around those that SGD visits after a training.

Maddox, Garipov, Izmailov, Vetrov & Wilson, "A Simple Baseline for Bayesian Uncertainty in Deep
Learning", NeurIPS 2019 (arXiv 1902.02476), section 3. SGD walks on at a constant learning rate,
with the run's own objective, data and outliers.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor, nn
from tqdm import tqdm

from oecal.core.device import Compute, announce_device, autocast, set_up_device
from oecal.core.errors import OecalError
from oecal.core.files import replacing
from oecal.core.seeds import derive_seed
from oecal.models.build_network import save_weights
from oecal.training.loop import TrainingTask, make_batch, make_optimizer, train_epoch, validate
from oecal.training.train_run import TrainingFiles, prepare
from oecal.training.training_plan import TrainingPlan

# Training batches, at most an epoch, from which a sample's batch-norm statistics are made.
REFRESH = 20
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


@dataclass(frozen=True)
class SwagPlan:
    """How weights are sampled: `models.<name>.swag` in the configuration."""

    steps: int
    """of SGD, in all"""
    snapshots: int
    """of the weights, at equal distances along the walk"""
    samples: int
    """drawn from the Gaussian of the snapshots"""
    lr: float
    """constant learning rate"""


class Gaussian(NamedTuple):
    """N(mean, (diag(variance) + deviations^T deviations / (R - 1)) / 2) of P weights.

    mean, variance: (P,); deviations: (R, P).
    """

    mean: Tensor
    variance: Tensor
    deviations: Tensor


def fit_gaussian(snapshots: Tensor) -> Gaussian:
    """Fit the Gaussian of R snapshots (R, P): mean, variance (division by R) and deviations.

    The paper, which does not keep the snapshots, takes deviations from a running mean in place of
    those from the final one.
    """
    mean = snapshots.mean(dim=0)
    deviations = snapshots - mean
    return Gaussian(mean, deviations.square().mean(dim=0), deviations)


def draw_weights(gaussian: Gaussian) -> Tensor:
    """Draw mean + sqrt(variance / 2) z_1 + deviations^T z_2 / sqrt(2 (R - 1)), eq. 1 of the paper.

    z_1 and z_2 are standard normal, from torch's global CPU generator.
    """
    mean, variance, deviations = gaussian
    low_rank = torch.randn(len(deviations)) @ deviations / math.sqrt(2 * (len(deviations) - 1))
    return mean + (variance / 2).sqrt() * torch.randn(len(mean)) + low_rank


def flatten_weights(model: nn.Module) -> Tensor:
    """Return all parameters in one vector, (P,), a copy on the CPU."""
    return torch.cat([p.detach().flatten().cpu() for p in model.parameters()])


@torch.no_grad()
def fill_weights(model: nn.Module, weights: Tensor) -> None:
    """Undo `flatten_weights`; each parameter keeps its memory format."""
    parameters = list(model.parameters())
    parts = torch.split(weights, [p.numel() for p in parameters])
    for parameter, values in zip(parameters, parts, strict=True):
        parameter.copy_(values.view(parameter.shape))


def walk_weights(model: nn.Module, task: TrainingTask, steps: int) -> Iterator[Tensor]:
    """Yield the weights after each of `recipe.epochs` stretches of `steps` steps.

    A stretch that is longer than an epoch takes several.
    """
    recipe = task.recipe
    optimizer, epoch = make_optimizer(model, recipe), 0
    whole = len(task.data.images) // recipe.batch_size
    for _ in tqdm(range(recipe.epochs), desc="snapshots", leave=False, disable=None):
        for start in range(0, steps, whole):
            part = replace(recipe, epoch_images=min(whole, steps - start) * recipe.batch_size)
            train_epoch(model, optimizer, replace(task, recipe=part), epoch)
            epoch += 1
        yield flatten_weights(model)


@torch.no_grad()
def refresh_batch_norm(model: nn.Module, task: TrainingTask) -> None:
    """Set the batch-norm statistics of these weights to means over training batches.

    The batches go through the model as the objective sends them.
    """
    norms = [m for m in model.modules() if isinstance(m, BATCH_NORMS)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches
    model.train()
    if not norms:
        return
    device, n, size = task.data.images.device, len(task.data.images), task.recipe.batch_size
    batches = torch.split(torch.randperm(n).to(device), size)[: min(REFRESH, n // size)]
    for index in batches:
        with autocast(device, task.precision):
            task.loss(model, *make_batch(task.data, index, task.recipe))


def sample_swag(
    plan: TrainingPlan,
    swag: SwagPlan,
    files: TrainingFiles,
    path: str,
    seed: int,
    compute: Compute,
) -> None:
    """Write the sampled models of a run, weights and buffers, under the keys `sample{n}.{name}`.

    plan: the run's training, of which momentum, weight decay, batch sizes and augmentation are
    kept; files: with the run's weights; n counts from 0. Raises OecalError if there are fewer steps
    than snapshots or the walk diverges. If killed, it starts again: it is short.
    """
    if swag.steps < swag.snapshots:
        raise OecalError(
            f"swag.steps: found {swag.steps}; expected at least {swag.snapshots}, one for each "
            "snapshot"
        )
    device = set_up_device(compute.device, compute.threads)
    model, loss, data, _ = prepare(plan, files, seed, device, compute.channels_last)
    announce_device(device, compute.precision)
    recipe = replace(
        plan.recipe, optimizer="sgd", lr=swag.lr, final_lr=swag.lr, epochs=swag.snapshots
    )
    task = TrainingTask(loss, data, recipe, derive_seed(seed, "swag"), compute.precision)
    try:
        snapshots = list(walk_weights(model, task, swag.steps // swag.snapshots))
    except OecalError as error:
        raise OecalError(f"swag: {error}") from None
    gaussian = fit_gaussian(torch.stack(snapshots))
    samples: dict[str, Tensor] = {}
    for n in tqdm(range(swag.samples), desc="samples", leave=False, disable=None):
        torch.manual_seed(derive_seed(seed, "swag", "sample", n))
        fill_weights(model, draw_weights(gaussian))
        refresh_batch_norm(model, task)
        for name, values in model.state_dict().items():
            copy = values.cpu().clone(memory_format=torch.contiguous_format)
            samples[f"sample{n}.{name}"] = copy
        validation = validate(model, data, compute.precision).items()
        logging.info("sample %d: %s", n, "  ".join(f"{name} {v:.5g}" for name, v in validation))
    about = {**plan.to_plain(), "swag": asdict(swag), "seed": seed}
    with replacing(path) as temporary:
        save_weights(temporary, samples, about)
