"""What tables share: selecting the rows of a model, and building a table from rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from oecal.runs.run_files import read_run

# Where many resamples or streams make every score too many: those of them that a run has; cheap,
# and known to all.
COMMON_SCORES = ("msp", "energy", "mahalanobis", "log_likelihood", "likelihood_ratio")


def select_model(
    path: str, in_dist: str, model: str, trainings: Sequence[str] = ()
) -> pd.DataFrame:
    """Read the rows of one model from a table's file.

    With `trainings`, only the rows of these trainings, in their order.
    """
    table = pd.read_csv(path)
    table = table[(table["in_dist"] == in_dist) & (table["model"] == model)]
    if not trainings:
        return table
    order = {training: n for n, training in enumerate(trainings)}
    return table[table["training"].isin(order)].sort_values(
        "training", key=lambda t: t.map(order), kind="stable", ignore_index=True
    )


def add_excess(calibration: pd.DataFrame) -> pd.DataFrame:
    """Add the column `excess`: mean confidence minus accuracy.

    Above 0, the model is over-confident.
    """
    return calibration.assign(excess=calibration["mean_confidence"] - calibration["accuracy"])


def split_corruption_names(sets: pd.Series) -> pd.DataFrame:
    """Split the names of sets such as `contrast-3` into corruption and severity.

    Both are nan for a set that is not a corruption.
    """
    return sets.str.extract(r"^(?P<corruption>\w+)-(?P<severity>\d)$")


def make_table(
    rows: Sequence[Mapping[str, object]], columns: Sequence[str], paths: Sequence[str]
) -> pd.DataFrame:
    """Make a table of these rows.

    If no run of the study has such a result, the table has a row per run that says so: its set is
    `none` and its n is 0.
    """
    none = {"set": "none"} | ({"n": 0} if "n" in columns else {})
    return pd.DataFrame(
        list(rows) or [{**read_run(path, "").key, **none} for path in paths], columns=list(columns)
    )
