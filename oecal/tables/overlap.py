"""`overlap.csv`: detection with and without the OOD images that overlap with other sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from oecal.runs.run_files import RUN_COLUMNS

METRICS = ["auroc", "fpr95", "n_out"]
COLUMNS = [
    *RUN_COLUMNS,
    "kind",
    "score",
    "whole",
    "reduced",
    "auroc_whole",
    "auroc_reduced",
    "fpr95_whole",
    "fpr95_reduced",
    "n_out_whole",
    "n_out_reduced",
]


def compute_table(detection: str | Path, pairs: Sequence[Mapping[str, str]]) -> pd.DataFrame:
    """One row per run, score and pair of OOD sets, with each metric of both.

    detection: path of that table; pairs: in_dist, whole (the set as it is) and reduced (the set
    without what overlaps).
    """
    rows = pd.read_csv(detection)
    parts = []
    for pair in pairs:
        of = rows[rows["in_dist"] == pair["in_dist"]]
        sides = [
            of[of["ood"] == pair[side]][[*RUN_COLUMNS, "score", "kind", *METRICS]]
            for side in ("whole", "reduced")
        ]
        both = sides[0].merge(
            sides[1].drop(columns="kind"),
            on=[*RUN_COLUMNS, "score"],
            suffixes=("_whole", "_reduced"),
        )
        parts.append(both.assign(whole=pair["whole"], reduced=pair["reduced"]))
    filled = [part for part in parts if len(part)]
    return pd.concat(filled)[COLUMNS] if filled else pd.DataFrame(columns=COLUMNS)
