"""`detection_{convention}.csv`: detection as another codebase defines, names and scales it.

Built on demand, to compare with the numbers that the codebase publishes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd

from oecal.metrics.peer_conventions import CONVENTIONS, translate_metrics
from oecal.runs.run_files import RUN_COLUMNS
from oecal.tables.detection import compute_rows


def list_columns(convention: str) -> list[str]:
    """List the columns of the table in a convention."""
    return [
        *RUN_COLUMNS,
        "ood",
        "kind",
        "score",
        *CONVENTIONS[convention].columns,
        "base_rate",
        "n_in",
        "n_out",
    ]


def compute_table(convention: str, scores: Sequence[str]) -> pd.DataFrame:
    """One row per run, score and OOD set, computed from the score files.

    It cannot be had from `detection.csv`, which has neither nearest recall nor trapezoids.
    """
    return pd.DataFrame(
        compute_rows(scores, partial(translate_metrics, convention)),
        columns=list_columns(convention),
    )
