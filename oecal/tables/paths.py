"""`paths.csv`: confidence, accuracy and likelihood along paths that lead out of the in-distribution set (oecal.data.image_paths)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from oecal.data.image_paths import STEPS, T
from oecal.metrics.likelihood_metrics import bits_per_dimension
from oecal.runs.run_files import (
    RUN_COLUMNS,
    EvaluatedSet,
    confidence_and_correctness,
    read_run,
    take_all,
)

VALUES = ["confidence", "accuracy", "bpd"]
COLUMNS = [*RUN_COLUMNS, "set", "t", *VALUES, "n"]


def along(group: EvaluatedSet, dims: int) -> dict[str, np.ndarray]:
    """Of each image (rows) at each step (columns): confidence and whether the true class is predicted, or bits/dim."""
    if "log_likelihood" in group.arrays:
        return {"bpd": bits_per_dimension(group["log_likelihood"], dims).reshape(-1, STEPS)}
    confidence, correct = confidence_and_correctness([take_all(group)])
    return {
        "confidence": confidence.reshape(-1, STEPS),
        "accuracy": correct.reshape(-1, STEPS).astype(float),
    }


def compute_table(
    outputs: Sequence[str], scores: Sequence[str], options: Mapping[str, Any]
) -> pd.DataFrame:
    """A row for each run, path and step: means over the n images that start the path.

    set: where the path leads; t: 0 is the in-distribution image, 1 the end; accuracy: share that is
    given the true class of its start.
    """
    rows = []
    for path in outputs:
        run = read_run(path, "logits", "labels", "log_likelihood")
        for group in run.tests("path"):
            found = along(group, run.dims)
            for step, t in enumerate(T):
                means = {name: values[:, step].mean() for name, values in found.items()}
                rows.append(
                    {
                        **run.key,
                        "set": group.set.removeprefix("path-"),
                        "t": round(t, 6),
                        **means,
                        "n": len(group) // STEPS,
                    }
                )
    return pd.DataFrame(rows, columns=COLUMNS)
