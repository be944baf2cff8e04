"""`decomposition.csv`: does a score tell images that are unknown from those that are merely ambiguous?

Ambiguous images, each a mean of two classes, are made of what a model knows: their uncertainty is
aleatoric, and no further data would take it away. That of OOD images is epistemic. A score of
epistemic uncertainty is high on the latter only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from oecal.core.roles import OOD
from oecal.metrics.detection_metrics import Sample, auroc, compare_samples, count_sample
from oecal.runs.run_files import RUN_COLUMNS, EvaluatedSet, StoredRun, read_run

COLUMNS = [
    *RUN_COLUMNS,
    "score",
    "kind",
    "auroc_ambiguous",
    "auroc_ood",
    "auroc_ood_ambiguous",
    "n_id",
    "n_ambiguous",
    "n_ood",
]


def together(groups: Sequence[EvaluatedSet], score: str) -> Sample:
    """One score of the images of all groups."""
    return count_sample(np.concatenate([g[score] for g in groups]), score)


def rows(run: StoredRun) -> Iterator[dict[str, Any]]:
    """A row for each score and kind of OOD, all sets of a kind together."""
    inside, ambiguous = run.find("id"), run.tests("ambiguous")
    for score in inside.arrays if ambiguous else ():
        known, unsure = count_sample(inside[score], "ID"), together(ambiguous, score)
        own = {
            "auroc_ambiguous": auroc(compare_samples(known, unsure).ood),
            "n_id": known.counts.sum(),
            "n_ambiguous": unsure.counts.sum(),
        }
        for kind in OOD:
            if groups := run.tests(kind):
                unknown = together(groups, score)
                yield {
                    "score": score,
                    "kind": kind,
                    **own,
                    "auroc_ood": auroc(compare_samples(known, unknown).ood),
                    "auroc_ood_ambiguous": auroc(compare_samples(unsure, unknown).ood),
                    "n_ood": unknown.counts.sum(),
                }


def compute_table(
    outputs: Sequence[str], scores: Sequence[str], options: Mapping[str, Any]
) -> pd.DataFrame:
    """A row for each classifier run with ambiguous images, score and kind of OOD.

    auroc_ambiguous: of ambiguous against ID test images, auroc_ood: of OOD against these,
    auroc_ood_ambiguous: of OOD against ambiguous ones; OOD, and in the first the ambiguous, are the
    positive class.
    """
    runs = [run for run in map(read_run, scores) if run.kind == "classifier"]
    return pd.DataFrame([{**run.key, **row} for run in runs for row in rows(run)], columns=COLUMNS)
