"""Histograms of a classifier's confidence (maximum softmax probability) on ID and OOD images.

Each training beside the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from oecal.core.roles import OOD
from oecal.figures.sentences import Tables, group_uncalibrated
from oecal.figures.style import BLACK, BOX, ROLES, display_name, draw_percent_histogram, make_panels
from oecal.runs.run_files import read_run
from oecal.tables.confidence import list_groups

SECTION = "calibration"
TITLE = "confidence histograms"
FOR = ("classifier",)
MOST = 6  # trainings beside each other
CAPTION = (
    "Confidence (maximum softmax probability) on test images, all seeds together, a row per "
    "group, a column per training; dashed: the mean. A calibrated model is confident on "
    "in-distribution images that it gets right, and nowhere else. At most the first six "
    "trainings."
)
BINS = np.linspace(0, 1, 21).tolist()
GROUPS = {"id": "in-distribution, right", "id wrong": "in-distribution, wrong"} | {
    kind: f"{kind} OOD" for kind in OOD
}


def collect_data(outputs: Sequence[str]) -> pd.DataFrame:
    """Return one row per image: training, group (a key of GROUPS), confidence; all seeds."""
    parts = []
    for path in outputs:
        run = read_run(path, "logits", "labels")
        for _, group, confidence in list_groups(run):
            parts.append(
                pd.DataFrame(
                    {"training": run.key["training"], "group": group, "confidence": confidence}
                )
            )
    return pd.concat(parts, ignore_index=True)


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw a row per group, a column per training.

    Percent of the group's images by confidence; its mean is dashed.
    """
    trainings = list(data["training"].unique())
    shown = [g for g in GROUPS if (data["group"] == g).any()]
    figure, axes = make_panels(
        len(shown), len(trainings), 0.6 + 0.85 * len(shown), sharex=True, sharey=True
    )
    for row, group in zip(axes, shown, strict=True):
        for ax, training in zip(row, trainings, strict=True):
            values = data[(data["training"] == training) & (data["group"] == group)]["confidence"]
            colour = ROLES.get(group, BLACK)
            if len(values):
                draw_percent_histogram(ax, values, BINS, colour)
                ax.axvline(values.mean(), color=BLACK, lw=0.8, ls="--")
                text = f"mean {values.mean():.2f}\nn = {len(values):,}"
                ax.text(
                    0.5,
                    0.9,
                    text,
                    transform=ax.transAxes,
                    fontsize=6.5,
                    va="top",
                    ha="center",
                    bbox=BOX,
                )
            if row is axes[0]:
                ax.set_title(fill(display_name(training), 12))
            if row is axes[-1]:
                ax.set_xlabel("confidence")
        row[0].set_ylabel(GROUPS[group].replace(", ", ",\n"), fontsize=7)
    axes[0][0].set(xlim=(0, 1), ylim=(0, 100))
    figure.supylabel("images in bin, %", fontsize=8)
    return figure


def describe_figure(tables: Tables) -> list[str]:
    """Compare the mean confidence on ID and on OOD images."""
    lines = []
    for training, rows in group_uncalibrated(tables):
        mean = rows.groupby("set")["mean_confidence"].mean()
        if "pooled" in mean:
            lines.append(
                f"{training}: mean confidence {100 * mean['id']:.1f}% on in-distribution images, "
                f"{100 * mean['pooled']:.1f}% with OOD mixed in."
            )
    return lines
