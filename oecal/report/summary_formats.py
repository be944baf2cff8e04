"""A table for readers, and how its cells are averaged and formatted."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from oecal.figures.sentences import format_over_seeds

WHO = ["in_dist", "model", "training"]


class Summary(NamedTuple):
    """A table for readers. name: of its file; note: what the numbers are."""

    section: str
    name: str
    title: str
    note: str
    table: pd.DataFrame


def pivot_over_seeds(
    table: pd.DataFrame, rows: list[str], column: str, value: str, percent: bool = True
) -> pd.DataFrame:
    """Average `value` over n seeds: a row for each of `rows`, a column for each value of `column`.

    Rows and columns are in their order of appearance.
    """
    order = table[column].unique()
    cells = (
        table.groupby([*rows, column], sort=False)[value]
        .agg(lambda v: format_over_seeds(v, percent))
        .unstack(column, sort=False)
    )
    cells = cells[order].fillna("").rename_axis(columns=None)
    cells.insert(0, "n", table.groupby(rows, sort=False)["seed"].nunique())
    return cells.reset_index()


def format_image_intervals(table: pd.DataFrame, rows: list[str], column: str) -> pd.DataFrame:
    """Format the interval over test images of each trained model: `13.2 [12.1, 14.0]`.

    And of the change, where there is one.
    """
    parts = []
    for value, low, high, what in (
        ("value", "low", "high", ""),
        ("difference", "difference_low", "difference_high", ", change"),
    ):
        there = table.dropna(subset=value)
        texts = [
            "{:.1f} [{:.1f}, {:.1f}]".format(*numbers)
            for numbers in (100 * there[[value, low, high]]).to_numpy()
        ]
        parts.append(there[[*rows, column]].assign(text=texts, **{column: there[column] + what}))
    both = pd.concat(parts)
    cells = both.set_index([*rows, column])["text"].unstack(column, sort=False)
    return cells[both[column].unique()].fillna("").rename_axis(columns=None).reset_index()


def select_first_score(table: pd.DataFrame) -> pd.DataFrame:
    """Select the rows of the first score of each model."""
    return table[table["score"] == table.groupby(WHO[:2], sort=False)["score"].transform("first")]
