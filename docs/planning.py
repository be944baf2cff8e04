"""Write docs/planning.md: jobs, operations, hours and storage of the full studies.

Counted from their configurations; `make docs` runs it.
"""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from oecal.core.options import read_option
from oecal.data.table import load_published_sets
from oecal.models.build_network import build_model
from oecal.models.model_spec import ModelSpec
from oecal.predict.evaluated import OUTLIERS
from oecal.study import loading as configuration
from oecal.study.study import RunKey, Study
from oecal.training.recipe import Recipe

ROOT = Path(__file__).parent.parent
RATE = 20e12  # operations a second of one GPU: an assumption, as the page says
GPUS = 16
COLUMNS = (
    "study",
    "jobs",
    "trainings",
    "training, PFLOP",
    "prediction, PFLOP",
    "hours, 1 GPU",
    f"hours, {GPUS} GPUs",
    "data sets, GB",
    "results, GB",
)
HEAD = f"""# How long the full studies take, and how much they write

`make docs` computes this page from the configurations. **Nothing here was measured**: no GPU was
available. Operations are those of the networks' convolutions and matrix products (a multiplication
and an addition count as two), forward and backward in training, forward in prediction, counted by
PyTorch's FlopCounterMode. Hours divide them by {RATE / 1e12:.0f} TFLOP/s per GPU. That rate is an
assumption: two to six percent of the nominal bfloat16 peak of an A100 or H100, for networks as
small as these. `PYTHONPATH=. python benchmarks/training.py` measures the rate of your GPU; hours
scale with it.

With {GPUS} GPUs, trainings and predictions run side by side, but a fine-tuning waits for its
baseline: the hours are the larger of an equal share of the work and the longest such chain. Not
counted: costly scores (gradients, dropout passes, likelihood regret), which depend on `costly` in
the model; SWAG's epochs; scores, tables and figures, which need no GPU; downloads.

| {" | ".join(COLUMNS)} |
|{"---|" * len(COLUMNS)}
"""
FOOT = """
Data sets are the image stores of the study, uncompressed, without the downloads (sizes:
[datasets.md](datasets.md)). Results are outputs (logits and features or likelihoods, float32 and
float64), scores and weights; tables and figures are small in comparison. Sets whose size is not
known beforehand are left out.
"""


def count_images(study: Study, name: str, split: str) -> int:
    """Count the images of a split before duplicates and overlaps are left out; 0: not known."""
    entry = study.datasets[name]
    options, most = entry.options, entry.at_most.get(split, 0)
    if entry.source == "published":
        row = load_published_sets()[read_option(options, "name")]
        there = row["images"]
        number = there.get(split) or 0
        if "val" not in there and split in ("train", "val"):
            share = read_option(options, "val_share")
            number = round((there.get("train") or 0) * (share if split == "val" else 1 - share))
        if entry.classes and "classes" in row:
            number = number * len(entry.classes) // len(row["classes"])
    else:
        number = read_option(options, "n", 0) or (
            count_images(study, entry.made_of[0], split) if entry.made_of else 0
        )
    return min(number, most) if most and number else most or number


def shape_of(study: Study, name: str) -> tuple[int, int, int]:
    entry = study.datasets[name]
    if size := entry.format.get("size"):
        return entry.format.get("channels", 3), size, size
    shape = (
        load_published_sets()[read_option(entry.options, "name")]["shape"]
        if entry.source == "published"
        else (1, 28, 28)
    )
    return tuple(shape)


def classes_of(study: Study, name: str) -> int:
    entry = study.datasets[name]
    known = (
        load_published_sets()[read_option(entry.options, "name")].get("classes", [])
        if entry.source == "published"
        else []
    )
    return len(entry.classes) or len(known) - len(entry.drop_classes) or 1


@cache
def network(model: str, shape: tuple[int, int, int], classes: int) -> tuple[float, int, int]:
    """Operations per image, forward and backward; parameters; features of the last layer."""
    built = build_model(ModelSpec(**json.loads(model)), shape, classes)
    with FlopCounterMode(display=False) as counter:
        built(torch.rand(2, *shape)).sum().backward()
    head = getattr(built, "head", None)
    features = head.in_features if isinstance(head, torch.nn.Linear) else 0
    return counter.get_total_flops() / 2, sum(p.numel() for p in built.parameters()), features


def count_evaluated_images(study: Study, run: RunKey) -> int:
    """Count the images that a run predicts."""
    total = 0
    for entry in study.sets(run.in_dist, study.kind(run.model)):
        there = count_images(study, entry["dataset"], entry["split"])
        most = entry.get("images", 0) or (OUTLIERS if entry["role"] == "outlier" else 0)
        if entry["role"] == "id" and entry["split"] == "train":
            most = study.prediction(run)["train"]
        total += min(there, most) if most and there else there
    return total


def of_run(study: Study, run: RunKey) -> tuple[float, float, float]:
    """Operations of the training and of the prediction, and bytes of the results."""
    params = study.training(*run[:3])
    recipe = Recipe(**params["recipe"])
    shape, classes = shape_of(study, run.in_dist), classes_of(study, run.in_dist)
    operations, parameters, features = network(
        json.dumps(params["model"], sort_keys=True), shape, classes
    )
    n = count_images(study, run.in_dist, "train")
    n = min(n, params["train_images"]) if params["train_images"] else n
    with_outliers = 1 + recipe.outlier_batch_size / recipe.batch_size if params["outliers"] else 1
    trained = recipe.epochs * recipe.steps_of_an_epoch(n) * recipe.batch_size * with_outliers
    predicted = count_evaluated_images(study, run)
    an_image = 4 * (classes + features) + 8 if study.kind(run.model) == "classifier" else 8
    return (
        trained * operations,
        predicted * operations / 3,
        predicted * (an_image + 8 * len(study.scores(run))) + 4 * parameters,
    )


def chain(study: Study, run: RunKey, spent: dict[RunKey, float]) -> float:
    """Operations of a run and of the trainings that it waits for."""
    init = study.training(*run[:3])["init"]
    return spent[run] + (chain(study, run._replace(training=init), spent) if init else 0)


def count_jobs(path: Path) -> int:
    """Count the jobs of a dry run that makes everything anew."""
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "-n",
        "--quiet",
        "rules",
        "--cores",
        "2",
        "--configfile",
        str(path.relative_to(ROOT)),
    ]
    environment = os.environ | {"OECAL_DATA": "/nonexistent"}
    said = subprocess.run(
        [*command, "--forceall"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return int(re.findall(r"(?m)^total +(\d+)", said)[-1])


def row(path: Path) -> str:
    study = configuration.read(path)
    spent: dict[RunKey, float] = {}
    training = prediction = results = 0.0
    for run in study.runs():
        train, predict, size = of_run(study, run)
        spent[run] = train + predict
        training, prediction, results = training + train, prediction + predict, results + size
    longest = max(chain(study, run, spent) for run in study.runs())
    one, many = (
        (training + prediction) / RATE / 3600,
        max((training + prediction) / GPUS, longest) / RATE / 3600,
    )
    stored = sum(
        count_images(study, name, s) * math.prod(shape_of(study, name))
        for name in study.used_datasets()
        for s in ("train", "val", "test")
    )
    numbers = prediction / 1e15, one, many, stored / 1e9, results / 1e9
    counts = count_jobs(path), len(study.runs()), round(training / 1e15)
    return (
        " | ".join(
            [f"| {study.name}", *(f"{n:,}" for n in counts), *(f"{n:,.1f}" for n in numbers)]
        )
        + " |"
    )


def page() -> str:
    full = [
        path
        for path in sorted((ROOT / "studies").glob("*.yaml"))
        if path.stem not in ("tiny", "own-images")
    ]
    return HEAD + "\n".join(row(path) for path in full) + "\n" + FOOT


if __name__ == "__main__":
    Path(__file__).with_suffix(".md").write_text(page())
