"""`likelihood.csv`: bits per dimension of each evaluated set under each density model."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from oecal.metrics.likelihood_metrics import bits_per_dimension
from oecal.runs.run_files import RUN_COLUMNS, read_run
from oecal.tables.rows import make_table

COLUMNS = [*RUN_COLUMNS, "set", "bpd_mean", "bpd_sd", "n"]


def compute_table(outputs: Sequence[str]) -> pd.DataFrame:
    """One row per density run and set.

    The in-distribution set's training and validation split appear as `{set}/train` and `{set}/val`.
    """
    rows = []
    for path in outputs:
        run = read_run(path, "log_likelihood")
        if run.kind == "density":
            for group in (g for g in run.groups if g.role != "path"):
                bpd = bits_per_dimension(group["log_likelihood"], run.dims)
                name = group.set if group.split == "test" else f"{group.set}/{group.split}"
                rows.append(
                    {
                        **run.key,
                        "set": name,
                        "bpd_mean": bpd.mean(),
                        "bpd_sd": bpd.std(ddof=1),
                        "n": len(bpd),
                    }
                )
    return make_table(rows, COLUMNS, outputs)
