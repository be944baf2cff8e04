"""Does a training pay for pooled calibration with under-confidence on ID?

The pool holds ID and OOD images. A line per training, controls among them.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from oecal.figures.sentences import Tables, format_over_seeds
from oecal.figures.style import BLACK, BLUE, GREY, VERMILION, display_name, make_panels
from oecal.tables.rows import add_excess, select_model

SECTION = "calibration"
TITLE = "calibration on ID or pooled"
FOR = ("classifier",)
CAPTION = (
    "Calibration on in-distribution test images alone (blue) and pooled with OOD images at "
    "`measures.ood_ratio`, which count as wrong (red); a line for each training, controls among "
    "them. Filled: as trained; hollow: after a temperature fitted on in-distribution validation "
    "images. Point: mean over seeds (trainings), bar: lowest to highest seed. Dotted: the first "
    "training. Confidence minus accuracy below 0 is under-confidence. A training that moves the "
    "red points left and the blue ones right pays for calibration on the pool with calibration "
    "on its own data."
)
SETS = {"id": ("ID alone", BLUE, "o", -0.14), "pooled": ("pooled with OOD", VERMILION, "s", 0.14)}
FILLS = {"none": "", "temperature": "white"}
PANELS = {
    "rms": "RMS calibration error, %",
    "ece": "ECE, %",
    "excess": "confidence minus accuracy, %",
}


def collect_data(
    calibration: str, in_dist: str, model: str, trainings: Sequence[str]
) -> pd.DataFrame:
    """Return one row per run, set (id, pooled) and post_hoc (none, temperature).

    Columns: rms, ece, excess = mean confidence minus accuracy.
    """
    table = select_model(calibration, in_dist, model, trainings)
    table = table[table["set"].isin(SETS) & table["post_hoc"].isin(FILLS)]
    return add_excess(table)[["training", "seed", "set", "post_hoc", *PANELS]].reset_index(
        drop=True
    )


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw a panel per measure, a line per training: mean over seeds and range.

    On ID and on the pool, as trained (full) and after temperature scaling (open).
    """
    trainings = list(data["training"].unique())
    figure, axes = make_panels(1, len(PANELS), 0.95 + 0.26 * max(len(trainings), 2), sharey=True)
    for ax, (column, label) in zip(axes[0], PANELS.items(), strict=True):
        first = data[(data["training"] == trainings[0]) & (data["post_hoc"] == "none")]
        for key, (_, colour, shape, shift) in SETS.items():
            ax.axvline(
                100 * first[first["set"] == key][column].mean(),
                color=colour,
                lw=0.7,
                ls=":",
                zorder=1,
            )
            for post_hoc, fill in FILLS.items():
                part = data[(data["set"] == key) & (data["post_hoc"] == post_hoc)]
                for y, training in enumerate(trainings):
                    values = 100 * part[part["training"] == training][column]
                    ax.plot(
                        [values.min(), values.max()],
                        [y + shift] * 2,
                        color=colour,
                        lw=0.8,
                        alpha=0.6,
                        zorder=2,
                    )
                    ax.plot(
                        values.mean(),
                        y + shift,
                        shape,
                        color=colour,
                        mfc=fill or colour,
                        ms=4,
                        zorder=3,
                    )
        ax.set(xlabel=label, ylim=(len(trainings) - 0.5, -0.5))
        ax.tick_params(axis="y", length=0)
        if column == "excess":
            ax.axvline(0, color=BLACK, lw=0.6)
        else:
            ax.set_xlim(left=0)
    axes[0][0].set_yticks(range(len(trainings)), [display_name(training) for training in trainings])
    handles = [
        Line2D([], [], color=colour, marker=shape, ls="", ms=4, label=text)
        for text, colour, shape, _ in SETS.values()
    ]
    handles.append(
        Line2D(
            [],
            [],
            color=GREY,
            marker="o",
            mfc="white",
            ls="",
            ms=4,
            label="after temperature scaling",
        )
    )
    handles.append(
        Line2D(
            [], [], color=GREY, ls=":", lw=0.7, label=f"{display_name(trainings[0])}, as trained"
        )
    )
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    return figure


def describe_figure(tables: Tables) -> list[str]:
    """Tell what each training after the first changes in ECE, on ID and pooled.

    As trained and after temperature scaling.
    """
    calibration = tables["calibration"]
    ece = calibration.pivot_table(
        index=["post_hoc", "set", "seed"], columns="training", values="ece", sort=False
    )
    lines, (first, *others) = [], list(ece.columns)
    for training in others:
        change = (ece[training] - ece[first]).dropna()
        said = [
            f"{format_over_seeds(change[post_hoc, name])} {where}{after}"
            for post_hoc, after in (("none", ""), ("temperature", " after temperature scaling"))
            for name, where in (("pooled", "pooled"), ("id", "on in-distribution images"))
            if (post_hoc, name) in {key[:2] for key in change.index}
        ]
        lines.append(f"{training} minus {first}, ECE in points: {', '.join(said)}.")
    return lines
