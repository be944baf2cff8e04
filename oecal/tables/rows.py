"""From rows to a table, and from a table to the rows of one model: what the tables share, and the figures that are drawn from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from oecal.runs.run_files import read_run

# Where many resamples or streams make every score too many: those of them that a run has; cheap,
# and known to all.
SCORES = ("msp", "energy", "mahalanobis", "log_likelihood", "likelihood_ratio")


def select_model(
    path: str, in_dist: str, model: str, trainings: Sequence[str] = ()
) -> pd.DataFrame:
    """The rows of a table's file of one model; with `trainings`, of these, in their order."""
    table = pd.read_csv(path)
    table = table[(table["in_dist"] == in_dist) & (table["model"] == model)]
    if not trainings:
        return table
    order = {training: n for n, training in enumerate(trainings)}
    return table[table["training"].isin(order)].sort_values(
        "training", key=lambda t: t.map(order), kind="stable", ignore_index=True
    )


def with_excess(calibration: pd.DataFrame) -> pd.DataFrame:
    """The same with the column `excess`: mean confidence minus accuracy.

    Above 0, the model is over-confident.
    """
    return calibration.assign(excess=calibration["mean_confidence"] - calibration["accuracy"])


def corruptions(sets: pd.Series) -> pd.DataFrame:
    """Corruption and severity, a digit, of sets named `contrast-3`; nan where a set is none."""
    return sets.str.extract(r"^(?P<corruption>\w+)-(?P<severity>\d)$")


def frame(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], paths: Sequence[str]
) -> pd.DataFrame:
    """A table of these rows.

    Where no run of the study has such a result, a row for each run says so: empty, set `none`, n =
    0.
    """
    none = {"set": "none"} | ({"n": 0} if "n" in columns else {})
    return pd.DataFrame(
        list(rows) or [{**read_run(path, "").key, **none} for path in paths], columns=list(columns)
    )
