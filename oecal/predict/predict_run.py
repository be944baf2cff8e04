"""The prediction job of one run: all evaluated sets through the model, into one HDF5 file.

And what that cost.
"""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
import torch

from oecal.core import hdf5_files
from oecal.core.device import announce_device, move_model, resolve_precision, set_up_device
from oecal.core.errors import OecalError
from oecal.core.job_costs import Cost, write_costs
from oecal.core.roles import is_spared
from oecal.core.seeds import derive_seed
from oecal.data import store
from oecal.data.store import ImageSplit
from oecal.models.build_network import (
    kind_of,
    load_samples,
    load_weights,
    make_network,
    read_history,
)
from oecal.predict import costly, repeated_passes
from oecal.predict.adversarial import attack_images
from oecal.predict.evaluated import read_sets, select_indices
from oecal.predict.memory import read_peak, reset_peak
from oecal.predict.outputs import predict_outputs
from oecal.predict.probes import FACTORS, fade, make_constants

FADED = 50  # images of falling contrast


def predict_run(
    params: Mapping[str, Any],
    more: Mapping[str, Any],
    sets: Sequence[Mapping[str, Any]],
    data: Mapping[str, str],
    weights: str,
    path: str,
    cost: str,
    run: Mapping[str, Any],
    code: str,
    swag: str | None = None,
    device: str = "auto",
    precision: str = "auto",
    threads: int = 1,
    channels_last: bool = True,
    may_be_missing: Collection[str] = (),
) -> None:
    """Writes the group `/{set}/{split}` of each entry of `sets`: outputs, labels, and the attribute `role`.

    params: model, objective, interpolation, fit; more: costly (names of statistics of a density
    model, of methods of a classifier) of how many images, passes and augment (of dropout and tta),
    samples (number), train (number of ID training images), alike (OOD sets drawn like an auxiliary
    one); sets: name, split, role, dataset (and corruption, severity); data: image store by data
    set; run: in_dist, model, training, seed; swag: sampled weights, if they are needed; precision:
    of a density model, a classifier is evaluated in float32; may_be_missing: names of data sets
    that may have no images. A classifier also leaves its last layer, `/head/weight` (K, D) and
    `/head/bias` (K,); a density model `/probe` (oecal.predict.probes) and `/samples/images`. Costly
    statistics stand in the same groups, of the images that their attribute `index` lists. cost: a
    CSV file, apart because times are never the same twice: name (outputs, or a costly method),
    images, seconds, peak_mb. Raises OecalError if an output is not finite.
    """
    torch_device = set_up_device(device, threads)
    in_dist = data[run["in_dist"]]
    test, classes = (
        store.read_split(in_dist, "test").images,
        len(store.read_metadata(in_dist).classes),
    )
    shape = test.shape[1:]
    model: Any = make_network(params, shape, classes)
    load_weights(model, weights)
    move_model(model, torch_device, channels_last)
    kind = kind_of(params["model"])
    precision = resolve_precision(torch_device, precision) if kind == "density" else "float32"
    announce_device(torch_device, precision)
    if kind == "density":
        methods = costly.list_methods(model, more["costly"], torch_device)
    else:
        samples = load_samples(model, swag) if swag else []
        methods = repeated_passes.list_methods(
            model, more["costly"], classes, more["passes"], more["augment"], samples, torch_device
        )
    costs = {name: Cost() for name in ("outputs", *methods)}
    memory = functools.partial(reset_peak, torch_device), functools.partial(read_peak, torch_device)

    def finite(found: dict[str, np.ndarray], place: str) -> dict[str, np.ndarray]:
        for name, values in found.items():
            if not np.isfinite(values).all():
                raise OecalError(
                    f"{weights}: gives {name} that are not finite on {place}; "
                    "write a smaller lr or a clip_norm, and train again"
                )
        return found

    def outputs(images: np.ndarray, place: str) -> dict[str, np.ndarray]:
        return finite(predict_outputs(model, kind, images, torch_device, precision, classes), place)

    with hdf5_files.creating(path) as file:
        versions = {name: version(name) for name in ("torch", "numpy", "h5py")}
        file.attrs.update(
            run,
            kind=kind,
            dims=int(np.prod(shape)),
            parameters=sum(p.numel() for p in model.parameters()),
        )
        trained = read_history(weights)
        file.attrs.update(
            precision=precision,
            outliers=" ".join(trained["used"]),
            steps=trained["steps"],
            alike=" ".join(more["alike"]),
        )
        file.attrs.update(
            configuration=json.dumps(params, sort_keys=True),
            versions=json.dumps(versions),
            code=code,
        )
        order = []
        for entry, split in read_sets(
            sets, data, run["in_dist"], params, more["train"], may_be_missing
        ):
            place, role = f"{entry['name']}/{entry['split']}", entry["role"]
            file.create_group(place).attrs["role"] = role
            if role == "attack":
                how = entry["attack"], entry["levels"], entry["up"]
                split = ImageSplit(
                    attack_images(
                        lambda x: model(x)[:, :classes], split.images, *how, torch_device
                    ),
                    split.labels,
                )
            with costs["outputs"].measured(len(split.images), *memory):
                found = outputs(split.images, place)
            for name, values in (found | {"labels": split.labels}).items():
                hdf5_files.put(file, f"{place}/{name}", values)
            if kind == "density":
                file[place]["log_likelihood"].attrs["dims"] = int(np.prod(shape))
            index = select_indices(len(split.images), more["images"], "costly", place)
            for method, statistics in () if is_spared(role, entry["split"]) else methods.items():
                with costs[method].measured(len(index), *memory):
                    found = finite(statistics(split.images[index]), place)
                for name, values in found.items():
                    hdf5_files.put(file, f"{place}/{name}", values).attrs["index"] = index
            order.append(place)
            logging.info("/%s: %d images", place, len(split.images))
        file.attrs["order"] = order
        if kind == "classifier":
            hdf5_files.put(file, "head/weight", model.head.weight[:classes].detach().cpu().numpy())
            hdf5_files.put(file, "head/bias", model.head.bias[:classes].detach().cpu().numpy())
        else:
            some = test[select_indices(len(test), FADED, "faded")]
            hdf5_files.put(
                file,
                "probe/constant/log_likelihood",
                outputs(make_constants(shape), "constants")["log_likelihood"],
            )
            shades = outputs(fade(some).reshape(-1, *shape), "faded images")["log_likelihood"]
            hdf5_files.put(file, "probe/contrast/log_likelihood", shades.reshape(len(some), -1))
            hdf5_files.put(file, "probe/contrast/factor", FACTORS)
        if more["samples"]:
            torch.manual_seed(derive_seed("samples", run["seed"]))
            with torch.inference_mode():
                images = model.sample(more["samples"])
            hdf5_files.put(file, "samples/images", (images * 255).round().byte().cpu().numpy())
            logging.info("%d samples", more["samples"])
    write_costs(cost, "name", costs)
