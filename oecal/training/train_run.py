"""One training of the study: from image files and a checked configuration to weights."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from oecal.core.component_imports import import_component
from oecal.core.device import Compute, move_model, set_up_device
from oecal.core.errors import OecalError
from oecal.core.options import make_options
from oecal.core.seeds import derive_seed, make_generator
from oecal.data import store
from oecal.data.preprocess import adapt
from oecal.data.store import ImageSplit
from oecal.models.build_network import load_weights, make_network
from oecal.training.loop import Data, Loss, TrainingTask, train
from oecal.training.parallel import run_together
from oecal.training.training_plan import TrainingPlan


@dataclass(frozen=True)
class TrainingFiles:
    """What a training reads: image stores, and weights to start from."""

    in_dist: str
    outliers: Sequence[str] = ()
    weights: str | None = None
    may_be_missing: Collection[str] = ()
    """names of the outlier sets that the training can do without"""


class Prepared(NamedTuple):
    """What a training starts from; `used`: the auxiliary sets that could be had."""

    model: nn.Module
    loss: Loss
    data: Data
    used: list[str]


def prepare(
    plan: TrainingPlan, files: TrainingFiles, seed: int, device: torch.device, channels_last: bool
) -> Prepared:
    """Read the images and put model, loss and data on the device.

    Raises OecalError if a classifier's images lack labels, or if none of the outlier sets is there.
    """
    images, val = store.read_split(files.in_dist, "train"), store.read_split(files.in_dist, "val")
    if 0 < plan.train_images < len(images.images):
        # Of one seed, few images are part of many.
        order = make_generator("train_images", seed).permutation(len(images.images))
        few = order[: plan.train_images]
        images = ImageSplit(images.images[few], images.labels[few])
    if plan.label_noise:
        images = ImageSplit(images.images, mislabel(images.labels, plan.label_noise, seed))
    if plan.model.kind == "classifier" and min(images.labels.min(), val.labels.min()) < 0:
        raise OecalError(
            f"{files.in_dist}: some images have no label; label all of them for a classifier, or "
            "train only density models"
        )
    available = store.list_available(files.outliers, files.may_be_missing)
    if files.outliers and not available:
        raise OecalError(
            f"outliers: none of {', '.join(Path(p).stem for p in files.outliers)} is available; "
            "get one of them, as its warning explains"
        )
    shape = images.images.shape[1:]
    auxiliary = [
        adapt(store.read_split(path, "train").images, shape, plan.interpolation, plan.fit)
        for path in available
    ]
    outliers = np.concatenate(auxiliary) if auxiliary else np.empty((0, *shape), np.uint8)

    objective = import_component("training", plan.objective.name)
    options = make_options(objective.Options, plan.objective.options)
    torch.manual_seed(derive_seed(seed, "init"))
    classes = len(store.read_metadata(files.in_dist).classes)
    model = make_network(plan.model, plan.objective.name, shape, classes)
    if files.weights:
        load_weights(model, files.weights)
    move_model(model, device, channels_last)

    def to_device(array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(device)

    data = Data(*map(to_device, (images.images, images.labels, outliers, val.images, val.labels)))
    loss = functools.partial(objective.loss, options=options)
    return Prepared(model, loss, data, [Path(path).stem for path in available])


def mislabel(labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Return labels of which a share, drawn with the seed, is replaced by other classes.

    Each of the other classes that occur among the labels is as likely.
    """
    rng, classes = make_generator("label_noise", seed), np.unique(labels)
    changed = rng.permutation(len(labels))[: round(share * len(labels))]
    places = np.searchsorted(classes, labels)
    shift = rng.integers(1, len(classes), len(changed))
    places[changed] = (places[changed] + shift) % len(classes)
    return classes[places]


def hash_arrays(*arrays: np.ndarray) -> str:
    """Return the SHA-256 of the arrays' bytes, one after the other."""
    sha = hashlib.sha256()
    for array in arrays:
        sha.update(array.tobytes())
    return sha.hexdigest()


def train_run(
    plan: TrainingPlan,
    files: TrainingFiles,
    folder: Path,
    seed: int,
    code: str,
    compute: Compute,
) -> None:
    """Train one run into `folder`, shared by as many processes as the recipe says.

    code: fingerprint of the library files; with plan, data and seed it decides whether a checkpoint
    is resumed.
    """
    work = functools.partial(train_in_process, plan, files, folder, seed, code, compute)
    run_together(plan.recipe.processes, compute.device, compute.threads, work)


def train_in_process(
    plan: TrainingPlan,
    files: TrainingFiles,
    folder: Path,
    seed: int,
    code: str,
    compute: Compute,
    device: str,
) -> None:
    """Do the training as one of its processes; device: that of this process."""
    torch_device = set_up_device(device, compute.threads)
    model, loss, data, used = prepare(plan, files, seed, torch_device, compute.channels_last)
    plain = plan.to_plain()
    weights = Path(files.weights).read_bytes() if files.weights else b""
    identity = (
        json.dumps(plain, sort_keys=True),
        seed,
        code,
        torch.__version__,
        compute.precision,
        torch_device.type,
    )
    images = (tensor.cpu().numpy() for tensor in (data.images, data.labels, data.outliers))
    fingerprint = hash_arrays(*images, np.frombuffer(weights + repr(identity).encode(), np.uint8))
    steps = plan.recipe.epochs * plan.recipe.steps_of_an_epoch(len(data.images))
    about = {**plain, "seed": seed, "used": used, "steps": steps}
    task = TrainingTask(loss, data, plan.recipe, seed, compute.precision)
    train(model, task, folder, fingerprint, about)
