"""`detection.csv`: how well each score separates each OOD test set from the ID test set."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from oecal.core.roles import OOD
from oecal.metrics.custom_metrics import load_custom_metrics
from oecal.metrics.detection_metrics import detection_metrics_of_sets
from oecal.runs.run_files import RUN_COLUMNS, read_run

COLUMNS = [
    *RUN_COLUMNS,
    "ood",
    "kind",
    "score",
    "auroc",
    "ap_out",
    "ap_in",
    "fpr95",
    "fpr95_id_pos",
    "base_rate",
    "n_in",
    "n_out",
]


def compute_rows(
    scores: Sequence[str], metrics: Callable[[np.ndarray, list[np.ndarray]], list[dict[str, float]]]
) -> list[dict[str, object]]:
    """Compute a row per run, score and OOD test set.

    metrics: takes the ID scores and the scores of each OOD set, and returns a dict per OOD set.
    """
    rows: list[dict[str, object]] = []
    for path in scores:
        run = read_run(path)
        groups = run.tests(*OOD)
        for score, inside in run.find("id").arrays.items():
            for group, values in zip(
                groups, metrics(inside, [g[score] for g in groups]), strict=True
            ):
                rows.append(
                    {**run.key, "ood": group.set, "kind": group.role, "score": score, **values}
                )
    return rows


def compute_table(scores: Sequence[str], metrics: Sequence[str] = ()) -> pd.DataFrame:
    """One row per run, score and OOD set, computed from the score files.

    metrics: as under `measures` in the configuration; each adds a column at the end.
    """
    more = load_custom_metrics(metrics, "detection")

    def compute_metrics(inside: np.ndarray, outside: list[np.ndarray]) -> list[dict[str, float]]:
        standard = detection_metrics_of_sets(inside, outside)
        return [
            {**own, **{name: m(inside, values) for name, m in more.items()}}
            for own, values in zip(standard, outside, strict=True)
        ]

    return pd.DataFrame(compute_rows(scores, compute_metrics), columns=[*COLUMNS, *more])
