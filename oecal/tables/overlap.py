"""`overlap.csv`: detection of an OOD set with and without the images that overlap with what the model was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from oecal.runs.run_files import RUN_COLUMNS

METRICS = ["auroc", "fpr95", "n_out"]
KEY = [*RUN_COLUMNS, "kind", "score"]


def compute_table(detection: str | Path, pairs: Sequence[Mapping[str, str]]) -> pd.DataFrame:
    """A row for each run, score and pair (in_dist, whole, reduced): each metric of the whole and of the reduced OOD set."""
    rows = pd.read_csv(detection)
    parts = [
        pd.DataFrame(
            columns=[
                *KEY,
                "whole",
                "reduced",
                *(f"{m}_{w}" for m in METRICS for w in ("whole", "reduced")),
            ]
        )
    ]
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
    return pd.concat(filled)[parts[0].columns] if filled else parts[0]
