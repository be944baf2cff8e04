"""The prediction job of one run: all evaluated sets through the model, and what that cost."""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import cast

import h5py
import numpy as np
import torch
from torch import Tensor, nn

from oecal.core import hdf5_files
from oecal.core.device import (
    Compute,
    announce_device,
    move_model,
    resolve_precision,
    set_up_device,
)
from oecal.core.errors import OecalError
from oecal.core.job_costs import Cost, write_costs
from oecal.core.roles import is_spared
from oecal.core.seeds import derive_seed
from oecal.data import store
from oecal.data.store import ImageSplit
from oecal.models.build_network import load_samples, load_weights, make_network, read_history
from oecal.models.interfaces import Classifier, DensityModel
from oecal.predict import costly, repeated_passes
from oecal.predict.adversarial import attack_images
from oecal.predict.evaluated import EvaluatedEntry, EvaluatedSets, read_sets, select_indices
from oecal.predict.memory import read_peak, reset_peak
from oecal.predict.outputs import predict_outputs
from oecal.predict.prediction_plan import PredictionPlan
from oecal.predict.probes import FACTORS, fade, make_constants
from oecal.training.training_plan import TrainingPlan

FADED = 50  # images of falling contrast

Arrays = dict[str, np.ndarray]
Methods = Mapping[str, Callable[[np.ndarray], Arrays]]


@dataclass(frozen=True)
class PredictedRun:
    """Which run is predicted, and by which code."""

    key: Mapping[str, str | int]
    """in_dist, model, training, seed"""
    training: TrainingPlan
    code: str
    """fingerprint of the library files"""


@dataclass(frozen=True)
class PredictionFiles:
    """What a prediction reads and writes, beside the images."""

    weights: str
    outputs: str
    cost: str
    """CSV file: name (outputs, or a costly method), images, seconds, peak_mb"""
    swag: str | None = None
    """sampled weights, if they are needed"""


@dataclass(frozen=True)
class Predictor:
    """A trained model, ready to predict."""

    model: nn.Module
    kind: str
    classes: int
    shape: tuple[int, int, int]
    device: torch.device
    precision: str
    weights: str
    """the file of the weights, for messages"""

    def predict(self, images: np.ndarray, place: str) -> Arrays:
        """Return the ordinary outputs. Raises OecalError if one is not finite."""
        outputs = predict_outputs(
            self.model, self.kind, images, self.device, self.precision, self.classes
        )
        return self.check_finite(outputs, place)

    def check_finite(self, outputs: Arrays, place: str) -> Arrays:
        """Return the outputs. Raises OecalError if one is not finite."""
        for name, values in outputs.items():
            if not np.isfinite(values).all():
                raise OecalError(
                    f"{self.weights}: {name} on {place} are not finite; set a smaller lr or a "
                    "clip_norm, and train again"
                )
        return outputs

    def classify(self, x: Tensor) -> Tensor:
        """Return the logits (N, K) of a classifier's K classes."""
        logits: Tensor = self.model(x)[:, : self.classes]
        return logits

    def attack(self, entry: EvaluatedEntry, split: ImageSplit) -> ImageSplit:
        """Return the images after the attack of an entry."""
        images = attack_images(
            self.classify, split.images, entry.attack, entry.levels, entry.up, self.device
        )
        return ImageSplit(images, split.labels)


def predict_run(
    run: PredictedRun,
    plan: PredictionPlan,
    sets: EvaluatedSets,
    files: PredictionFiles,
    compute: Compute,
) -> None:
    """Write a group `/{set}/{split}` with outputs, labels and role for each evaluated set.

    A classifier also leaves its last layer, `/head/weight` (K, D) and `/head/bias` (K,); a density
    model `/probe` (oecal.predict.probes) and `/samples/images`. Costly statistics stand in the same
    groups, of the images that their attribute index lists. A density model is evaluated in the
    precision of `compute`, a classifier in float32. The costs are a file apart because times are
    never the same twice. Raises OecalError if an output is not finite.
    """
    predictor = load_predictor(run.training, files.weights, sets.data[sets.in_dist], compute)
    methods = choose_methods(predictor, plan, files.swag)
    costs = {name: Cost() for name in ("outputs", *methods)}
    with hdf5_files.creating(files.outputs) as file:
        write_attributes(file, run, plan, predictor)
        order = []
        for entry, split in read_sets(sets):
            write_set(file, entry, split, predictor, plan.images, methods, costs)
            order.append(entry.place)
            logging.info("/%s: %d images", entry.place, len(split.images))
        file.attrs["order"] = order
        if predictor.kind == "classifier":
            write_head(file, predictor)
        else:
            write_probes(file, predictor, store.read_split(sets.data[sets.in_dist], "test").images)
        if plan.samples:
            torch.manual_seed(derive_seed("samples", run.key["seed"]))
            write_samples(file, predictor, plan.samples)
    write_costs(files.cost, "name", costs)


def load_predictor(
    training: TrainingPlan, weights: str, in_dist: str, compute: Compute
) -> Predictor:
    """Load a trained model onto the device; in_dist: image store of its in-distribution set."""
    device = set_up_device(compute.device, compute.threads)
    shape = store.read_split(in_dist, "test").images.shape[1:]
    classes, kind = len(store.read_metadata(in_dist).classes), training.model.kind
    model = make_network(training.model, training.objective.name, shape, classes)
    load_weights(model, weights)
    move_model(model, device, compute.channels_last)
    low = resolve_precision(device, compute.precision)
    precision = low if kind == "density" else "float32"
    announce_device(device, precision)
    return Predictor(model, kind, classes, shape, device, precision, weights)


def choose_methods(predictor: Predictor, plan: PredictionPlan, swag: str | None) -> Methods:
    """Return what gives the costly statistics of images, by method."""
    model, device = predictor.model, predictor.device
    if predictor.kind == "density":
        return costly.list_methods(model, plan.costly, device)
    samples = load_samples(model, swag) if swag else []
    return repeated_passes.list_methods(
        model, plan.costly, predictor.classes, plan.passes, plan.augment, samples, device
    )


def write_attributes(
    file: h5py.File, run: PredictedRun, plan: PredictionPlan, predictor: Predictor
) -> None:
    """Write the root attributes: which run this is, and how it came about."""
    trained = read_history(predictor.weights)
    file.attrs.update(
        run.key,
        kind=predictor.kind,
        dims=int(np.prod(predictor.shape)),
        parameters=sum(p.numel() for p in predictor.model.parameters()),
    )
    file.attrs.update(
        precision=predictor.precision,
        outliers=" ".join(trained.used),
        steps=trained.steps,
        alike=" ".join(plan.alike),
    )
    file.attrs.update(
        configuration=json.dumps(run.training.to_plain(), sort_keys=True),
        versions=json.dumps({name: version(name) for name in ("torch", "numpy", "h5py")}),
        code=run.code,
    )


def write_set(
    file: h5py.File,
    entry: EvaluatedEntry,
    split: ImageSplit,
    predictor: Predictor,
    costly_images: int,
    methods: Methods,
    costs: Mapping[str, Cost],
) -> None:
    """Write all outputs of one evaluated set, and add to the costs what each method took.

    costly_images: of how many images costly statistics are computed.
    """
    device = predictor.device
    memory = functools.partial(reset_peak, device), functools.partial(read_peak, device)
    file.create_group(entry.place).attrs["role"] = entry.role
    if entry.role == "attack":
        split = predictor.attack(entry, split)
    with costs["outputs"].measured(len(split.images), *memory):
        outputs = predictor.predict(split.images, entry.place)
    for name, values in (outputs | {"labels": split.labels}).items():
        hdf5_files.put(file, f"{entry.place}/{name}", values)
    if predictor.kind == "density":
        log_likelihood = file[entry.place]["log_likelihood"]
        log_likelihood.attrs["dims"] = int(np.prod(predictor.shape))
    if is_spared(entry.role, entry.split):
        return
    index = select_indices(len(split.images), costly_images, "costly", entry.place)
    for method, compute_statistics in methods.items():
        with costs[method].measured(len(index), *memory):
            statistics = predictor.check_finite(
                compute_statistics(split.images[index]), entry.place
            )
        for name, values in statistics.items():
            hdf5_files.put(file, f"{entry.place}/{name}", values).attrs["index"] = index


def write_head(file: h5py.File, predictor: Predictor) -> None:
    """Write the last layer of a classifier, without outputs that are no classes."""
    head = cast(Classifier, predictor.model).head
    for name, values in (("weight", head.weight), ("bias", head.bias)):
        hdf5_files.put(file, f"head/{name}", values[: predictor.classes].detach().cpu().numpy())


def write_probes(file: h5py.File, predictor: Predictor, test: np.ndarray) -> None:
    """Write how likely a density model finds constant and faded images (oecal.predict.probes)."""
    some = test[select_indices(len(test), FADED, "faded")]
    constants = predictor.predict(make_constants(predictor.shape), "constants")
    hdf5_files.put(file, "probe/constant/log_likelihood", constants["log_likelihood"])
    shades = predictor.predict(fade(some).reshape(-1, *predictor.shape), "faded images")
    by_image = shades["log_likelihood"].reshape(len(some), -1)
    hdf5_files.put(file, "probe/contrast/log_likelihood", by_image)
    hdf5_files.put(file, "probe/contrast/factor", FACTORS)


def write_samples(file: h5py.File, predictor: Predictor, n: int) -> None:
    """Write n images that a density model draws, uint8."""
    with torch.inference_mode():
        images = cast(DensityModel, predictor.model).sample(n)
    hdf5_files.put(file, "samples/images", (images * 255).round().byte().cpu().numpy())
    logging.info("%d samples", n)
