"""Calibration and accuracy against the severity of a corruption.

A column per corruption, a curve per training.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from oecal.figures.sentences import Tables, format_over_seeds, group_uncalibrated
from oecal.figures.style import BLACK, display_name, draw_band, make_panels
from oecal.tables.rows import add_excess, select_model, split_corruption_names

SECTION = "calibration"
TITLE = "calibration under shift"
FOR = ("classifier",)
NEEDS = "corruptions"  # what an experiment must have for it
MOST = 8  # trainings: as many looks as there are
CAPTION = (
    "Covariate shift: accuracy, expected calibration error (15 equal-width bins) and mean "
    "confidence minus accuracy (above 0: over-confident) on the in-distribution test images, "
    "against the severity of a corruption; 0 is none. Without post-hoc calibration. Curve: mean "
    "over seeds, band: lowest to highest seed; at most eight trainings and five corruptions."
)
CORRUPTIONS = 5  # that fit beside each other, the first ones
ROWS = {"accuracy": "accuracy, %", "ece": "ECE, %", "excess": "confidence\nminus accuracy, %"}


def collect_data(
    calibration: str, in_dist: str, model: str, trainings: Sequence[str]
) -> pd.DataFrame:
    """Return one row per run, corruption and severity, without post-hoc calibration.

    Severity 0: ID test images. Columns: accuracy, ece, excess = mean confidence minus accuracy;
    above 0, the model is over-confident.
    """
    table = select_model(calibration, in_dist, model, trainings)
    table = add_excess(table[table["post_hoc"] == "none"])
    shifted = table.assign(**split_corruption_names(table["set"])).dropna(subset="severity")
    unshifted = table[table["set"] == "id"].assign(severity=0)
    whole = [unshifted.assign(corruption=c) for c in shifted["corruption"].unique()]
    columns = ["training", "seed", "corruption", "severity", "accuracy", "ece", "excess"]
    return (
        pd.concat([*whole, shifted], ignore_index=True)[columns].astype({"severity": int})
        if whole
        else pd.DataFrame(columns=columns)
    )


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw a row per measure, a column per corruption, mean and range over seeds, by severity.

    In percent; at most CORRUPTIONS corruptions.
    """
    corruptions = list(data["corruption"].unique())[:CORRUPTIONS]
    figure, axes = make_panels(len(ROWS), max(len(corruptions), 1), 5.2, sharex=True, sharey="row")
    for row, (column, label) in zip(axes, ROWS.items(), strict=True):
        for ax, corruption in zip(row, corruptions, strict=False):
            if column == "excess":
                ax.axhline(0, color=BLACK, lw=0.6)
            for n, training in enumerate(data["training"].unique()):
                part = data[(data["corruption"] == corruption) & (data["training"] == training)]
                seeds = 100 * part.pivot(index="severity", columns="seed", values=column)
                draw_band(ax, seeds, n, marker="o", ms=2.5, label=display_name(training))
            if row is axes[0]:
                ax.set_title(display_name(corruption))
            if row is axes[-1]:
                ax.set_xlabel("severity (0: none)")
        row[0].set_ylabel(label)
    axes[0][0].set(ylim=(0, 100), xticks=range(6))
    axes[1][0].set_ylim(bottom=0)
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


def describe_figure(tables: Tables) -> list[str]:
    """Give over- or under-confidence under the strongest corruptions."""
    lines = []
    for training, rows in group_uncalibrated(tables):
        parts = split_corruption_names(rows["set"]).dropna()
        if len(parts):
            worst = rows.loc[parts.index][parts["severity"] == parts["severity"].max()]
            lean, accuracy = (
                (worst["mean_confidence"] - worst["accuracy"]).mean(),
                worst.groupby("seed")["accuracy"].mean(),
            )
            lines.append(
                f"{training}, severity {parts['severity'].max()}: "
                f"accuracy {format_over_seeds(accuracy)}%, "
                f"confidence {'above' if lean > 0 else 'below'} it by {100 * abs(lean):.1f} points."
            )
    return lines
