"""`calibration.csv`: calibration of each classifier on ID test images, pooled with OOD, and under shift; before and after calibration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from oecal.calibrators.calibrator import Calibrator
from oecal.core.component_imports import import_component
from oecal.metrics.calibration_metrics import confidence_metrics, label_metrics
from oecal.metrics.custom_metrics import Metrics, load_custom_metrics
from oecal.runs.run_files import (
    RUN_COLUMNS,
    EvaluatedSet,
    StoredRun,
    confidence_and_correctness,
    pool_test_images,
    read_run,
    take_all,
)
from oecal.tables.rows import frame

METRICS = [
    "accuracy",
    "ece",
    "ace",
    "cwece",
    "mce",
    "rms",
    "mad",
    "nll",
    "brier",
    "soft_f1",
    "mean_confidence",
]
MORE = ["rms_official", "ce2_debiased", "error_auroc", "reliability", "resolution", "smece"]
COLUMNS = [*RUN_COLUMNS, "post_hoc", "set", *METRICS, "temperature", "n", *MORE]

Parts = list[tuple[EvaluatedSet, np.ndarray]]


def sets_of(run: StoredRun, ratio: float) -> Iterator[tuple[str, Parts]]:
    """Name and images of each row: id, pooled, each shifted set, each corruption and severity."""
    yield "id", [take_all(run.find("id"))]
    if len(parts := pool_test_images(run, ratio)) > 1:
        yield "pooled", parts
    for group in run.tests("shift", "corruption"):
        yield group.set, [take_all(group)]


def fitted(run: StoredRun, method: str) -> Calibrator | None:
    """A method of oecal.calibrators, fitted on the ID validation split.

    None if it takes auxiliary outliers, and the run has none.
    """
    module, val = import_component("calibrators", method), run.find("id", "val")
    outliers = [g["logits"] for g in run.groups if g.role == "outlier"] if module.OUTLIERS else []
    if module.OUTLIERS and not outliers:
        return None
    calibrator: Calibrator = module.fit(
        val["logits"], val["labels"], *([np.concatenate(outliers)] if outliers else [])
    )
    return calibrator


def row(parts: Parts, calibrator: Calibrator | None, bins: int, more: Metrics) -> dict[str, Any]:
    """All metrics of one set, and `more`.

    Nll, brier and cwece need a true class, so they are left empty where OOD is mixed in.
    """
    confidence, correct = confidence_and_correctness(parts, calibrator)
    metrics = confidence_metrics(confidence, correct, bins)
    each_once = np.ones((len(confidence), 1))
    metrics |= {
        name: float(metric(confidence, correct, each_once)[0]) for name, metric in more.items()
    }
    if len(parts) == 1:
        group, index = parts[0]
        logits = group["logits"][index]
        metrics |= label_metrics(
            calibrator(logits) if calibrator else logits, group["labels"][index], bins
        )
    return {
        **metrics,
        "temperature": calibrator.temperature if calibrator else 1.0,
        "n": len(confidence),
    }


def compute_table(
    outputs: Sequence[str], scores: Sequence[str], options: Mapping[str, Any]
) -> pd.DataFrame:
    """A row for each classifier run, post-hoc method and set, from the output files.

    Options: bins, ood_ratio, post_hoc, metrics.

    temperature: 1 without calibration, empty for a method that has none. The columns of
    `measures.metrics` are the last ones.
    """
    rows, more = [], load_custom_metrics(options, "calibration")
    for path in outputs:
        run = read_run(path, "logits", "labels", "log_likelihood")
        if run.kind == "classifier":
            methods = {"none": None} | {m: c for m in options["post_hoc"] if (c := fitted(run, m))}
            for post_hoc, calibrator in methods.items():
                for name, parts in sets_of(run, options["ood_ratio"]):
                    values = row(parts, calibrator, int(options["bins"]), more)
                    rows.append({**run.key, "post_hoc": post_hoc, "set": name, **values})
    return frame(rows, [*COLUMNS, *more], outputs)
