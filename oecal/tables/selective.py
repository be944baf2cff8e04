"""`selective.csv`: what is gained by rejecting the inputs that a score calls uncertain.

On ID alone and with OOD mixed in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from oecal.metrics.selective_metrics import selective_metrics
from oecal.runs.run_files import (
    RUN_COLUMNS,
    confidence_and_correctness,
    list_complete_scores,
    pool_test_images,
    read_run,
)
from oecal.tables.rows import frame

COLUMNS = [
    *RUN_COLUMNS,
    "score",
    "set",
    "aurc",
    "eaurc",
    "augrc",
    "coverage_at_risk",
    "risk_at_coverage",
]


def errors_and_scores(
    outputs: str, scores: str, ratio: float
) -> dict[str, tuple[np.ndarray, dict[str, np.ndarray]]]:
    """For `id` and `pooled`: 1 where the prediction is wrong or the image is OOD, (N,), and each score, (N,).

    A score that was computed of part of the images only has no place here.
    """
    run, scored = read_run(outputs, "logits", "labels"), read_run(scores)
    at = {(g.set, g.split): g for g in scored.groups}
    found = {}
    both = pool_test_images(run, ratio)
    for name, parts in {"id": both[:1], "pooled": both}.items():
        _, correct = confidence_and_correctness(parts)
        whole = list_complete_scores(run, [at[g.set, g.split] for g, _ in parts])
        values = {
            s: np.concatenate([at[group.set, group.split][s][index] for group, index in parts])
            for s in whole
        }
        found[name] = (1 - correct.astype(float), values)
    return found


def compute_table(
    outputs: Sequence[str], scores: Sequence[str], options: Mapping[str, float]
) -> pd.DataFrame:
    """A row for each classifier run, score and set.

    Options: ood_ratio, target_risk, target_coverage.
    """
    rows = []
    for output, scored in zip(outputs, scores, strict=True):
        run = read_run(scored)
        if run.kind == "classifier":
            for name, (errors, values) in errors_and_scores(
                output, scored, options["ood_ratio"]
            ).items():
                for score, v in values.items():
                    metrics = selective_metrics(
                        v, errors, options["target_risk"], options["target_coverage"]
                    )
                    rows.append({**run.key, "score": score, "set": name, **metrics})
    return frame(rows, COLUMNS, outputs)
