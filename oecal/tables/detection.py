"""`detection.csv`: how well each score separates each OOD test set from the ID test set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from oecal.metrics.detection import detection_metrics
from oecal.results import OOD, RUN, read

COLUMNS = [*RUN, "ood", "kind", "score", "auroc", "ap_out", "ap_in", "fpr95", "fpr95_id_pos", "base_rate", "n_in", "n_out"]


def table(outputs: Sequence[str], scores: Sequence[str], options: Mapping[str, float]) -> pd.DataFrame:
    """A row for each run, OOD set and score, from the score files."""
    rows = []
    for path in scores:
        run = read(path)
        inside = run.find("id")
        for group in run.tests(*OOD):
            for score, values in group.arrays.items():
                metrics = detection_metrics(inside[score], values)
                rows.append({**run.key, "ood": group.set, "kind": group.role, "score": score, **metrics})
    return pd.DataFrame(rows, columns=COLUMNS)
