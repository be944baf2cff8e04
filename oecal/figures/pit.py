"""Likelihood as confidence: histograms of its p-values by the ID validation images.

A row per set, a column per training.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from oecal.figures.sentences import Tables, format_over_seeds
from oecal.figures.style import BLACK, BOX, ROLES, display_name, draw_percent_histogram, make_panels
from oecal.runs.run_files import read_run
from oecal.tables.pit import compute_p_values

SECTION = "likelihood"
TITLE = "likelihood as confidence"
FOR = ("density",)
MOST = 5  # trainings beside each other
CAPTION = (
    "Likelihood as confidence (probability integral transform). p-value of an image: the share "
    "of the in-distribution validation images that the same model finds less likely. Were the "
    "likelihood a calibrated measure of novelty, the p-values would be uniform on "
    "in-distribution test images (dashed line) and near 0 on all others; p-values near 1 mean "
    "more likely than the data. All seeds together; the in-distribution set and the first OOD "
    "sets; at most five trainings."
)
SETS = 8  # below each other: ID, and the first OOD sets
BINS = np.linspace(0, 1, 21).tolist()


def collect_data(outputs: Sequence[str]) -> pd.DataFrame:
    """Return one row per image: training, set, role, p.

    A small p: less likely than nearly all ID validation images of the same run.
    """
    parts = []
    for path in outputs:
        run = read_run(path, "log_likelihood")
        for group, p in compute_p_values(run):
            parts.append(
                pd.DataFrame(
                    {"training": run.key["training"], "set": group.set, "role": group.role, "p": p}
                )
            )
    return pd.concat(parts, ignore_index=True)


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw percent of images by p-value, for at most SETS sets.

    Dashed: what uniform ones would give. The share of p <= 0.05 is written in.
    """
    trainings, sets = list(data["training"].unique()), list(data["set"].unique())[:SETS]
    figure, axes = make_panels(
        len(sets), len(trainings), 0.6 + 0.8 * len(sets), sharex=True, sharey=True
    )
    for row, shown in zip(axes, sets, strict=True):
        for ax, training in zip(row, trainings, strict=True):
            part = data[(data["training"] == training) & (data["set"] == shown)]
            ax.axhline(100 / (len(BINS) - 1), color=BLACK, lw=0.6, ls="--")
            if len(part):
                p = part["p"]
                draw_percent_histogram(ax, p, BINS, ROLES[part["role"].iloc[0]])
                text = f"p ≤ 0.05: {100 * (p <= 0.05).mean():.0f}%"
                ax.text(
                    0.5,
                    0.92,
                    text,
                    transform=ax.transAxes,
                    fontsize=6.5,
                    va="top",
                    ha="center",
                    bbox=BOX,
                )
            if row is axes[0]:
                ax.set_title(display_name(training))
            if row is axes[-1]:
                ax.set_xlabel("p-value of the likelihood")
        row[0].set_ylabel(display_name(shown).replace(" ", "\n", 1), fontsize=7)
    axes[0][0].set(xlim=(0, 1), ylim=(0, 100))
    figure.supylabel("images in bin, %", fontsize=8)
    return figure


def describe_figure(tables: Tables) -> list[str]:
    """Say how far from uniform the p-values of ID test images are.

    And which sets are more likely than nearly all ID images.
    """
    lines = []
    for training, rows in tables["pit"].groupby("training", sort=False):
        inside, above = (
            rows[rows["set"] == rows["in_dist"]],
            rows.groupby("set", sort=False)["above_95"].mean(),
        )
        sets = [f"{name} ({100 * share:.0f}%)" for name, share in above.items() if share > 0.5]
        lines.append(
            f"{training}: p at most 0.05 for {format_over_seeds(inside['below_05'])}% "
            "of the in-distribution test images; more likely "
            f"than 95% of the validation images is most of {', '.join(sets) or 'no set'}."
        )
    return lines
