"""`confidence.csv`: how confident a classifier is when right, when wrong, and on OOD images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from oecal.core.roles import OOD
from oecal.runs.run_files import (
    RUN_COLUMNS,
    StoredRun,
    confidence_and_correctness,
    read_run,
    take_all,
)
from oecal.tables.rows import make_table

COLUMNS = [*RUN_COLUMNS, "set", "group", "mean", "median", "above_90", "above_99", "n"]


def list_groups(run: StoredRun) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield set, group and confidences.

    Groups: ID test images that are classified right (`id`) or wrong (`id wrong`), and each OOD set
    under its kind.
    """
    for group in run.tests("id", *OOD):
        confidence, correct = confidence_and_correctness([take_all(group)])
        if group.role == "id":
            yield group.set, "id", confidence[correct]
            yield group.set, "id wrong", confidence[~correct]
        else:
            yield group.set, group.role, confidence


def compute_table(outputs: Sequence[str]) -> pd.DataFrame:
    """One row per classifier run, set and group, about the maximum softmax probability.

    mean, median; above_90, above_99: shares of the images above 90% and 99%.
    """
    rows = []
    for path in outputs:
        run = read_run(path, "logits", "labels")
        for name, group, c in list_groups(run) if run.kind == "classifier" else ():
            if len(c):
                shares = {"above_90": (c > 0.9).mean(), "above_99": (c > 0.99).mean()}
                rows.append(
                    {
                        **run.key,
                        "set": name,
                        "group": group,
                        "mean": c.mean(),
                        "median": np.median(c),
                        **shares,
                        "n": len(c),
                    }
                )
    return make_table(rows, COLUMNS, outputs)
