"""How soon is an alarm raised when OOD images begin to arrive? And how often by ID images alone?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from oecal.core.errors import OecalError
from oecal.figures.sentences import Tables
from oecal.figures.style import CYCLE, MARKERS, display_name, make_panels
from oecal.tables.rows import COMMON_SCORES, select_model

SECTION = "rejection"
TITLE = "drift"
FOR = ("classifier", "density")
MOST = 6  # trainings that fit beside each other
CAPTION = (
    "A stream of test images, first ID ones, then with a share of OOD images from all test sets "
    "alike; a conformal test martingale watches one score and raises an alarm when its wealth "
    "reaches 1 / alpha. Above: images from the first that may be OOD to the alarm; a dot is the "
    "median over the streams of a seed, its line the quartiles; open: half of the streams or "
    "more end without an alarm. Below: ID images alone, so that each alarm is false; by Ville's "
    "inequality these are at most alpha of the streams, over draws of the validation images too, "
    "and however long the stream. Streams of a seed share their validation and test images: "
    "their false alarms come together."
)


def collect_data(drift: str, in_dist: str, model: str, trainings: Sequence[str]) -> pd.DataFrame:
    """Return the rows of drift.csv for this model and these trainings, in the given order.

    Raises OecalError if there are none.
    """
    table = select_model(drift, in_dist, model, trainings).dropna(subset="score")
    if table.empty:
        raise OecalError(
            f"{drift}: has no score of {model} on {in_dist}; "
            f"add one of: {', '.join(COMMON_SCORES)}, or remove the figure drift"
        )
    return table


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw images from the onset to the alarm above, false alarms on ID streams below.

    Above: median and quartiles by share of OOD; an open marker above the dotted line: half of the
    streams or more raise none. Below: percent of the streams.
    """
    trainings, scores = list(data["training"].unique()), list(data["score"].unique())
    rates = sorted(data.loc[data["ood_rate"] > 0, "ood_rate"].unique())
    longest = (data["length"] - data["onset"])[data["ood_rate"] > 0].max()
    false_alarms = data[data["ood_rate"] == 0]
    never = 1.6 * longest  # where a median is drawn without an alarm
    decades = [10**k for k in range(1, 7) if 10**k < longest]
    figure, axes = make_panels(2, len(scores), 4.0, sharey="row", height_ratios=[1.7, 1])
    for top, bottom, score in zip(*axes, scores, strict=True):
        for n, training in enumerate(trainings):
            part = data[(data["score"] == score) & (data["training"] == training)]
            shift = 0.7 * ((n + 0.5) / len(trainings) - 0.5)
            look = {
                "marker": MARKERS[n % len(MARKERS)],
                "color": CYCLE[n % len(CYCLE)],
                "ls": "",
                "ms": 3.5,
            }
            for k, rate in enumerate(rates):
                own = part[part["ood_rate"] == rate]
                at = (
                    k
                    + shift
                    + 0.5
                    / len(trainings)
                    * (np.arange(len(own)) - (len(own) - 1) / 2)
                    / max(len(own), 1)
                )
                low, middle, high = (
                    own[column].fillna(never).to_numpy() for column in ("q25", "median_time", "q75")
                )
                top.vlines(at, low, high, color=look["color"], lw=0.8, alpha=0.6)
                raised = own["median_time"].notna().to_numpy()
                top.plot(at[raised], middle[raised], **look)
                top.plot(at[~raised], middle[~raised], mfc="white", **look)
            own = part[part["ood_rate"] == 0]
            bottom.plot(
                n + np.linspace(-0.2, 0.2, len(own)) * (len(own) > 1),
                100 * own["alarm_share"],
                **look,
            )
        top.set(
            title=display_name(score),
            yscale="log",
            xlim=(-0.5, len(rates) - 0.5),
            xlabel="share of OOD images",
        )
        top.set_ylim(min(5, 0.7 * data["q25"].min()), 2.1 * longest)
        top.set_yticks([*decades, never], [*map(str, decades), "never"])
        top.set_xticks(range(len(rates)), [f"{100 * rate:g}%" for rate in rates])
        top.axhline(1.25 * longest, color="black", lw=0.5, ls=":")
        bottom.axhline(100 * data["alpha"].iloc[0], color="black", lw=0.8, ls="--")
        bottom.set(
            xlim=(-0.5, len(trainings) - 0.5),
            ylim=(-0.3, max(115 * false_alarms["alarm_share"].max(), 5)),
        )
        bottom.set_xticks([])
        bottom.set_xlabel(f"{false_alarms['length'].max()} ID images, no OOD")
    axes[0][0].set_ylabel("images until the alarm")
    axes[1][0].set_ylabel("streams with a\nfalse alarm, %")
    handles = [
        *(
            Line2D(
                [],
                [],
                marker=MARKERS[n % len(MARKERS)],
                color=CYCLE[n % len(CYCLE)],
                ls="",
                ms=3.5,
                label=display_name(t),
            )
            for n, t in enumerate(trainings)
        ),
        Line2D(
            [],
            [],
            color="black",
            lw=0.8,
            ls="--",
            label=f"promised: at most {100 * data['alpha'].iloc[0]:g}%",
        ),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=5)
    return figure


def describe_figure(tables: Tables) -> list[str]:
    """Give the share of streams with an alarm at each OOD rate, for the first score."""
    table = tables["drift"]
    lines, first = [], table[table["score"] == table["score"].iloc[0]] if len(table) else table
    for training, rows in first.groupby("training", sort=False):
        shares = rows.groupby("ood_rate")["alarm_share"].mean().reset_index().to_numpy()
        said = ", ".join(
            f"{100 * share:.0f}% of the streams at an OOD rate of {100 * rate:g}%"
            for rate, share in shares
        )
        lines.append(f"{training!s}, {first['score'].iloc[0]!s}: an alarm in {said}.")
    return lines
