"""`pit.csv`: a density model's likelihoods as p-values among those of its ID validation images.

If the likelihood is a confidence that can be trusted, they are uniform on ID and low on OOD images.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from oecal.core.roles import OOD
from oecal.metrics.likelihood_metrics import distance_from_uniform, pit
from oecal.runs.run_files import RUN_COLUMNS, StoredRun, StoredSet, read_run
from oecal.tables.rows import make_table

COLUMNS = [*RUN_COLUMNS, "set", "kind", "mean", "below_05", "above_95", "ks", "n"]


def compute_p_values(run: StoredRun) -> Iterator[tuple[StoredSet, np.ndarray]]:
    """Yield ID test and each OOD set with the p-values of their likelihoods, (N,)."""
    reference = run.find("id", "val")["log_likelihood"]
    for group in run.tests("id", *OOD):
        yield group, pit(group["log_likelihood"], reference)


def compute_table(outputs: Sequence[str]) -> pd.DataFrame:
    """One row per density run and test set.

    kind: id, or of an OOD set; mean: of the p-values, 0.5 on ID; below_05: share that a test at 5%
    would reject as too unlikely; above_95: share more likely than 95% of the ID validation images;
    ks: Kolmogorov-Smirnov distance from uniform.
    """
    rows = []
    for path in outputs:
        run = read_run(path, "log_likelihood")
        for group, p in compute_p_values(run) if run.kind == "density" else ():
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
    return make_table(rows, COLUMNS, outputs)
