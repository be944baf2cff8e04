"""Are promises kept?

The rate that a threshold promised, from validation images, against the rate on the test images.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from oecal.core.errors import OecalError
from oecal.figures.sentences import Tables
from oecal.figures.style import BLUE, GREY, VERMILION, display_name, make_panels
from oecal.tables.promises import WHOLE
from oecal.tables.rows import select_model

SECTION = "rejection"
TITLE = "promises"
FOR = ("classifier",)
MOST = 4  # trainings that fit beside each other
CAPTION = (
    "What a threshold promised, from ID validation images and auxiliary outliers at 95% "
    "confidence, against what it did on the test images. A dot is a seed, its line the 95% "
    "interval of the realised rate: full and blue where the promise was kept, an open cross "
    "where it was broken. At the right the share of ID images that is accepted. Below: the error "
    "rate among the accepted, where an accepted OOD image is an error; dots are all OOD test "
    "sets in equal shares, dashes each set by itself. A promise about OOD images is made for "
    "images like the auxiliary outliers; whether it carries to others is what is shown here. "
    "Without: seeds for which no threshold can promise it. At 95% confidence one broken promise "
    "in twenty is no surprise."
)
KNOWN = ("msp", "max_logit", "energy", "entropy", "mahalanobis", "knn", "vim", "react")
SCORES = 6  # that are shown
KEPT: dict[str, Any] = {"marker": "o", "ms": 4, "mec": BLUE, "mfc": BLUE, "mew": 0.8, "ls": ""}
BROKEN: dict[str, Any] = {
    "marker": "X",
    "ms": 5,
    "mec": VERMILION,
    "mfc": "white",
    "mew": 0.9,
    "ls": "",
}


def collect_data(promises: str, in_dist: str, model: str, trainings: Sequence[str]) -> pd.DataFrame:
    """Return the rows of promises.csv for this model, these trainings and a few scores.

    The scores are the first one and then the best known. Promises stand in the order of the
    configuration, trainings in the given one. Raises OecalError if there are no rows.
    """
    table = select_model(promises, in_dist, model, trainings)
    if table["score"].isna().all():
        raise OecalError(
            f"{promises}: has no promise of {model} on {in_dist}; add one under promises, or "
            "remove the figure promises"
        )
    there = list(table["score"].dropna().unique())
    shown = list(
        dict.fromkeys([*there[:1], *(score for score in KNOWN if score in there), *there])
    )[:SCORES]
    return table[table["score"].isin(shown)].reset_index(drop=True)


def describe_promise(row: pd.Series) -> str:
    """Put a promise in words."""
    level = f"at most {100 * row['level']:g}%"
    if row["kind"] == "reject":
        return f"{level} of ID images rejected"
    return f"{level} errors among accepted" + (
        f"\n{100 * row['ood_rate']:g}% of what arrives is OOD" if row["ood_rate"] > 0 else ""
    )


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw a row per promise, a column per training, a line per score.

    Realised rates with 95% intervals; the promised rate is the dashed line. Grey ticks: each OOD
    set by itself. At the right: mean coverage on the test images.
    """
    trainings, promises, scores = (
        list(data[column].unique()) for column in ("training", "promise", "score")
    )
    height = 0.75 + len(promises) * (0.5 + 0.2 * max(len(scores), 2))
    figure, axes = make_panels(len(promises), len(trainings), height, sharex="row", sharey=True)
    for line, promise in zip(axes, promises, strict=True):
        for ax, training in zip(line, trainings, strict=True):
            part = data[(data["promise"] == promise) & (data["training"] == training)]
            none = np.count_nonzero(part["threshold"].isna() & part["set"].isin(WHOLE))
            part = part[part["threshold"].notna()]
            whole, single = part[part["set"].isin(WHOLE)], part[~part["set"].isin(WHOLE)]
            ax.axvline(
                100 * data[data["promise"] == promise]["promised"].iloc[0],
                color="black",
                lw=0.8,
                ls="--",
                zorder=1,
            )
            for _, row in (
                single.groupby(["score", "set"], sort=False)["realised"]
                .mean()
                .reset_index()
                .iterrows()
            ):
                ax.plot(
                    100 * row["realised"],
                    scores.index(row["score"]),
                    "|",
                    color=GREY,
                    ms=6,
                    mew=0.7,
                    alpha=0.8,
                    zorder=2,
                )
            for score, own in whole.groupby("score", sort=False):
                places = scores.index(score) + 0.4 * (
                    np.arange(len(own)) - (len(own) - 1) / 2
                ) / max(len(own), 2)
                for (_, row), y in zip(own.iterrows(), places, strict=True):
                    look = KEPT if row["kept"] else BROKEN
                    ax.plot(
                        100 * np.array([row["low"], row["high"]]),
                        [y, y],
                        color=look["mec"],
                        lw=0.7,
                        alpha=0.6,
                        zorder=2,
                    )
                    ax.plot(100 * row["realised"], y, zorder=3, **look)
                ax.text(
                    1.0,
                    scores.index(score),
                    f"{100 * own['coverage'].mean():.0f}%",
                    transform=ax.get_yaxis_transform(),
                    ha="right",
                    va="center",
                    fontsize=6,
                    color="#404040",
                )
            kept = f"{np.count_nonzero(whole['kept'])} of {len(whole)} kept" + (
                f", {none} without" if none else ""
            )
            ax.set_title(
                f"{display_name(training)}: {kept}" if line is axes[0] else kept, fontsize=7
            )
            ax.tick_params(axis="y", length=0)
        line[0].set_ylabel(describe_promise(data[data["promise"] == promise].iloc[0]), fontsize=7)
        limited = data[(data["promise"] == promise) & data["threshold"].notna()]
        widest = (
            max(1.25 * limited["realised"].max(), 2 * limited["promised"].max())
            if len(limited)
            else 1.0
        )
        line[0].set_xlim(0, 100 * widest)  # room for the coverage
    for ax in axes[-1]:
        ax.set_xlabel("realised rate, %")
    axes[0][0].set(ylim=(len(scores) - 0.5, -0.5))
    axes[0][0].set_yticks(range(len(scores)), [display_name(score) for score in scores])
    handles = [
        Line2D([], [], label="kept (a seed, 95% interval)", **KEPT),
        Line2D([], [], label="broken", **BROKEN),
        Line2D([], [], label="promised", color="black", lw=0.8, ls="--"),
        Line2D([], [], label="each OOD set by itself", color=GREY, marker="|", ls="", ms=6),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


def describe_figure(tables: Tables) -> list[str]:
    """Count the promises that were kept, over all scores and seeds with a threshold."""
    table = tables["promises"]
    whole = table[table["set"].isin(WHOLE) & table["threshold"].notna()]
    parts = whole.groupby(["promise", "training"], sort=False)["kept"]
    return [
        f"{', '.join(map(str, who))}: kept in {int(kept.sum())} of {len(kept)} cases."
        for who, kept in parts
    ]
