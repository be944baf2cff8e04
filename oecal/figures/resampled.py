"""How often is a promise broken?

Over random splits of the images, what was promised against what was realised.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from oecal.core.errors import OecalError
from oecal.figures.promises import describe_promise
from oecal.figures.sentences import Tables
from oecal.figures.style import BLUE, VERMILION, display_name, make_panels
from oecal.tables.rows import COMMON_SCORES, select_model

SECTION = "rejection"
TITLE = "promises, resampled"
FOR = ("classifier",)
MOST = 4  # trainings that fit beside each other
CAPTION = (
    "How often a promise is broken. ID validation and test images are pooled and split at random "
    "200 times; a threshold is chosen on the new validation images at 95% confidence, and its "
    "rate is measured on the rest. A dot is the mean over the splits of a seed, its line goes "
    "from the 5% to the 95% quantile; open: more than half of the splits have no threshold that "
    "can promise it, and break no promise. Blue: the outliers too come as the OOD images do that "
    "arrive, a random half of each OOD test set, so the guarantee applies; orange: auxiliary "
    "outliers, as in the study, of which it promises nothing for other OOD images. At the right "
    "the percentage of splits above the promise, mean over seeds: first on the new test images, "
    "whose finite number adds chance, then on all images, where a promise that is kept exceeds "
    "it in at most 5%."
)
KNOWN: dict[str, Any] = {
    "color": BLUE,
    "marker": "o",
    "ms": 2.8,
}  # the guarantee is about the images that arrive
OTHER: dict[str, Any] = {"color": VERMILION, "marker": "s", "ms": 2.5}
LOOKS = {"none": KNOWN, "like_test": KNOWN, "auxiliary": OTHER}


def collect_data(
    resampled: str, in_dist: str, model: str, trainings: Sequence[str]
) -> pd.DataFrame:
    """Return the rows of resampled.csv for this model and these trainings, in their order.

    Raises OecalError if there are none.
    """
    table = (
        select_model(resampled, in_dist, model, trainings)
        .dropna(subset="score")
        .reset_index(drop=True)
    )
    if table.empty:
        raise OecalError(
            f"{resampled}: has no promise of {model} on {in_dist}; add one under promises and one "
            f"of these scores: {', '.join(COMMON_SCORES)}, or remove the figure resampled"
        )
    return table


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw a row per promise, a column per training, a line per score.

    Realised rates over the splits; open where most had no threshold.
    """
    trainings, promises, scores = (
        list(data[column].unique()) for column in ("training", "promise", "score")
    )
    lanes = {promise: list(part["outliers"].unique()) for promise, part in data.groupby("promise")}
    heights = [0.4 + 0.12 * max(len(scores), 3) * (1 + len(lanes[promise])) for promise in promises]
    figure, axes = make_panels(
        len(promises),
        len(trainings),
        0.85 + sum(heights),
        sharex="row",
        sharey=True,
        height_ratios=heights,
    )
    for line, promise in zip(axes, promises, strict=True):
        made = data[data["promise"] == promise]
        level, many = made["level"].iloc[0], len(lanes[promise])
        for ax, training in zip(line, trainings, strict=True):
            ax.axvline(100 * level, color="black", lw=0.8, ls="--", zorder=1)
            for (score, outliers), own in made[made["training"] == training].groupby(
                ["score", "outliers"], sort=False
            ):
                look = LOOKS[outliers]
                middle = scores.index(score) + 0.4 * (
                    lanes[promise].index(outliers) - (many - 1) / 2
                )
                places = middle + 0.6 / many * (np.arange(len(own)) - (len(own) - 1) / 2) / max(
                    len(own), 2
                )
                ax.hlines(
                    places,
                    100 * own["q05"],
                    100 * own["q95"],
                    color=look["color"],
                    lw=0.8,
                    alpha=0.6,
                )
                for mean, y, few in zip(
                    own["mean"], places, 2 * own["without"] > own["splits"], strict=True
                ):
                    ax.plot(100 * mean, y, mfc="white" if few else look["color"], mew=0.7, **look)
                broken = ", ".join(
                    f"{100 * own[column].mean():.0f}" for column in ("exceeds", "exceeds_pool")
                )
                ax.text(
                    1.0,
                    middle,
                    "no threshold" if own["mean"].isna().all() else broken,
                    transform=ax.get_yaxis_transform(),
                    ha="right",
                    va="center",
                    fontsize=6,
                    color=look["color"],
                )
            ax.set_title(display_name(training) if line is axes[0] else "", fontsize=7)
            ax.tick_params(axis="y", length=0)
        line[0].set_ylabel(
            "\n".join(fill(words, 26) for words in describe_promise(made.iloc[0]).splitlines()),
            fontsize=7,
        )
        line[0].set_xlim(0, 160 * np.nanmax([*made["q95"], level]))  # room for the shares
    for ax in axes[-1]:
        ax.set_xlabel("realised rate, %")
    axes[0][0].set(ylim=(len(scores) - 0.5, -0.5))
    axes[0][0].set_yticks(range(len(scores)), [display_name(score) for score in scores])
    handles = [
        Line2D([], [], lw=0.8, label="threshold from images like those that arrive", **KNOWN),
        Line2D([], [], lw=0.8, label="with auxiliary outliers", **OTHER),
        Line2D([], [], color="black", lw=0.8, ls="--", label="promised"),
        Line2D(
            [], [], ls="", label="right: % of splits that exceed it, on test images, on all images"
        ),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def describe_figure(tables: Tables) -> list[str]:
    """Say how often each promise is broken, with each kind of outliers.

    The least and the most over scores and seeds.
    """
    lines, names = (
        [],
        {
            "like_test": ", outliers like those that arrive",
            "auxiliary": ", auxiliary outliers",
            "none": "",
        },
    )
    table = tables["resampled"]
    there = table[table["without"] < table["splits"]]
    for (training, promise, outliers), rows in there.groupby(
        ["training", "promise", "outliers"], sort=False
    ):
        shares = (
            f"{100 * rows['exceeds_pool'].min():.0f} to {100 * rows['exceeds_pool'].max():.0f}%"
        )
        lines.append(
            f"{training}, {promise}{names[str(outliers)]}: broken in {shares} of the splits, "
            "judged on all images."
        )
    return lines
