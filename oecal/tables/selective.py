"""`selective.csv`: what is gained by rejecting the inputs that a score calls uncertain.

On ID images alone, and with OOD images mixed in.
"""

from __future__ import annotations

from collections.abc import Sequence

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
from oecal.tables.rows import make_table

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


def collect_errors_and_scores(
    outputs: str, scores: str, ratio: float
) -> dict[str, tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Collect errors, (N,), and each score, (N,), for the sets `id` and `pooled`.

    An error is 1 where the prediction is wrong or the image is OOD. Scores that were computed for
    only part of the images are left out.
    """
    run, scored = read_run(outputs, "logits", "labels"), read_run(scores)
    at = {(g.set, g.split): g for g in scored.groups}
    errors_and_scores = {}
    both = pool_test_images(run, ratio)
    for name, parts in {"id": both[:1], "pooled": both}.items():
        _, correct = confidence_and_correctness(parts)
        whole = list_complete_scores(run, [at[g.set, g.split] for g, _ in parts])
        values = {
            s: np.concatenate([at[group.set, group.split][s][index] for group, index in parts])
            for s in whole
        }
        errors_and_scores[name] = (1 - correct.astype(float), values)
    return errors_and_scores


def compute_table(
    outputs: Sequence[str],
    scores: Sequence[str],
    ood_ratio: float,
    target_risk: float,
    target_coverage: float,
) -> pd.DataFrame:
    """One row per classifier run, score and set.

    ood_ratio, target_risk, target_coverage: as under `measures` in the configuration.
    """
    rows = []
    for output, scored in zip(outputs, scores, strict=True):
        run = read_run(scored)
        if run.kind == "classifier":
            for name, (errors, values) in collect_errors_and_scores(
                output, scored, ood_ratio
            ).items():
                for score, v in values.items():
                    metrics = selective_metrics(v, errors, target_risk, target_coverage)
                    rows.append({**run.key, "score": score, "set": name, **metrics})
    return make_table(rows, COLUMNS, outputs)
