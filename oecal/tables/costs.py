"""`costs/costs.csv`: what each score costs, in time and memory.

Apart from the other tables, which are the same again: times never are.
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


def spent(paths: Iterable[str]) -> pd.DataFrame:
    """The rows of all `.../{in_dist}/{model}/{training}/seed{seed}.csv` below each other, with the run, and seconds for 1,000 images."""
    parts = []
    for path in map(Path, paths):
        in_dist, model, training = path.parts[-4:-1]
        seed = int(path.stem.removeprefix("seed"))
        parts.append(
            pd.read_csv(path).assign(in_dist=in_dist, model=model, training=training, seed=seed)
        )
    table = pd.concat(parts, ignore_index=True)
    return table.assign(seconds=1000 * table["seconds"] / table["images"])


def compute_table(outputs: Sequence[str], scores: Sequence[str]) -> pd.DataFrame:
    """A row for each run and score; seconds are for 1,000 images.

    outputs, scores: what the prediction and the scoring jobs spent (costs/outputs, costs/scores), a
    file for each run. seconds_forward: one ordinary forward pass; seconds_predict: the forward
    passes that the score needs (its own; for an ensemble those of all seeds; for a ratio to a
    background model two, as that is of the same size) and its costly methods; seconds_score: the
    scoring, fit and choice of hyperparameters included; what several scores share is counted for
    the first of them. peak_mb: the highest memory of the costly methods and of the scoring, MiB;
    peak_mb_forward: of the forward pass. Statistics of the images alone are not counted.
    """
    predicted = (
        spent(outputs).set_index([*RUN_COLUMNS, "name"])[["seconds", "peak_mb"]].sort_index()
    )
    rows = []
    for row in spent(scores).to_dict("records"):
        key = tuple(row[k] for k in RUN_COLUMNS)
        found, own = find_score(row["score"]), predicted.loc[key]
        forward, costly = own.loc["outputs"], own.loc[sorted(found.costly)]
        passes = forward["seconds"] * (2 if "background" in found.prefixes else 1)
        if "seeds" in found.prefixes:
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
