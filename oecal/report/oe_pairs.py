"""Outlier Exposure against the first training: what the answer of a study compares.

Outlier Exposure (OE) stands here for a model's first training with auxiliary outliers, compared
with the model's first training, seed by seed.
"""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from oecal.figures.sentences import Tables, format_over_seeds
from oecal.metrics.seed_intervals import mean_interval


class Pair(NamedTuple):
    """A model's first training, and its first one with outliers ('' if it has none)."""

    in_dist: str
    model: str
    first: str
    oe: str

    @property
    def name(self) -> str:
        """In-distribution set and model for readers: `fashion/wrn`."""
        return f"{self.in_dist}/{self.model}"

    def rows(self, table: pd.DataFrame, training: str = "") -> pd.DataFrame:
        """Select the model's rows of a table, or those of one training."""
        own = table[(table["in_dist"] == self.in_dist) & (table["model"] == self.model)]
        return own[own["training"] == training] if training else own

    def both(self, table: pd.DataFrame, value: str) -> tuple[pd.Series, pd.Series]:
        """Average `value` per seed before and after, over the seeds that both trainings have.

        The table has a row per set.
        """
        before, after = (
            self.rows(table, training).groupby("seed")[value].mean().dropna()
            for training in (self.first, self.oe)
        )
        seeds = before.index.intersection(after.index)
        return before[seeds], after[seeds]


def list_pairs(tables: Tables) -> list[Pair]:
    """List the pair of each in-distribution set and model, in the study's order."""
    table = tables["trainings"]
    table = table[table["objective"] != "background"]
    pairs = []
    for (in_dist, model), rows in table.groupby(["in_dist", "model"], sort=False):
        others = rows[rows["outliers"].notna() & (rows["training"] != rows["training"].iloc[0])][
            "training"
        ]
        pairs.append(
            Pair(
                str(in_dist),
                str(model),
                rows["training"].iloc[0],
                others.iloc[0] if len(others) else "",
            )
        )
    return pairs


def select_pairs(tables: Tables, table: str) -> list[Pair]:
    """Select the pairs that have rows in this table, those with OE first."""
    return sorted(
        (pair for pair in list_pairs(tables) if len(pair.rows(tables[table]))),
        key=lambda pair: not pair.oe,
    )


def split_classifiers(tables: Tables) -> tuple[Pair | None, list[Pair]]:
    """Return the first classifier with OE, and the others."""
    exposed = [pair for pair in select_pairs(tables, "calibration") if pair.oe]
    return (exposed[0], exposed[1:]) if exposed else (None, [])


def select_calibration(tables: Tables, post_hoc: str, name: str) -> pd.DataFrame:
    """Select the rows of `calibration` after one post-hoc method, on one set (`id`, `pooled`, ...).

    post_hoc: `none` is as trained.
    """
    table = tables["calibration"]
    return table[(table["post_hoc"] == post_hoc) & (table["set"] == name)]


def select_score(tables: Tables, score: str) -> pd.DataFrame:
    """Select the rows of `detection` of one score: one per run and OOD set."""
    return tables["detection"][tables["detection"]["score"] == score]


def compute_ece_change(pair: Pair, rows: pd.DataFrame) -> pd.Series:
    """Compute the change of the mean ECE under OE for each seed of both trainings, a fraction."""
    before, after = pair.both(rows, "ece")
    return after - before


def format_change(change: pd.Series, percent: bool = True) -> str:
    """Format the mean over seeds with its half-width, always with a sign: `+2.1 ± 0.4 points`."""
    text = format_over_seeds(change, percent) + (" points" if percent else "")
    return text if text.startswith("-") else "+" + text


def describe_change(before: pd.Series, after: pd.Series, percent: bool = True) -> str:
    """Describe a change: `falls from 13.5 to 4.2% (-9.3 ± 2.1 points)`.

    `shows no clear change` where the interval of the change includes 0.
    """
    mean, half = mean_interval((after - before).to_numpy())
    verb = (
        "shows no clear change"
        if abs(mean) <= half or mean == 0
        else "rises"
        if mean > 0
        else "falls"
    )
    scale, digits, unit = (100, 1, "%") if percent else (1, 2, "")
    ends = f"from {scale * before.mean():.{digits}f} to {scale * after.mean():.{digits}f}{unit}"
    return f"{verb} {ends} ({format_change(after - before, percent)})"
