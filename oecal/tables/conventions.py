"""`detection_{convention}.csv`: detection as another codebase defines, names and scales it, to compare with what it publishes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd

from oecal.metrics.peer_conventions import CONVENTIONS, translate_metrics
from oecal.runs.run_files import RUN_COLUMNS
from oecal.tables.detection import rows


def compute_table(convention: str, scores: Sequence[str]) -> pd.DataFrame:
    """A row for each run, score and OOD set, from the score files.

    Nearest recall and trapezoid cannot be had from `detection.csv`.
    """
    columns = [
        *RUN_COLUMNS,
        "ood",
        "kind",
        "score",
        *CONVENTIONS[convention].columns,
        "base_rate",
        "n_in",
        "n_out",
    ]
    return pd.DataFrame(rows(scores, partial(translate_metrics, convention)), columns=columns)
