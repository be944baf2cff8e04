"""`decomposition.csv`: whether a score tells unknown images from merely ambiguous ones.

An ambiguous image is the mean of two images of known classes: its uncertainty is aleatoric, and
more data would not reduce it. The uncertainty of OOD images is epistemic. A score of epistemic
uncertainty is high on the latter only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from oecal.core.roles import OOD
from oecal.metrics.detection_metrics import Sample, auroc, compare_samples, count_sample
from oecal.runs.run_files import RUN_COLUMNS, StoredRun, StoredSet, read_run

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


def pool_sets(groups: Sequence[StoredSet], score: str) -> Sample:
    """Pool one score of the images of all groups."""
    return count_sample(np.concatenate([g[score] for g in groups]), score)


def compute_rows(run: StoredRun) -> Iterator[dict[str, object]]:
    """Yield a row per score and kind of OOD, all sets of a kind together."""
    inside, ambiguous = run.find("id"), run.tests("ambiguous")
    for score in inside.arrays if ambiguous else ():
        known, unsure = count_sample(inside[score], "ID"), pool_sets(ambiguous, score)
        own = {
            "auroc_ambiguous": auroc(compare_samples(known, unsure).ood),
            "n_id": known.counts.sum(),
            "n_ambiguous": unsure.counts.sum(),
        }
        for kind in OOD:
            if groups := run.tests(kind):
                unknown = pool_sets(groups, score)
                yield {
                    "score": score,
                    "kind": kind,
                    **own,
                    "auroc_ood": auroc(compare_samples(known, unknown).ood),
                    "auroc_ood_ambiguous": auroc(compare_samples(unsure, unknown).ood),
                    "n_ood": unknown.counts.sum(),
                }


def compute_table(scores: Sequence[str]) -> pd.DataFrame:
    """One row per classifier run with ambiguous images, score and kind of OOD.

    auroc_ambiguous: ambiguous against ID test images; auroc_ood: OOD against ID test images;
    auroc_ood_ambiguous: OOD against ambiguous images. The first named are the positive class.
    """
    runs = [run for run in map(read_run, scores) if run.kind == "classifier"]
    return pd.DataFrame(
        [{**run.key, **row} for run in runs for row in compute_rows(run)], columns=COLUMNS
    )
