"""`detection.csv`: how well each score separates each OOD test set from the ID test set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

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


def rows(
    scores: Sequence[str], metrics: Callable[[np.ndarray, list[np.ndarray]], list[dict[str, float]]]
) -> list[dict[str, Any]]:
    """A row for each run, score and OOD test set.

    `metrics` of the ID scores and of all OOD sets' scores.
    """
    found = []
    for path in scores:
        run = read_run(path)
        groups = run.tests(*OOD)
        for score, inside in run.find("id").arrays.items():
            for group, values in zip(
                groups, metrics(inside, [g[score] for g in groups]), strict=True
            ):
                found.append(
                    {**run.key, "ood": group.set, "kind": group.role, "score": score, **values}
                )
    return found


def compute_table(
    outputs: Sequence[str], scores: Sequence[str], options: Mapping[str, Any]
) -> pd.DataFrame:
    """A row for each run, score and OOD set, from the score files.

    Options: metrics, whose columns are the last ones.
    """
    more = load_custom_metrics(options, "detection")

    def metrics(inside: np.ndarray, outside: list[np.ndarray]) -> list[dict[str, float]]:
        found = detection_metrics_of_sets(inside, outside)
        return [
            {**own, **{name: m(inside, values) for name, m in more.items()}}
            for own, values in zip(found, outside, strict=True)
        ]

    return pd.DataFrame(rows(scores, metrics), columns=[*COLUMNS, *more])
