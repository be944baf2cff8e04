"""`paths.csv`: confidence, accuracy and likelihood on paths that leave the in-distribution set.

The paths come from oecal.data.image_paths.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from oecal.data.image_paths import STEPS, T
from oecal.metrics.likelihood_metrics import bits_per_dimension
from oecal.runs.run_files import (
    RUN_COLUMNS,
    StoredSet,
    confidence_and_correctness,
    read_run,
    take_all,
)

VALUES = ["confidence", "accuracy", "bpd"]
COLUMNS = [*RUN_COLUMNS, "set", "t", *VALUES, "n"]


def arrange_by_step(group: StoredSet, dims: int) -> dict[str, np.ndarray]:
    """Arrange the values of a path's images, a row per image and a column per step.

    Confidence and whether the true class is predicted; of a density model bits per dimension.
    """
    if "log_likelihood" in group.arrays:
        return {"bpd": bits_per_dimension(group["log_likelihood"], dims).reshape(-1, STEPS)}
    confidence, correct = confidence_and_correctness([take_all(group)])
    return {
        "confidence": confidence.reshape(-1, STEPS),
        "accuracy": correct.reshape(-1, STEPS).astype(float),
    }


def compute_table(outputs: Sequence[str]) -> pd.DataFrame:
    """One row per run, path and step, with means over the n images that start the path.

    set: where the path leads; t: 0 is the in-distribution image, 1 the end; accuracy: share of
    images that are given the true class of their start.
    """
    rows = []
    for path in outputs:
        run = read_run(path, "logits", "labels", "log_likelihood")
        for group in run.tests("path"):
            by_step = arrange_by_step(group, run.dims)
            for step, t in enumerate(T):
                means = {name: values[:, step].mean() for name, values in by_step.items()}
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
