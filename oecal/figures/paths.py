"""Confidence against distance: what a model says along paths that leave its data.

A column per path out of the in-distribution set.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from oecal.figures.sentences import Tables
from oecal.figures.style import display_name, draw_band, make_panels
from oecal.tables.rows import select_model

SECTION = "limits"
TITLE = "paths"
FOR = ("classifier", "density")
MOST = 6  # trainings in a panel
NEEDS = "paths"  # what an experiment must have for it
CAPTION = (
    "Confidence against distance. Each in-distribution test image (t = 0) is led, pixel by "
    "pixel, to an image of another set (t = 1), is blurred up to a Gaussian of a quarter of its "
    "width, or loses its contrast down to its mean. Mean confidence (maximum softmax "
    "probability) and the share still given the class of the start, or bits per dimension "
    "(fewer: more likely); curve: mean over seeds, band: lowest to highest seed. A model that "
    "knows what it does not know grows less sure along the way and stays so. At most six "
    "trainings and five paths."
)
PATHS = 5  # that fit beside each other, the first ones
ROWS = {
    "confidence": "confidence, %",
    "accuracy": "still the class of\nthe start, %",
    "bpd": "bits per dimension",
}


def collect_data(paths: str, in_dist: str, model: str, trainings: Sequence[str]) -> pd.DataFrame:
    """Return the rows of paths.csv of one model: training, seed, set, t and outputs.

    Outputs are confidence, accuracy, bpd, as far as the model has them.
    """
    table = select_model(paths, in_dist, model, trainings)
    return table[["training", "seed", "set", "t", *ROWS]].dropna(axis=1, how="all")


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw a column per path, a row per output, mean and range over seeds, by t.

    Confidence and accuracy in percent, or bits per dimension.
    """
    rows, sets = [r for r in ROWS if r in data], list(data["set"].unique())[:PATHS]
    figure, axes = make_panels(
        len(rows), len(sets), 0.9 + 1.7 * len(rows), sharex=True, sharey="row"
    )
    for row, column in zip(axes, rows, strict=True):
        scale = 1 if column == "bpd" else 100
        for ax, end in zip(row, sets, strict=True):
            for n, training in enumerate(data["training"].unique()):
                part = data[(data["set"] == end) & (data["training"] == training)]
                seeds = scale * part.pivot(index="t", columns="seed", values=column)
                draw_band(ax, seeds, n, label=display_name(training))
            if row is axes[0]:
                ax.set_title(
                    display_name(end) if end in ("blur", "contrast") else f"to {display_name(end)}",
                    fontsize=7.5,
                )
            if row is axes[-1]:
                ax.set_xlabel("way out, t")
        row[0].set_ylabel(ROWS[column])
        if column != "bpd":
            row[0].set_ylim(0, 102)
    axes[0][0].set(xlim=(0, 1), xticks=[0, 0.5, 1])
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


def describe_figure(tables: Tables) -> list[str]:
    """Give confidence, or bits per dimension, at the start and at the end of the paths."""
    lines = []
    for training, rows in tables["paths"].groupby("training", sort=False):
        percent = rows["confidence"].notna().any()
        value, unit, what = (
            ("confidence", "%", "confidence") if percent else ("bpd", "", "bits/dim")
        )
        start, *_, end = (
            part.groupby("set", sort=False)[value].mean() for _, part in rows.groupby("t")
        )
        scale, digits = (100, 0) if percent else (1, 2)
        ends = ", ".join(f"{name} {scale * x:.{digits}f}{unit}" for name, x in end.items())
        lines.append(
            f"{training}: {what} {scale * start.mean():.{digits}f}{unit} at the start; "
            f"at the end: {ends}."
        )
    return lines
