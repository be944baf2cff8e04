"""`pit.csv`: is the likelihood of a density model, as a p-value by its ID validation distribution, a confidence that can be trusted?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from oecal.core.roles import OOD
from oecal.metrics.likelihood_metrics import distance_from_uniform, pit
from oecal.runs.run_files import RUN_COLUMNS, EvaluatedSet, StoredRun, read_run
from oecal.tables.rows import frame

COLUMNS = [*RUN_COLUMNS, "set", "kind", "mean", "below_05", "above_95", "ks", "n"]


def p_values(run: StoredRun) -> Iterator[tuple[EvaluatedSet, np.ndarray]]:
    """ID test and each OOD set, and the p-values of their likelihoods among the ID validation images, (N,)."""
    reference = run.find("id", "val")["log_likelihood"]
    for group in run.tests("id", *OOD):
        yield group, pit(group["log_likelihood"], reference)


def compute_table(
    outputs: Sequence[str], scores: Sequence[str], options: Mapping[str, Any]
) -> pd.DataFrame:
    """A row for each density run and test set; kind: id, or of an OOD set.

    mean: of the p-values, 0.5 on ID; below_05: share that a test at 5% would reject as too
    unlikely; above_95: share more likely than 95% of the ID validation images; ks:
    Kolmogorov-Smirnov distance from uniform.
    """
    rows = []
    for path in outputs:
        run = read_run(path, "log_likelihood")
        for group, p in p_values(run) if run.kind == "density" else ():
            shares = {
                "mean": p.mean(),
                "below_05": (p <= 0.05).mean(),
                "above_95": (p > 0.95).mean(),
            }
            rows.append(
                {
                    **run.key,
                    "set": group.set,
                    "kind": group.role,
                    **shares,
                    "ks": distance_from_uniform(p),
                    "n": len(p),
                }
            )
    return frame(rows, COLUMNS, outputs)
