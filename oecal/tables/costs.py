"""`costs/costs.csv`: what each score costs in time and memory.

It lies apart from the other tables: these have the same bytes whenever they are built, times never
do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from oecal.runs.run_files import RUN_COLUMNS
from oecal.scores.catalogue import find_score

COLUMNS = [
    *RUN_COLUMNS,
    "score",
    "seconds_forward",
    "seconds_predict",
    "seconds_score",
    "peak_mb_forward",
    "peak_mb",
]


def read_costs(paths: Iterable[str]) -> pd.DataFrame:
    """Read all `.../{in_dist}/{model}/{training}/seed{seed}.csv` into one table.

    Adds the columns of the run, and makes seconds those for 1,000 images.
    """
    parts = []
    for path in map(Path, paths):
        in_dist, model, training = path.parts[-4:-1]
        seed = int(path.stem.removeprefix("seed"))
        parts.append(
            pd.read_csv(path).assign(in_dist=in_dist, model=model, training=training, seed=seed)
        )
    table = pd.concat(parts, ignore_index=True)
    return table.assign(seconds=1000 * table["seconds"] / table["images"])


def compute_table(prediction_costs: Sequence[str], scoring_costs: Sequence[str]) -> pd.DataFrame:
    """One row per run and score, with seconds for 1,000 images.

    prediction_costs, scoring_costs: what the prediction and the scoring jobs spent (costs/outputs,
    costs/scores), a file per run. seconds_forward: one ordinary forward pass; seconds_predict: the
    forward passes that the score needs (its own; for an ensemble those of all seeds; for a ratio to
    a background model two, since that model is of the same size) and its costly methods;
    seconds_score: the scoring, including fits and the choice of hyperparameters; what several
    scores share is counted for the first of them. peak_mb: the highest memory of the costly methods
    and of the scoring, MiB; peak_mb_forward: of the forward pass. Statistics of the images alone
    are not counted.
    """
    predicted = (
        read_costs(prediction_costs)
        .set_index([*RUN_COLUMNS, "name"])[["seconds", "peak_mb"]]
        .sort_index()
    )
    rows = []
    for row in read_costs(scoring_costs).to_dict("records"):
        key = tuple(row[k] for k in RUN_COLUMNS)
        definition, own = find_score(row["score"]), predicted.loc[key]
        forward, costly = own.loc["outputs"], own.loc[sorted(definition.costly)]
        passes = forward["seconds"] * (2 if "background" in definition.prefixes else 1)
        if "seeds" in definition.prefixes:
            passes = predicted.loc[key[:3]]["seconds"].xs("outputs", level="name").sum()
        rows.append(
            {
                **{k: row[k] for k in RUN_COLUMNS},
                "score": row["score"],
                "seconds_forward": forward["seconds"],
                "seconds_predict": passes + costly["seconds"].sum(),
                "seconds_score": row["seconds"],
                "peak_mb_forward": forward["peak_mb"],
                "peak_mb": max([row["peak_mb"], *costly["peak_mb"]]),
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS)
