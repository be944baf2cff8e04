"""`calibration.csv`: calibration on ID, pooled with OOD, and under shift, per post-hoc method."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from oecal.calibrators.calibrator import Calibrator
from oecal.core.component_imports import import_component
from oecal.metrics.calibration_metrics import confidence_metrics, label_metrics
from oecal.metrics.custom_metrics import Metrics, load_custom_metrics
from oecal.runs.run_files import (
    RUN_COLUMNS,
    StoredRun,
    StoredSet,
    confidence_and_correctness,
    pool_test_images,
    read_run,
    take_all,
)
from oecal.tables.rows import make_table

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

SelectedImages = list[tuple[StoredSet, np.ndarray]]


def list_sets(run: StoredRun, ratio: float) -> Iterator[tuple[str, SelectedImages]]:
    """Yield name and images of each row: id, pooled, each shift, corruption and severity."""
    yield "id", [take_all(run.find("id"))]
    if len(parts := pool_test_images(run, ratio)) > 1:
        yield "pooled", parts
    for group in run.tests("shift", "corruption"):
        yield group.set, [take_all(group)]


def fit_calibrator(run: StoredRun, method: str) -> Calibrator | None:
    """Fit a method of oecal.calibrators on the ID validation split.

    Return None if the method needs auxiliary outliers and the run has none.
    """
    module, val = import_component("calibrators", method), run.find("id", "val")
    outliers = [g["logits"] for g in run.groups if g.role == "outlier"] if module.OUTLIERS else []
    if module.OUTLIERS and not outliers:
        return None
    calibrator: Calibrator = module.fit(
        val["logits"], val["labels"], *([np.concatenate(outliers)] if outliers else [])
    )
    return calibrator


def measure_set(
    parts: SelectedImages, calibrator: Calibrator | None, bins: int, more: Metrics
) -> dict[str, float]:
    """Compute all metrics of one set, and those of `more`.

    nll, brier and cwece need a true class, so they are left out where OOD images are mixed in.
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
    outputs: Sequence[str],
    bins: int,
    ood_ratio: float,
    post_hoc: Sequence[str],
    metrics: Sequence[str] = (),
) -> pd.DataFrame:
    """One row per classifier run, post-hoc method and set.

    bins, ood_ratio, post_hoc, metrics: as under `measures` in the configuration; each of `metrics`
    adds a column at the end. temperature: 1 without calibration, empty for a method that has none.
    """
    rows, more = [], load_custom_metrics(metrics, "calibration")
    for path in outputs:
        run = read_run(path, "logits", "labels", "log_likelihood")
        if run.kind == "classifier":
            methods = {"none": None} | {m: c for m in post_hoc if (c := fit_calibrator(run, m))}
            for method, calibrator in methods.items():
                for name, parts in list_sets(run, ood_ratio):
                    values = measure_set(parts, calibrator, bins, more)
                    rows.append({**run.key, "post_hoc": method, "set": name, **values})
    return make_table(rows, [*COLUMNS, *more], outputs)
