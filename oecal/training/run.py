"""One training of the study: from image files and a checked configuration to weights."""

from __future__ import annotations

import functools
import hashlib
import importlib
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from oecal.data import store
from oecal.data.preprocess import adapt
from oecal.device import move, set_up
from oecal.errors import OecalError
from oecal.models.build import build_model, kind_of, load_weights
from oecal.options import made
from oecal.seeds import derive
from oecal.training.loop import Data, Recipe, train


def digest(*arrays: np.ndarray) -> str:
    sha = hashlib.sha256()
    for array in arrays:
        sha.update(array.tobytes())
    return sha.hexdigest()


def run(params: Mapping[str, Any], in_dist: str, outliers: Sequence[str], init: str | None, folder: str | Path, seed: int,
        code: str, device: str = "auto", precision: str = "auto", threads: int = 1, channels_last: bool = True,
        may_be_missing: Collection[str] = ()) -> None:  # fmt: skip
    """Trains one run into `folder`.

    params: model (architecture, options), objective (name, options), recipe (the loop's), interpolation, fit. in_dist and outliers: image
    stores; init: weights to start from, or None. code: fingerprint of the library files; with params, data and seed it decides
    whether a checkpoint is resumed. may_be_missing: names of the outlier sets that it can do without.
    """
    torch_device = set_up(device, threads)
    images, val = store.read(in_dist, "train"), store.read(in_dist, "val")
    shape = images.images.shape[1:]
    if kind_of(params["model"]) == "classifier" and min(images.labels.min(), val.labels.min()) < 0:
        raise OecalError(f"{in_dist}: has images without a label; a classifier needs one for each, a density model none")
    found = store.there(outliers, may_be_missing)
    if outliers and not found:
        raise OecalError(f"outliers: none of {', '.join(Path(p).stem for p in outliers)} can be had; get one (its warning says how)")
    around = [adapt(store.read(path, "train").images, shape, params["interpolation"], params["fit"]) for path in found]
    auxiliary = np.concatenate(around) if around else np.empty((0, *shape), np.uint8)

    objective = importlib.import_module(f"oecal.training.{params['objective']['name']}")
    options = made(objective.Options, params["objective"]["options"])
    torch.manual_seed(derive(seed, "init"))
    model = build_model(params["model"], shape, len(store.read_about(in_dist).classes))
    if init:
        load_weights(model, init)
    move(model, torch_device, channels_last)

    def on_device(array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(torch_device)

    data = Data(*map(on_device, (images.images, images.labels, auxiliary, val.images, val.labels)))
    weights = Path(init).read_bytes() if init else b""
    identity = json.dumps(params, sort_keys=True), seed, code, torch.__version__, precision, str(torch_device)
    fingerprint = digest(images.images, images.labels, auxiliary, np.frombuffer(weights + repr(identity).encode(), np.uint8))
    loss = functools.partial(objective.loss, options=options)
    metadata = {"oecal": json.dumps({**params, "seed": seed, "used": [Path(path).stem for path in found]}, sort_keys=True)}
    train(model, loss, data, Recipe(**params["recipe"]), Path(folder), seed, fingerprint, precision, metadata)
