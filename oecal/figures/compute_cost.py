"""What a score costs beside the forward pass, in time and memory, and what it gives.

Its mean AUROC against its cost, before and after Outlier Exposure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from oecal.figures.sentences import Tables
from oecal.figures.style import (
    BLACK,
    CYCLE,
    GREY,
    MARKERS,
    display_name,
    group_by_family,
    make_panels,
)
from oecal.tables.rows import select_model

SECTION = "cost"
TITLE = "compute cost"
FOR = ("classifier",)
MOST = 2  # trainings: before, after
CAPTION = (
    "What each score costs, against its mean AUROC over all OOD sets, means over seeds; open: "
    "first training, full: second. Left: seconds for 1,000 images beyond the ordinary forward "
    "pass (dashed), for further passes and scoring, fit included; right: highest memory of "
    "these. Dotted: the Pareto front of the second training; its scores are named. Costs of "
    "methods that are predicted for part of the images are those of that part. What two scores "
    "share (Mahalanobis and relative Mahalanobis) is counted once, for the first. Sampling the "
    "weights of SWAG and training the members of an ensemble are not counted."
)
COSTS = {
    "seconds": "beyond the forward pass: seconds per 1,000 images",
    "peak_mb": "highest memory, MiB",
}
FORWARD = {"seconds": "forward_seconds", "peak_mb": "forward_mb"}
FLOORS = {"seconds": 1e-6, "peak_mb": 1e-2}  # the axes are logarithmic


def collect_data(
    costs: str, detection: str, in_dist: str, model: str, trainings: Sequence[str]
) -> pd.DataFrame:
    """Return one row per training and score: family, auroc and costs, means over seeds.

    Costs are seconds and peak_mb, and of the forward pass forward_seconds and forward_mb. auroc:
    mean over all OOD sets. seconds: for 1,000 images, costly passes and scoring, without the
    ordinary forward pass. peak_mb: the highest memory of these.
    """
    shown = list(trainings)
    spent, detected = (select_model(path, in_dist, model, shown) for path in (costs, detection))
    spent = spent.assign(
        seconds=spent["seconds_predict"] - spent["seconds_forward"] + spent["seconds_score"]
    )
    spent = spent.rename(
        columns={"seconds_forward": "forward_seconds", "peak_mb_forward": "forward_mb"}
    )
    columns = ["seconds", "peak_mb", "forward_seconds", "forward_mb"]
    mean = spent.groupby(["training", "score"], sort=False)[columns].mean()
    auroc = detected.groupby(["training", "score"], sort=False)["auroc"].mean()
    data = mean.join(auroc, how="inner").reset_index()
    of = group_by_family(detected["score"].unique())
    data["family"] = data["score"].map(of)
    order = {"training": shown, "score": list(of)}
    return data.sort_values(
        list(order), key=lambda column: column.map(order[str(column.name)].index), ignore_index=True
    )


def find_pareto_front(cost: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Return the indices of the Pareto front, by rising cost.

    Nothing that costs no more has a higher value.
    """
    order = np.lexsort((-value, cost))
    best = np.maximum.accumulate(np.r_[-np.inf, value[order][:-1]])
    return order[value[order] > best]


def spread_labels(places: np.ndarray, gap: float) -> np.ndarray:
    """Return rising places in [0, 1] at least `gap` apart, moved as little as that takes.

    First to the right, then back from the edge.
    """
    moved = places.copy()
    for n in range(1, len(moved)):
        moved[n] = max(moved[n], moved[n - 1] + gap)
    moved[-1] = min(moved[-1], 1.0)
    for n in range(len(moved) - 2, -1, -1):
        moved[n] = min(moved[n], moved[n + 1] - gap)
    return moved


def choose_looks(data: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Return the colour and marker of each family."""
    return {
        f: (CYCLE[n % len(CYCLE)], MARKERS[n // len(CYCLE)])
        for n, f in enumerate(data["family"].unique())
    }


def draw_panel(
    ax: Axes, data: pd.DataFrame, cost: str, look: Mapping[str, tuple[str, str]]
) -> None:
    """Draw a score's markers, open before and full after, joined by a line.

    The scores on the Pareto front of the last training are named above.
    """
    trainings, last = data["training"].unique(), data[data["training"] == data["training"].iloc[-1]]
    for (family, _), part in data.groupby(["family", "score"], sort=False):
        colour, marker = look[str(family)]
        ax.plot(part[cost], part["auroc"], color=colour, lw=0.5, alpha=0.6)
        for training, x, y in zip(part["training"], part[cost], part["auroc"], strict=True):
            ax.plot(
                x,
                y,
                marker,
                color=colour,
                mfc=colour if training == trainings[-1] else "white",
                ms=4,
                mew=0.8,
                zorder=3,
            )
    forward = data[FORWARD[cost]].mean()
    ax.axvline(forward, color=BLACK, lw=0.8, ls="--")
    low, high = (
        np.log10(min(data[cost].min(), forward)) - 0.2,
        np.log10(max(data[cost].max(), forward)) + 0.2,
    )
    ax.set(xscale="log", xlim=(10**low, 10**high), xlabel=COSTS[cost])
    best = last.iloc[find_pareto_front(last[cost].to_numpy(), last["auroc"].to_numpy())]
    ax.step(best[cost], best["auroc"], where="post", color=BLACK, lw=0.6, ls=":")
    places = spread_labels((np.log10(best[cost].to_numpy()) - low) / (high - low), 0.05)
    for place, score, x, y in zip(places, best["score"], best[cost], best["auroc"], strict=True):
        line = {"arrowstyle": "-", "lw": 0.4, "color": GREY, "shrinkA": 0, "shrinkB": 2}
        ax.annotate("", (x, y), (place, 1.02), textcoords="axes fraction", arrowprops=line)
        ax.text(
            place,
            1.03,
            display_name(score),
            transform=ax.transAxes,
            fontsize=6.5,
            rotation=45,
            rotation_mode="anchor",
        )


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw AUROC against seconds and against memory, both on a logarithmic axis.

    Open before, full after Outlier Exposure; the Pareto front is named. Costs below FLOORS are
    drawn there.
    """
    data = data.assign(
        auroc=100 * data["auroc"],
        **{cost: data[cost].clip(lower=floor) for cost, floor in FLOORS.items()},
    )
    look = choose_looks(data)
    figure, axes = make_panels(1, 2, 4.8, sharey=True)
    for ax, cost in zip(axes[0], COSTS, strict=True):
        draw_panel(ax, data, cost, look)
    axes[0][0].set_ylabel("mean AUROC over all OOD sets, %")
    trainings = [display_name(training) for training in data["training"].unique()]
    fills = dict(zip(reversed(trainings), (BLACK, "white"), strict=False))
    handles = [
        Line2D([], [], ls="", marker="o", color=BLACK, mfc=fills[training], ms=4, label=training)
        for training in trainings
    ]
    handles.append(Line2D([], [], ls="--", lw=0.8, color=BLACK, label="forward pass"))
    handles += [
        Line2D([], [], ls="", marker=m, color=c, ms=4, label=display_name(family))
        for family, (c, m) in look.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=6)
    return figure


def describe_figure(tables: Tables) -> list[str]:
    """Name the best score, and the best of those that need only the one forward pass."""
    lines, costs = [], tables["costs"]
    for training, rows in list(tables["detection"].groupby("training", sort=False))[:MOST]:
        spent = (
            costs[costs["training"] == training]
            .groupby("score", sort=False)
            .mean(numeric_only=True)
        )
        table = spent.assign(auroc=rows.groupby("score", sort=False)["auroc"].mean())
        single = table[table["seconds_predict"] <= table["seconds_forward"] * (1 + 1e-9)]
        if len(single.dropna()):
            tops = [t.dropna().sort_values("auroc").iloc[-1] for t in (table, single)]
            said = [
                f"{top.name} ({100 * top['auroc']:.1f}%, "
                f"{top['seconds_predict'] + top['seconds_score']:.2g} s)"
                for top in tops
            ]
            rest = (
                ", which needs one forward pass"
                if said[0] == said[1]
                else f"; with one forward pass {said[1]}"
            )
            lines.append(
                f"{training}, mean AUROC and seconds for 1,000 images: best {said[0]}{rest}."
            )
    return lines
