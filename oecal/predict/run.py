"""The prediction job of one run: all evaluated sets through the model, into one HDF5 file."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import h5py
import numpy as np
from tqdm import tqdm

from oecal.data import store
from oecal.data.corruptions import corrupt
from oecal.data.preprocess import adapt
from oecal.device import announce, move, set_up
from oecal.errors import OecalError
from oecal.files import replacing
from oecal.models.build import build_model, kind_of, load_weights
from oecal.predict.outputs import predict
from oecal.predict.plain import statistics


def images_of(entry: Mapping[str, Any], data: Mapping[str, str], shape: tuple[int, int, int], classes: int,
              how: Mapping[str, Any]) -> store.Split:  # fmt: skip
    """The images and labels of one evaluated set, in the in-distribution set's format, corrupted if the entry says so.

    how: interpolation and fit with which another format is brought to `shape`.
    """
    path = data[entry["dataset"]]
    split = store.read(path, entry["split"])
    if not len(split.images):
        raise OecalError(f"{path}: has no images in '{entry['split']}'; leave this set out, or choose other classes")
    if entry["role"] == "shift" and not (split.labels.min() >= 0 and split.labels.max() < classes):
        raise OecalError(f"{path}: as a shift it needs the {classes} classes of the in-distribution set, labelled 0 to {classes - 1}")
    images = adapt(split.images, shape, how["interpolation"], how["fit"])
    if entry["role"] == "corruption":
        images = corrupt(images, entry["corruption"], entry["severity"])
    return store.Split(images, split.labels)


def run(params: Mapping[str, Any], sets: Sequence[Mapping[str, Any]], data: Mapping[str, str], weights: str, path: str,
        run: Mapping[str, Any], code: str, device: str = "auto", threads: int = 1,
        channels_last: bool = True, may_be_missing: Collection[str] = ()) -> None:  # fmt: skip
    """Writes the group `/{set}/{split}` of each entry of `sets`: outputs, labels, and the attribute `role`.

    params: model, interpolation, fit; sets: name, split, role, dataset (and corruption, severity); data: image store by data set;
    run: in_dist, model, training, seed; may_be_missing: names of data sets that may have no images.
    Raises OecalError if an output is not finite.
    """
    torch_device = set_up(device, threads)
    announce(torch_device, "float32")
    in_dist = data[run["in_dist"]]
    train = store.read(in_dist, "train").images
    shape, mean = train.shape[1:], train.mean(axis=0)
    classes = len(store.read_about(in_dist).classes)
    model = build_model(params["model"], shape, classes)
    load_weights(model, weights)
    move(model, torch_device, channels_last)
    kind = kind_of(params["model"])
    there = store.there(data.values(), may_be_missing)
    sets = [entry for entry in sets if data[entry["dataset"]] in there]
    with replacing(path) as temporary, h5py.File(temporary, "w") as file:
        versions = {name: version(name) for name in ("torch", "numpy", "h5py")}
        order = [f"{entry['name']}/{entry['split']}" for entry in sets]
        file.attrs.update(run, kind=kind, dims=int(np.prod(shape)), order=order)
        file.attrs.update(configuration=json.dumps(params, sort_keys=True), versions=json.dumps(versions), code=code)
        for place, entry in zip(tqdm(order, desc="predict", leave=False, disable=None), sets, strict=True):
            split = images_of(entry, data, shape, classes, params)
            group = file.create_group(place)
            group.attrs["role"] = entry["role"]
            for name, values in predict(model, kind, split.images, torch_device).items():
                if not np.isfinite(values).all():
                    raise OecalError(f"{weights}: gives {name} that are not finite on {group.name}; the training went wrong: train again")
                group.create_dataset(name, data=values, track_times=False)
            group.create_dataset("labels", data=split.labels, track_times=False)
            if kind == "density":
                group["log_likelihood"].attrs["dims"] = int(np.prod(shape))
                for name, values in statistics(split.images, mean).items():
                    group.create_dataset(name, data=values, track_times=False)
            logging.info("%s: %d images", group.name, len(split.images))
