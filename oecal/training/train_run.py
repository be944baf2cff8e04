"""One training of the study: from image files and a checked configuration to weights."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from oecal.core.component_imports import import_component
from oecal.core.components import make_options
from oecal.core.device import move_model, set_up_device
from oecal.core.errors import OecalError
from oecal.core.seeds import derive_seed, make_generator
from oecal.data import store
from oecal.data.preprocess import adapt
from oecal.data.store import ImageSplit
from oecal.models.build_network import kind_of, load_weights, make_network
from oecal.training.loop import Data, Loss, train
from oecal.training.parallel import run_together
from oecal.training.recipe import Recipe


class Prepared(NamedTuple):
    """What a training starts from; `used`: the auxiliary sets that could be had."""

    model: nn.Module
    loss: Loss
    data: Data
    used: list[str]


def prepare(
    params: Mapping[str, Any],
    in_dist: str,
    outliers: Sequence[str],
    weights: str | None,
    seed: int,
    device: torch.device,
    channels_last: bool,
    may_be_missing: Collection[str],
) -> Prepared:
    """Model, loss and data on the device.

    Arguments as of `run`, `weights` what the model is filled with, or None.
    """
    images, val = store.read_split(in_dist, "train"), store.read_split(in_dist, "val")
    if 0 < params["train_images"] < len(images.images):  # of one seed, few images are part of many
        chosen = make_generator("train_images", seed).permutation(len(images.images))[
            : params["train_images"]
        ]
        images = ImageSplit(images.images[chosen], images.labels[chosen])
    if params["label_noise"]:
        images = ImageSplit(images.images, mislabel(images.labels, params["label_noise"], seed))
    shape = images.images.shape[1:]
    if kind_of(params["model"]) == "classifier" and min(images.labels.min(), val.labels.min()) < 0:
        raise OecalError(
            f"{in_dist}: has images without a label, which a classifier needs; label each, or train density models only"
        )
    found = store.list_available(outliers, may_be_missing)
    if outliers and not found:
        raise OecalError(
            f"outliers: none of {', '.join(Path(p).stem for p in outliers)} can be had; get one (its warning says how)"
        )
    around = [
        adapt(store.read_split(path, "train").images, shape, params["interpolation"], params["fit"])
        for path in found
    ]
    auxiliary = np.concatenate(around) if around else np.empty((0, *shape), np.uint8)

    objective = import_component("training", params["objective"]["name"])
    options = make_options(objective.Options, params["objective"]["options"])
    torch.manual_seed(derive_seed(seed, "init"))
    model = make_network(params, shape, len(store.read_metadata(in_dist).classes))
    if weights:
        load_weights(model, weights)
    move_model(model, device, channels_last)

    def on_device(array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(device)

    data = Data(*map(on_device, (images.images, images.labels, auxiliary, val.images, val.labels)))
    return Prepared(
        model,
        functools.partial(objective.loss, options=options),
        data,
        [Path(path).stem for path in found],
    )


def mislabel(labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Labels of which a share, drawn at random with the seed, is another one of the classes there are, each as likely."""
    rng, there = make_generator("label_noise", seed), np.unique(labels)
    changed, places = (
        rng.permutation(len(labels))[: round(share * len(labels))],
        np.searchsorted(there, labels),
    )
    places[changed] = (places[changed] + rng.integers(1, len(there), len(changed))) % len(there)
    return there[places]


def hash_arrays(*arrays: np.ndarray) -> str:
    """SHA-256 of the arrays' bytes, one after the other: images and labels, for the fingerprint of a checkpoint."""
    sha = hashlib.sha256()
    for array in arrays:
        sha.update(array.tobytes())
    return sha.hexdigest()


def train_run(
    params: Mapping[str, Any],
    in_dist: str,
    outliers: Sequence[str],
    init: str | None,
    folder: str | Path,
    seed: int,
    code: str,
    device: str = "auto",
    precision: str = "auto",
    threads: int = 1,
    channels_last: bool = True,
    may_be_missing: Collection[str] = (),
) -> None:
    """Trains one run into `folder`.

    params: model (architecture, options), objective (name, options), recipe (the loop's),
    train_images, label_noise, interpolation, fit. in_dist and outliers: image stores; init: weights
    to start from, or None. code: fingerprint of the library files; with params, data and seed it
    decides whether a checkpoint is resumed. may_be_missing: names of the outlier sets that it can
    do without. device, threads: of each of the recipe's processes.
    """
    more = threads, precision, channels_last, may_be_missing
    run_together(
        Recipe(**params["recipe"]).processes,
        device,
        threads,
        train_in_process,
        params,
        in_dist,
        outliers,
        init,
        folder,
        seed,
        code,
        *more,
    )


def train_in_process(
    device: str,
    params: Mapping[str, Any],
    in_dist: str,
    outliers: Sequence[str],
    init: str | None,
    folder: str | Path,
    seed: int,
    code: str,
    threads: int,
    precision: str,
    channels_last: bool,
    may_be_missing: Collection[str],
) -> None:
    """The training, as one of its processes runs it; arguments as of `run`."""
    torch_device = set_up_device(device, threads)
    model, loss, data, used = prepare(
        params, in_dist, outliers, init, seed, torch_device, channels_last, may_be_missing
    )
    weights = Path(init).read_bytes() if init else b""
    identity = (
        json.dumps(params, sort_keys=True),
        seed,
        code,
        torch.__version__,
        precision,
        torch_device.type,
    )
    images = (tensor.cpu().numpy() for tensor in (data.images, data.labels, data.outliers))
    fingerprint = hash_arrays(*images, np.frombuffer(weights + repr(identity).encode(), np.uint8))
    recipe = Recipe(**params["recipe"])
    steps = recipe.epochs * recipe.steps_of_an_epoch(len(data.images))
    about = {**params, "seed": seed, "used": used, "steps": steps}
    train(model, loss, data, recipe, Path(folder), seed, fingerprint, precision, about)
