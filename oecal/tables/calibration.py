"""`calibration.csv`: calibration of each classifier on ID test images, pooled with OOD, and under shift; before and after temperature."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from oecal.metrics.calibration import confidence_metrics, label_metrics
from oecal.results import RUN, Group, Run, confidence_and_correctness, pooled, read
from oecal.scores.numerics import fit_temperature
from oecal.tables.rows import frame

METRICS = ["accuracy", "ece", "ace", "cwece", "mce", "rms", "mad", "nll", "brier", "soft_f1", "mean_confidence"]
MORE = ["rms_official", "ce2_debiased", "error_auroc", "reliability", "resolution"]
COLUMNS = [*RUN, "post_hoc", "set", *METRICS, "temperature", "n", *MORE]

Parts = list[tuple[Group, np.ndarray]]


def sets_of(run: Run, ratio: float) -> Iterator[tuple[str, Parts]]:
    """Name and images of each row: id, pooled, each shifted set, each corruption and severity."""
    yield "id", [(run.find("id"), np.arange(len(run.find("id"))))]
    if len(parts := pooled(run, ratio)) > 1:
        yield "pooled", parts
    for group in run.tests("shift", "corruption"):
        yield group.set, [(group, np.arange(len(group)))]


def temperature_of(run: Run) -> float:
    """The temperature fitted on the ID validation split."""
    val = run.find("id", "val")
    return fit_temperature(val["logits"], val["labels"])


def row(parts: Parts, temperature: float, bins: int) -> dict[str, Any]:
    """All metrics of one set. nll, brier and cwece need a true class, so they are left empty where OOD is mixed in."""
    confidence, correct = confidence_and_correctness(parts, temperature)
    metrics = confidence_metrics(confidence, correct, bins)
    if len(parts) == 1:
        group, index = parts[0]
        metrics |= label_metrics(group["logits"][index] / temperature, group["labels"][index], bins)
    return {**metrics, "temperature": temperature, "n": len(confidence)}


def table(outputs: Sequence[str], scores: Sequence[str], options: Mapping[str, float]) -> pd.DataFrame:
    """A row for each classifier run, post-hoc method and set, from the output files. Options: bins, ood_ratio."""
    rows = []
    for path in outputs:
        run = read(path, "logits", "labels", "log_likelihood")
        if run.kind == "classifier":
            for post_hoc, temperature in (("none", 1.0), ("temperature", temperature_of(run))):
                for name, parts in sets_of(run, options["ood_ratio"]):
                    rows.append({**run.key, "post_hoc": post_hoc, "set": name, **row(parts, temperature, int(options["bins"]))})
    return frame(rows, COLUMNS, outputs)
