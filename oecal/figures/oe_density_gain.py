"""Does Outlier Exposure repair a density, or only lower it near the outliers it saw?

Price and gain of each training, set by set. Above: AUROC of -log p(x); below 50% an OOD set is more
likely than the data. Left: what a training costs on the data themselves. Below: where it moved the
density.
"""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import AsinhNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from oecal.core.roles import OOD
from oecal.figures.sentences import Tables, format_over_seeds
from oecal.figures.style import BLACK, CYCLE, WIDTH, display_name, plt
from oecal.tables.rows import select_model

SECTION = "likelihood"
TITLE = "what OE gives a density"
FOR = ("density",)
SCORE = "log_likelihood"
CAPTION = (
    "Does Outlier Exposure repair a density, or only lower it near the outliers it saw? Rows: "
    "trainings with their auxiliary sets. Left: the price, change of bits per dimension on "
    "in-distribution test images within a seed (small dots: seeds; large: mean; the first row "
    "gives the value itself). Above: AUROC of the log-likelihood in percent, mean over seeds; "
    "red: below 50. Below: change of bits per dimension on each OOD set, mean over seeds, the "
    "colour on an arcsinh scale. A repair would turn all columns blue, also of sets unlike any "
    "auxiliary one. Asterisk: noise of the same kind as an auxiliary set, other images of the "
    "same distribution; such sets are left out of mean and worst."
)
GAP = 0.25  # between the kinds of OOD sets, in cells


def collect_data(
    detection: str,
    likelihood: str,
    trainings_table: str,
    in_dist: str,
    model: str,
    trainings: Sequence[str],
) -> pd.DataFrame:
    """Return one row per training, seed and set: auroc of log_likelihood, bpd, change of bpd.

    Further columns: outliers, alike, kind (id, near, far, synthetic). trainings: those shown; the
    first is the one to compare with, and changes are within a seed, nan for a seed that the first
    lacks. alike: the set is drawn from the distribution of one of the auxiliary sets.
    """
    detected, bits, how = (
        select_model(path, in_dist, model, trainings)
        for path in (detection, likelihood, trainings_table)
    )
    how = (
        how.drop_duplicates("training")
        .set_index("training")[["outliers", "alike"]]
        .astype(object)
        .fillna("")
        .map(str.split)
    )
    detected = detected[detected["score"] == "log_likelihood"][
        ["training", "seed", "ood", "kind", "auroc"]
    ].rename(columns={"ood": "set"})
    kinds = {in_dist: "id", **detected.drop_duplicates("set").set_index("set")["kind"].to_dict()}
    bits = bits[bits["set"].isin(list(kinds))][["training", "seed", "set", "bpd_mean"]].rename(
        columns={"bpd_mean": "bpd"}
    )
    data = bits.merge(detected.drop(columns="kind"), on=["training", "seed", "set"], how="left")
    first = bits[bits["training"] == trainings[0]][["seed", "set", "bpd"]]
    data = data.merge(first, on=["seed", "set"], how="left", suffixes=("", "_first"))
    data["change"] = data["bpd"] - data.pop("bpd_first")
    data["kind"] = data["set"].map(kinds)
    data["outliers"] = data["training"].map(
        lambda training: ", ".join(map(display_name, how["outliers"][training]))
    )
    data["alike"] = [
        key in how["alike"][training]
        for training, key in zip(data["training"], data["set"], strict=True)
    ]
    ranks = {key: n for n, key in enumerate(("id", *OOD, *trainings))}
    return data.sort_values(
        ["kind", "training"], key=lambda column: column.map(ranks), kind="stable", ignore_index=True
    )


def list_left_edges(kinds: Sequence[str]) -> np.ndarray:
    """Return the left edges of the columns, in cells, with a gap where the kind changes."""
    changes = [a != b for a, b in itertools.pairwise(kinds)]
    return np.arange(len(kinds)) + GAP * np.cumsum([False, *changes])


def draw_cells(
    ax: Axes, table: np.ndarray, lefts: np.ndarray, norm: Normalize, texts: Sequence[Sequence[str]]
) -> None:
    """Draw a heat map with values written in; column j of `table` starts at lefts[j]."""
    for row, (values, written) in enumerate(zip(table, texts, strict=True)):
        for left, value, text in zip(lefts, values, written, strict=True):
            if np.isfinite(value):
                colour = colormaps["RdBu"](norm(value))
                dark = np.dot(colour[:3], (0.299, 0.587, 0.114)) < 0.5
                ax.add_patch(Rectangle((left, row), 1, 1, fc=colour, ec="white", lw=0.8))
                ax.text(
                    left + 0.5,
                    row + 0.5,
                    text,
                    ha="center",
                    va="center",
                    fontsize=6.5,
                    color="white" if dark else BLACK,
                )
    ax.set(xlim=(0, lefts[-1] + 1), ylim=(len(table), 0), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.grid(visible=False)


def format_change(value: float) -> str:
    """Format +0.02, -1.3, +73: about two significant digits, at most two decimals.

    Smaller values are 0.
    """
    return (
        f"{value:+.{2 if abs(value) < 0.995 else 1 if abs(value) < 9.95 else 0}f}"
        if abs(value) >= 0.005
        else "0"
    )


def draw_price(ax: Axes, inside: pd.DataFrame, trainings: Sequence[str]) -> None:
    """Draw the change of ID bits per dimension: small dots for seeds, a large one for the mean.

    The mean is written beside it.
    """
    base = inside[inside["training"] == trainings[0]]["bpd"].mean()
    for row, training in enumerate(trainings):
        change = inside[inside["training"] == training]["change"].dropna()
        colour = CYCLE[row % len(CYCLE)]
        ax.plot([change.min(), change.max()], [row + 0.5] * 2, color=colour, lw=1)
        ax.plot(change, [row + 0.5] * len(change), ".", color=colour, ms=3, mew=0)
        ax.plot(change.mean(), row + 0.5, "o", color=colour, ms=5, mew=0)
        text = format_change(change.mean()) if row else f"{base:.2f}"
        ax.text(
            1.04, row + 0.5, text, transform=ax.get_yaxis_transform(), fontsize=6.5, va="center"
        )
    ax.axvline(0, color=BLACK, lw=0.6)
    ax.set(ylim=(len(trainings), 0), yticks=[])
    ax.margins(x=0.12)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="x", labelsize=6)
    ax.locator_params(axis="x", nbins=3)
    ax.set_title("price: ID test,\nbits/dim", fontsize=7)
    ax.set_xlabel("change", fontsize=7, labelpad=1)


def write_trainings(ax: Axes, outliers: Mapping[str, Sequence[str]], cell: float) -> None:
    """Write the trainings left of their rows, of `cell` inches, and below each its outliers."""
    for row, (training, lines) in enumerate(outliers.items()):
        at: dict[str, Any] = {"transform": ax.get_yaxis_transform(), "ha": "right", "va": "center"}
        start = row + 0.5 - (0.12 + 0.09 * len(lines)) / 2 / cell
        ax.text(-0.1, start + 0.06 / cell, display_name(training), fontsize=8, **at)
        for n, line in enumerate(lines):
            place = start + (0.17 + 0.09 * n) / cell
            ax.text(-0.1, place, line, fontsize=5.5, color="#555555", **at)


def write_columns(ax: Axes, lefts: np.ndarray, names: Sequence[str]) -> None:
    """Write the names of columns aslant below the last row."""
    style: dict[str, Any] = {"rotation": 40, "rotation_mode": "anchor", "ha": "right", "va": "top"}
    for left, name in zip(lefts, names, strict=True):
        ax.text(left + 0.6, ax.get_ylim()[0] + 0.15, name, fontsize=7, **style)


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw the AUROC of the likelihood, %, and below it the change of bits per dimension.

    A row per training, a column per OOD set; means over seeds. A star: the set is like the
    training's outliers. `mean` and `worst set` are over the sets that are unlike all trainings'
    outliers.
    """
    trainings = list(dict.fromkeys(data["training"]))
    outside = data[data["kind"] != "id"]
    sets, kinds = (list(outside.drop_duplicates("set")[column]) for column in ("set", "kind"))
    auroc, change = (
        outside.groupby(["training", "set"])[v].mean().unstack().reindex(trainings)[sets]
        for v in ("auroc", "change")
    )
    # In mean and worst, for all trainings alike: only sets that no training has seen the like of,
    # if there are any.
    alike = {(row["training"], row["set"]) for row in outside[outside["alike"]].to_dict("records")}
    like_outliers = {key for _, key in alike}
    unlike = [key for key in sets if key not in like_outliers] or sets
    percent = (
        100
        * auroc.assign(mean=auroc[unlike].mean(axis=1), worst=auroc[unlike].min(axis=1)).to_numpy()
    )
    marks = [
        ["*" if (training, key) in alike else "" for key in [*sets, "mean", "worst"]]
        for training in trainings
    ]
    written = [
        [f"{v:.0f}{m}" for v, m in zip(row, mark, strict=True)]
        for row, mark in zip(percent, marks, strict=True)
    ]
    lefts = list_left_edges([*kinds, "all", "all"])
    listed = data.drop_duplicates("training").set_index("training")["outliers"]
    of = {training: textwrap.wrap(listed[training], 30) for training in trainings}
    # Fixed places, in inches: the layout engine would not keep the rows of the panels in line.
    cell = max(0.3, 0.19 + 0.09 * max(map(len, of.values())))
    top, label, left, width = 0.55, 0.2 + 0.036 * max(map(len, [*sets, "worst set"])), 1.45, 0.65
    rows, later = len(trainings), len(trainings) - 1
    height = top + cell * rows + (0.45 + cell * later if later else 0) + label
    figure = plt.figure(figsize=(WIDTH, height), layout="none")

    def place(x: float, below: float, wide: float, high: float) -> Axes:
        return figure.add_axes(
            (x / WIDTH, 1 - (below + high) / height, wide / WIDTH, high / height)
        )

    first = left + width + 0.42
    wide = WIDTH - first - 0.05
    costs, above = place(left, top, width, cell * rows), place(first, top, wide, cell * rows)
    draw_price(costs, data[data["kind"] == "id"], trainings)
    draw_cells(above, percent, lefts, Normalize(0, 100), written)
    write_trainings(costs, of, cell)
    for kind in dict.fromkeys(kinds):
        own = [x for x, k in zip(lefts, kinds, strict=False) if k == kind]
        above.text((own[0] + own[-1] + 1) / 2, -0.12, kind, ha="center", va="bottom", fontsize=7)
    title: dict[str, Any] = {"fontsize": 8, "va": "bottom"}
    text = "AUROC of the log-likelihood, % (red: OOD is more likely than the data)"
    above.text(0, -0.65, text, **title)
    above.axvline(lefts[-2] - GAP / 2, color=BLACK, lw=0.6)
    lowest, last = above, [*map(display_name, sets), "mean", "worst set"]
    if later:
        moved = change.to_numpy()[1:]
        limit = max(float(np.nanmax(np.abs(moved))), 0.1)
        lowest = place(
            first,
            top + cell * rows + 0.45,
            wide * (lefts[len(sets) - 1] + 1) / (lefts[-1] + 1),
            cell * later,
        )
        draw_cells(
            lowest,
            moved,
            lefts[: len(sets)],
            AsinhNorm(0.1, -limit, limit),
            [[format_change(v) for v in row] for row in moved],
        )
        text = f"Change of bits/dim against {display_name(trainings[0])}"
        lowest.text(0, -0.2, f"{text} (blue: less likely than before)", **title)
        for row, name in enumerate(map(display_name, trainings[1:])):
            lowest.text(-0.15, row + 0.5, name, fontsize=8, va="center", ha="right")
    write_columns(above, lefts[len(sets) :], last[len(sets) :])
    write_columns(lowest, lefts[: len(sets)], last[: len(sets)])
    return figure


def describe_figure(tables: Tables) -> list[str]:
    """Say what each training after the first costs, and which sets it lifts above chance.

    The cost is in bits/dim on ID test.
    """
    likelihood, detection = tables["likelihood"], tables["detection"]
    bits = likelihood[likelihood["set"] == likelihood["in_dist"]].pivot(
        index="seed", columns="training", values="bpd_mean"
    )
    auroc = (
        detection[detection["score"] == "log_likelihood"]
        .groupby(["training", "ood"], sort=False)["auroc"]
        .mean()
        .unstack(0)
    )
    first, *others = list(dict.fromkeys(likelihood["training"]))
    below = auroc.index[auroc[first] < 0.5]
    lines = [
        f"{first}: {len(below)} of {len(auroc)} OOD sets have an AUROC below 50%."
        if len(auroc)
        else ""
    ]
    for training in others:
        lifted = [name for name in below if auroc.loc[name, training] >= 0.5]
        change = format_over_seeds(bits[training] - bits[first], percent=False)
        lines.append(
            f"{training}: {change} bits/dim on in-distribution images; "
            f"lifts {', '.join(lifted) or 'none'} of these above 50%."
        )
    return lines
