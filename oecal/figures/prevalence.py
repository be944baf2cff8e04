"""Calibration against the share of OOD among the inputs, a curve per training.

Before and after temperature scaling.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from oecal.figures.sentences import Tables, format_over_seeds
from oecal.figures.style import BLACK, MARKERS, display_name, make_panels, style_curve
from oecal.tables.rows import add_excess, select_model

SECTION = "calibration"
TITLE = "calibration by share of OOD"
FOR = ("classifier",)
MOST = 5  # trainings, two curves each
CAPTION = (
    "Calibration where in-distribution and OOD test images arrive together, against the share of "
    "OOD (logarithmic axis); an OOD image counts as wrong. Solid: as trained; dashed: after a "
    "temperature fitted on in-distribution validation images. Right: mean confidence minus "
    "accuracy, above 0 over-confident. Curve: mean over seeds, band: lowest to highest seed. The "
    "OOD images come in as equal shares from all OOD sets as their sizes allow; where they are "
    "too few, fewer in-distribution images are taken. At most five trainings."
)
PANELS = {
    "ece": "ECE, %",
    "rms": "RMS calibration error, %",
    "excess": "confidence minus accuracy, %",
}
DASHES = {"none": "-", "temperature": "--"}


def collect_data(
    prevalence: str, in_dist: str, model: str, trainings: Sequence[str]
) -> pd.DataFrame:
    """Return one row per run, post_hoc (none, temperature) and ood_rate.

    Columns: rate, ece, rms, excess = mean confidence minus accuracy; above 0, the model is
    over-confident.
    """
    table = select_model(prevalence, in_dist, model, trainings)
    table = add_excess(table[table["n"] > 0])
    return table[["training", "seed", "post_hoc", "ood_rate", "rate", *PANELS]].reset_index(
        drop=True
    )


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw a panel per measure, mean and range over seeds, by the realised share of OOD.

    In percent; dashed after temperature scaling.
    """
    figure, axes = make_panels(1, len(PANELS), 3.0, sharex=True)
    rates = data.groupby("ood_rate")[
        "rate"
    ].mean()  # what was realised decides where a point stands
    for ax, (column, title) in zip(axes[0], PANELS.items(), strict=True):
        for n, training in enumerate(data["training"].unique()):
            colour = style_curve(n)["color"]
            for post_hoc, dashes in DASHES.items():
                part = data[(data["training"] == training) & (data["post_hoc"] == post_hoc)]
                seeds = 100 * part.pivot(index="ood_rate", columns="seed", values=column)
                at = 100 * rates[seeds.index]
                ax.fill_between(
                    at, seeds.min(axis=1), seeds.max(axis=1), color=colour, alpha=0.15, lw=0
                )
                label = display_name(training) if post_hoc == "none" else None
                ax.plot(
                    at,
                    seeds.mean(axis=1),
                    color=colour,
                    ls=dashes,
                    marker=MARKERS[n % len(MARKERS)],
                    ms=3,
                    label=label,
                )
        ax.set(title=title, xscale="log", xlabel="OOD among inputs, %")
        ax.set_xticks(100 * rates, [f"{100 * rate:.1f}".removesuffix(".0") for rate in rates])
        ax.xaxis.set_minor_locator(NullLocator())
    for ax in axes[0][:2]:
        ax.set_ylim(bottom=0)
    axes[0][2].axhline(0, color=BLACK, lw=0.6)
    axes[0][0].plot([], [], color=BLACK, ls="--", label="after temperature scaling")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 5))
    return figure


def describe_figure(tables: Tables) -> list[str]:
    """Give the ECE at each share of OOD, as trained."""
    table = tables["prevalence"]
    lines = []
    for training, rows in table[table["post_hoc"] == "none"].groupby("training", sort=False):
        rates = {
            rate: rows[rows["ood_rate"] == rate]["ece"]
            for rate in sorted(rows["ood_rate"].unique())
        }
        said = [
            f"{format_over_seeds(values)}% at {100 * rate:g}% OOD" for rate, values in rates.items()
        ]
        lines.append(f"{training}: ECE {', '.join(said)}.")
    return lines
