"""The training loop: one for all models and objectives.

Images live on the device as uint8 and are augmented there in batches. All randomness of an epoch
follows from (seed, epoch) and the learning rate from the step, so weights, optimiser state and the
number of epochs done are all that a resumed training needs to end in the same bits as an
undisturbed one.
"""

from __future__ import annotations

import csv
import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from oecal.core.device import announce_device, autocast, is_out_of_memory
from oecal.core.errors import OecalError
from oecal.core.files import replacing
from oecal.core.seeds import derive_seed
from oecal.models.build_network import save_weights, to_input
from oecal.training import checkpoint, parallel
from oecal.training.augment import augment
from oecal.training.recipe import Recipe

LOOK_EVERY = 20  # steps between looks at the loss: each look makes the CPU wait for the GPU


@dataclass(frozen=True)
class Data:
    """uint8 images (N, C, H, W) and labels (N,) on the device.

    `outliers` has no images if the objective needs none.
    """

    images: Tensor
    labels: Tensor
    outliers: Tensor
    val_images: Tensor
    val_labels: Tensor


Loss = Callable[[nn.Module, Tensor, Tensor, Tensor | None], dict[str, Tensor]]


@dataclass(frozen=True)
class TrainingTask:
    """What all epochs of a training have in common, beside the model.

    precision: of the forward pass, as for `oecal.core.device.autocast`.
    """

    loss: Loss
    data: Data
    recipe: Recipe
    seed: int
    precision: str = "auto"


def make_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Return the recipe's optimiser; on a GPU, it updates all weights in one kernel (fused)."""
    weights = list(model.parameters())
    fused = weights[0].device.type == "cuda"
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(
            weights,
            recipe.lr,
            recipe.momentum,
            weight_decay=recipe.weight_decay,
            nesterov=recipe.momentum > 0,
            fused=fused,
        )
    return torch.optim.AdamW(weights, recipe.lr, weight_decay=recipe.weight_decay, fused=fused)


def cosine(step: int, steps: int, lr: float, final_lr: float) -> float:
    """Learning rate of a step: half a cosine wave from `lr` to `final_lr` over all steps."""
    return final_lr + (lr - final_lr) * (1 + math.cos(math.pi * step / steps)) / 2


@torch.no_grad()
def validate(
    model: nn.Module, data: Data, precision: str = "float32", batch_size: int = 256
) -> dict[str, float]:
    """Compute the loss on the ID validation split, and the accuracy of a classifier.

    The loss is in nats, for a density model in bits per dimension.
    """
    model.eval()
    torch.manual_seed(derive_seed("validate"))  # for models that draw noise: the same in each epoch
    total, right = 0.0, 0
    for images, labels in zip(
        torch.split(data.val_images, batch_size),
        torch.split(data.val_labels, batch_size),
        strict=True,
    ):
        with autocast(images.device, precision):
            out = model(to_input(images))
        if out.ndim == 1:
            total -= out.sum().item() / images[0].numel() / math.log(2)
        else:
            total += F.cross_entropy(out.float(), labels, reduction="sum").item()
            right += int((out.argmax(dim=1) == labels).sum())
    n = len(data.val_images)
    if out.ndim == 1:
        return {"val_bpd": total / n}
    return {"val_nll": total / n, "val_accuracy": right / n}


def make_batch(data: Data, index: Tensor, recipe: Recipe) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return images, their labels and random outliers, as many as the recipe says, if any.

    index: which images. Images and outliers are augmented. Where several processes share a
    training, each gets its share of all three.
    """
    images, outliers = augment(to_input(data.images[index]), recipe.shift, recipe.flip), None
    if len(data.outliers):
        drawn = torch.randint(len(data.outliers), (recipe.outlier_batch_size,))
        drawn = drawn.to(index.device, non_blocking=True)
        outliers = augment(to_input(data.outliers[drawn]), recipe.shift, recipe.flip)
        outliers = parallel.take_share(outliers)
    return parallel.take_share(images), parallel.take_share(data.labels[index]), outliers


def train_epoch(
    model: nn.Module, optimizer: torch.optim.Optimizer, task: TrainingTask, epoch: int
) -> dict[str, float]:
    """Train for one pass over the ID images, or for `recipe.epoch_images` of them.

    If there are fewer images than that, in several passes. Returns the mean of each part of the
    loss. Raises OecalError if the loss is not finite.
    """
    torch.manual_seed(derive_seed(task.seed, "epoch", epoch))
    model.train()
    recipe, device, n = task.recipe, task.data.images.device, len(task.data.images)
    steps = recipe.steps_of_an_epoch(n)
    passes = math.ceil(recipe.images_of_an_epoch(n) / n)
    order = torch.cat([torch.randperm(n) for _ in range(passes)]).to(device)
    sums: dict[str, Tensor] = {}
    bar = tqdm(
        range(steps),
        desc=f"epoch {epoch + 1}/{recipe.epochs}",
        leave=False,
        disable=None if parallel.is_first() else True,
    )
    for step in bar:
        done = epoch * steps + step
        for group in optimizer.param_groups:
            group["lr"] = cosine(done, recipe.epochs * steps, recipe.lr, recipe.final_lr)
        index = order[step * recipe.batch_size : (step + 1) * recipe.batch_size]
        with autocast(device, task.precision):
            parts = task.loss(model, *make_batch(task.data, index, recipe))
        optimizer.zero_grad()
        parts["loss"].backward()  # type: ignore[no-untyped-call]  # PyTorch gives it no return type
        if recipe.clip_norm:
            nn.utils.clip_grad_norm_(model.parameters(), recipe.clip_norm)
        optimizer.step()
        for name, value in parts.items():
            sums[name] = sums.get(name, 0) + value.detach()
        if (step % LOOK_EVERY == 0 or step == steps - 1) and not math.isfinite(sums["loss"].item()):
            raise OecalError(
                f"the training diverged: loss {parts['loss'].item()} in epoch {epoch + 1}, step "
                f"{step + 1}; try a smaller lr (now {recipe.lr}) or a clip_norm (now "
                f"{recipe.clip_norm})"
            )
    return {name: value.item() / steps for name, value in parallel.average(sums).items()}


def train(
    model: nn.Module,
    task: TrainingTask,
    folder: Path,
    fingerprint: str,
    about: Mapping[str, object] | None = None,
) -> None:
    """Train `model` in place and leave `model.safetensors` and `history.csv` in `folder`.

    Goes on from `folder/checkpoint.pt` if that is of the same `fingerprint`. `history.csv`: one row
    an epoch; losses in nats, for a density model nats per dimension, on validation images bits per
    dimension. about: what is stored with the weights.
    """
    data, recipe = task.data, task.recipe
    if (n := recipe.images_of_an_epoch(len(data.images))) < recipe.batch_size:
        raise OecalError(
            f"batch_size: found {recipe.batch_size}, but an epoch has only {n} training images; "
            f"use at most {n}"
        )
    announce_device(data.images.device, task.precision)
    shared = parallel.share_gradients(model, to_input(data.images[: recipe.batch_size]))
    optimizer = make_optimizer(model, recipe)
    history: list[dict[str, float]] = []
    state = checkpoint.load(folder / "checkpoint.pt", fingerprint)
    if state:
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        history = state["history"]
        logging.info("resuming after epoch %d of %d", len(history), recipe.epochs)
    for epoch in range(len(history), recipe.epochs):
        try:
            means = train_epoch(shared, optimizer, task, epoch)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            raise explain_out_of_memory(recipe, len(data.outliers) > 0) from error
        lr = optimizer.param_groups[0]["lr"]
        row = {"epoch": epoch + 1, "lr": lr, **means, **validate(model, data, task.precision)}
        history.append(row)
        if not parallel.is_first():
            continue
        logging.info("  ".join(f"{k} {v:.5g}" for k, v in row.items()))
        state = {
            "fingerprint": fingerprint,
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "history": history,
        }
        checkpoint.save(folder / "checkpoint.pt", state)
    if not parallel.is_first():
        return
    with replacing(folder / "history.csv") as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, history[0])
        writer.writeheader()
        writer.writerows(history)
    with replacing(folder / "model.safetensors") as temporary:
        save_weights(temporary, model.state_dict(), about or {})
    (folder / "checkpoint.pt").unlink(missing_ok=True)


def explain_out_of_memory(recipe: Recipe, outliers: bool) -> OecalError:
    """Return the error for a batch that does not fit into memory, with what can be done."""
    also = f" and outlier_batch_size {recipe.outlier_batch_size}" if outliers else ""
    return OecalError(
        f"out of memory with batch_size {recipe.batch_size}{also}; reduce "
        f"{'them' if outliers else 'it'}, or split the training over several GPUs with processes"
    )
