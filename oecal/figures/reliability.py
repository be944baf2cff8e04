"""Reliability diagrams with bin counts, on ID alone and pooled with OOD.

Before and after temperature scaling, a row per training.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from oecal.calibrators import temperature
from oecal.figures.sentences import Tables, format_over_seeds, group_uncalibrated
from oecal.figures.style import BLACK, BLUE, BOX, VERMILION, WIDTH, display_name, plt
from oecal.metrics.calibration_metrics import bin_by_width, gap
from oecal.metrics.seed_intervals import mean_interval
from oecal.runs.run_files import confidence_and_correctness, pool_test_images, read_run

SECTION = "calibration"
TITLE = "reliability"
FOR = ("classifier",)
MOST = 4  # trainings below each other
CAPTION = (
    "Reliability diagrams: accuracy by confidence in equal-width bins, all seeds together; red "
    "dots: mean confidence and accuracy of a bin; below, the share of images in each bin. Bars "
    "below the diagonal: over-confident; above: under-confident. Left pair: in-distribution test "
    "images alone; right pair: pooled with OOD images, which count as wrong. The temperature is "
    "fitted on in-distribution validation images. ECE: mean and half-width of its 95% interval "
    "over seeds. At most the first four trainings."
)
TICKS = [0, 0.5, 1]
COLUMNS = {
    ("id", "none"): "ID alone",
    ("id", "temperature"): "ID alone, temperature",
    ("pooled", "none"): "pooled with OOD",
    ("pooled", "temperature"): "pooled, temperature",
}


def collect_data(outputs: Sequence[str], ood_ratio: float) -> pd.DataFrame:
    """Return one row per image: training, seed, set, post_hoc, confidence, correct.

    set: id, pooled; post_hoc: none, temperature.
    """
    parts = []
    for path in outputs:
        run = read_run(path, "logits", "labels")
        both = pool_test_images(run, ood_ratio)
        val = run.find("id", "val")
        # Fitted by the function that calibration.csv uses, not read from there: a study may leave
        # temperature out of that table, and this figure need not wait for all other runs.
        for post_hoc, calibrator in temperature.fit_before_and_after(
            val["logits"], val["labels"]
        ).items():
            for key, images in (("id", both[:1]), ("pooled", both)):
                confidence, correct = confidence_and_correctness(images, calibrator)
                columns = {
                    "training": run.key["training"],
                    "seed": run.key["seed"],
                    "set": key,
                    "post_hoc": post_hoc,
                }
                parts.append(
                    pd.DataFrame({**columns, "confidence": confidence, "correct": correct})
                )
    return pd.concat(parts, ignore_index=True)


def draw_figure(data: pd.DataFrame, bins: int) -> Figure:
    """Draw a row per training: accuracy by confidence in `bins` equal bins, counts below.

    All seeds together; ECE as mean and half-width of its interval over seeds.
    """
    trainings = list(data["training"].unique())
    # A fixed grid: the layout engine takes a second for so many axes.
    height = 0.7 + 2.3 * len(trainings)
    figure = plt.figure(figsize=(WIDTH, height), layout="none")
    ratios = [3, 1, 0.5] * len(trainings)
    grid = figure.add_gridspec(
        3 * len(trainings),
        len(COLUMNS),
        height_ratios=ratios,
        hspace=0.2,
        wspace=0.12,
        left=0.1,
        right=0.985,
        top=1 - 0.3 / height,
        bottom=0.1 / height,
    )
    edges = np.linspace(0, 1, bins + 1)
    for r, training in enumerate(trainings):
        for c, ((key, post_hoc), title) in enumerate(COLUMNS.items()):
            part = data[
                (data["training"] == training)
                & (data["set"] == key)
                & (data["post_hoc"] == post_hoc)
            ]
            binned = bin_by_width(
                part["confidence"].to_numpy(), part["correct"].to_numpy(float), bins
            )
            errors = [
                gap(bin_by_width(g["confidence"].to_numpy(), g["correct"].to_numpy(float), bins), 1)
                for _, g in part.groupby("seed")
            ]
            ax, counts = figure.add_subplot(grid[3 * r, c]), figure.add_subplot(grid[3 * r + 1, c])
            ax.stairs(
                binned.accuracy, edges, fill=True, color=BLUE, alpha=0.75
            )  # one artist: bars take much longer to draw
            ax.plot(binned.confidence, binned.accuracy, "o", ms=2, color=VERMILION)
            ax.plot([0, 1], [0, 1], color=BLACK, lw=0.7, ls="--")
            mean, half = mean_interval(np.array(errors))
            ax.text(
                0.04,
                0.95,
                f"ECE {mean:.3f}" + (f" ± {half:.3f}" if len(errors) > 1 else ""),
                transform=ax.transAxes,
                va="top",
                fontsize=7,
                bbox=BOX,
            )
            ax.set(xlim=(0, 1), ylim=(0, 1), xticks=TICKS, yticks=TICKS, xticklabels=[])
            counts.stairs(
                100 * binned.counts / max(len(part), 1), edges, fill=True, color=BLACK, alpha=0.5
            )
            counts.set(xlim=(0, 1), ylim=(0, 100), xticks=TICKS, yticks=[0, 100])
            if r == 0:
                ax.set_title(title)
            if r == len(trainings) - 1:
                counts.set_xlabel("confidence")
            if c == 0:
                ax.set_ylabel(f"{display_name(training)}\n\naccuracy")
                counts.set_ylabel("%")
            else:
                ax.set_yticklabels([])
                counts.set_yticklabels([])
    return figure


def describe_figure(tables: Tables) -> list[str]:
    """Give ECE and over- or under-confidence, without post-hoc calibration."""
    lines = []
    for training, rows in group_uncalibrated(tables):
        for where in ("id", "pooled"):
            if len(part := rows[rows["set"] == where]):
                lean = (part["mean_confidence"] - part["accuracy"]).mean()
                word = "over-confident" if lean > 0 else "under-confident"
                lines.append(
                    f"{training}, {where}: ECE {format_over_seeds(part['ece'])}%, "
                    f"on average {word} by {100 * abs(lean):.1f} points."
                )
    return lines
