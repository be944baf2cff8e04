"""`confidence.csv`: how confident is a classifier on images it gets right, on those it gets wrong, and on what it cannot know?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

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
from oecal.tables.rows import frame

COLUMNS = [*RUN_COLUMNS, "set", "group", "mean", "median", "above_90", "above_99", "n"]


def groups_of(run: StoredRun) -> Iterator[tuple[str, str, np.ndarray]]:
    """Set, group and confidences: ID test images that are right (`id`) and wrong (`id wrong`), and each OOD set under its kind."""
    for group in run.tests("id", *OOD):
        confidence, correct = confidence_and_correctness([take_all(group)])
        if group.role == "id":
            yield group.set, "id", confidence[correct]
            yield group.set, "id wrong", confidence[~correct]
        else:
            yield group.set, group.role, confidence


def compute_table(
    outputs: Sequence[str], scores: Sequence[str], options: Mapping[str, Any]
) -> pd.DataFrame:
    """A row for each classifier run, set and group: mean and median of the maximum softmax probability, the shares above 90% and 99%."""
    rows = []
    for path in outputs:
        run = read_run(path, "logits", "labels")
        for name, group, c in groups_of(run) if run.kind == "classifier" else ():
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
    return frame(rows, COLUMNS, outputs)
