"""The prediction job of one run: all evaluated sets through the model, into one HDF5 file."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import h5py
import numpy as np
import torch

from oecal.data import store
from oecal.device import announce, effective, move, set_up
from oecal.errors import OecalError
from oecal.files import replacing
from oecal.models.build import build_model, kind_of, load_weights, outliers_used
from oecal.predict.costly import costly
from oecal.predict.evaluated import drawn, evaluated
from oecal.predict.outputs import predict
from oecal.predict.probes import FACTORS, constants, faded
from oecal.seeds import derive

FADED = 50  # images of falling contrast


def run(params: Mapping[str, Any], more: Mapping[str, Any], sets: Sequence[Mapping[str, Any]], data: Mapping[str, str], weights: str,
        path: str, run: Mapping[str, Any], code: str, device: str = "auto", precision: str = "auto", threads: int = 1,
        channels_last: bool = True, may_be_missing: Collection[str] = ()) -> None:  # fmt: skip
    """Writes the group `/{set}/{split}` of each entry of `sets`: outputs, labels, and the attribute `role`.

    params: model, interpolation, fit; more: costly (names) of how many images, samples (number), train (number of ID training images),
    alike (OOD sets drawn like an auxiliary one); sets: name, split, role, dataset (and corruption, severity); data: image store by data
    set; run: in_dist, model, training, seed; precision: of a density model, a classifier is evaluated in float32; may_be_missing: names
    of data sets that may have no images.
    A density model also leaves `/probe` (oecal.predict.probes) and `/samples/images`. Costly statistics stand in the same groups, of
    the images that their attribute `index` lists. Raises OecalError if an output is not finite.
    """
    torch_device = set_up(device, threads)
    in_dist = data[run["in_dist"]]
    test, classes = store.read(in_dist, "test").images, len(store.read_about(in_dist).classes)
    shape = test.shape[1:]
    model: Any = build_model(params["model"], shape, classes)
    load_weights(model, weights)
    move(model, torch_device, channels_last)
    kind = kind_of(params["model"])
    precision = effective(torch_device, precision) if kind == "density" else "float32"
    announce(torch_device, precision)

    def outputs(images: np.ndarray, place: str) -> dict[str, np.ndarray]:
        found = predict(model, kind, images, torch_device, precision)
        for name, values in found.items():
            if not np.isfinite(values).all():
                raise OecalError(f"{weights}: gives {name} that are not finite on {place}; the training went wrong: train again")
        return found

    with replacing(path) as temporary, h5py.File(temporary, "w") as file:
        versions = {name: version(name) for name in ("torch", "numpy", "h5py")}
        file.attrs.update(run, kind=kind, dims=int(np.prod(shape)), parameters=sum(p.numel() for p in model.parameters()))
        file.attrs.update(precision=precision, outliers=" ".join(outliers_used(weights)), alike=" ".join(more["alike"]))
        file.attrs.update(configuration=json.dumps(params, sort_keys=True), versions=json.dumps(versions), code=code)
        order = []
        for place, role, split in evaluated(sets, data, run["in_dist"], params, more["train"], may_be_missing):
            group = file.create_group(place)
            group.attrs["role"] = role
            for name, values in outputs(split.images, group.name).items():
                group.create_dataset(name, data=values, track_times=False)
            group.create_dataset("labels", data=split.labels, track_times=False)
            if kind == "density":
                group["log_likelihood"].attrs["dims"] = int(np.prod(shape))
            if more["costly"] and not place.endswith("/train"):
                index = drawn(len(split.images), more["images"], "costly", place)
                for name, values in costly(model, more["costly"], split.images[index], torch_device).items():
                    group.create_dataset(name, data=values, track_times=False).attrs["index"] = index
            order.append(place)
            logging.info("%s: %d images", group.name, len(split.images))
        file.attrs["order"] = order
        if kind == "density":
            some = test[drawn(len(test), FADED, "faded")]
            light = outputs(constants(shape), "constants")["log_likelihood"]
            shades = outputs(faded(some).reshape(-1, *shape), "faded images")["log_likelihood"].reshape(len(some), -1)
            for name, values in (("constant/log_likelihood", light), ("contrast/log_likelihood", shades), ("contrast/factor", FACTORS)):
                file.create_dataset(f"probe/{name}", data=values, track_times=False)
        if more["samples"]:
            torch.manual_seed(derive("samples", run["seed"]))
            with torch.inference_mode():
                images = model.sample(more["samples"])
            file.create_dataset("samples/images", data=(images * 255).round().byte().cpu().numpy(), track_times=False)
            logging.info("%d samples", more["samples"])
