"""Does the likelihood say more than how simple an image is?

Bits per dimension under the model against bits per dimension as PNG. The figure behind the input
complexity of Serra et al. (ICLR 2020, arXiv 1909.11480): their score is positive above the
diagonal.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator

from oecal.core.roles import OOD
from oecal.core.seeds import make_generator
from oecal.figures.style import (
    BLACK,
    BLUE,
    BOX,
    CYCLE,
    GREY,
    MARKERS,
    display_name,
    make_wrapped_panels,
)
from oecal.metrics.likelihood_metrics import bits_per_dimension
from oecal.runs.run_files import read_run

SECTION = "likelihood"
TITLE = "likelihood against complexity"
FOR = ("density",)
FIRST_SEED = True
CAPTION = (
    "Bits per dimension under the density model against the length as PNG in the same unit, a "
    "dot per test image (at most 400 of a set, 100 of a synthetic one), first seed. Dashed: as "
    "many bits as the PNG; above it, the input complexity of Serra et al. (ICLR 2020) is "
    "positive. If the likelihood only told how simple an image is, all sets would lie on one "
    "line; Spearman: rank correlation over all in-distribution test images. Grey: synthetic "
    "sets. Both axes are logarithmic; dots at the upper edge lie beyond it, and a few images of "
    "extreme length or likelihood lie outside."
)
EACH = 400  # images of a set that are drawn; the correlation is of all
FLOOR = 1 / 16  # bits/dim: the axes are logarithmic
RISE = 8  # how far above the first training's range is shown: outliers may be driven far beyond


def collect_data(outputs: Sequence[str], statistics: str) -> pd.DataFrame:
    """Return one row per test image: training, set, role, bpd (of the model), png.

    role: test, near, far, synthetic. png: length as PNG / dimensions.
    """
    plain = {(g.set, g.split): g["png_bits"] for g in read_run(statistics, "png_bits").groups}
    parts = []
    for path in outputs:
        run = read_run(path, "log_likelihood")
        for group in run.tests("id", *OOD):
            columns = {
                "training": run.key["training"],
                "set": group.set,
                "role": "test" if group.role == "id" else group.role,
            }
            columns["bpd"] = bits_per_dimension(group["log_likelihood"], run.dims)
            parts.append(pd.DataFrame({**columns, "png": plain[group.set, group.split] / run.dims}))
    return pd.concat(parts, ignore_index=True)


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw a panel per training: -log2 p / D against the PNG's bits / D.

    At most EACH images of a set, and Spearman's correlation on ID. What is far above the rest is
    drawn at the upper edge.
    """
    trainings = list(data["training"].unique())
    real = data[data["role"] != "synthetic"]
    others = [
        key for key in real["set"].unique() if key not in set(real[real["role"] == "test"]["set"])
    ]
    colours = [c for c in CYCLE if c not in (BLUE, GREY)]
    shapes = [MARKERS[1 + n % (len(MARKERS) - 1)] for n in range(len(others))]
    chosen = {
        key: make_generator("likelihood_vs_complexity", key).permutation(n)[:EACH]
        for key, n in data[data["training"] == trainings[0]]
        .groupby("set", sort=False)
        .size()
        .items()
    }
    first = real[real["training"] == trainings[0]]
    top = min(real["bpd"].quantile(0.999), RISE * first["bpd"].quantile(0.999))
    data = data.assign(bpd=data["bpd"].clip(upper=1.15 * top))
    height = 2.6 if len(trainings) > 1 else 3.6
    figure, axes = make_wrapped_panels(len(trainings), 3, 0.9, height, sharex=True, sharey=True)
    for ax, training in zip(axes, trainings, strict=True):
        own = data[data["training"] == training]
        for key, part in own[own["role"] == "synthetic"].groupby("set", sort=False):
            drawn = part.iloc[chosen[key][: EACH // 4]]
            ax.scatter(
                drawn["png"],
                drawn["bpd"],
                s=3,
                color=GREY,
                alpha=0.3,
                lw=0,
                rasterized=True,
                zorder=1,
            )
        for n, key in enumerate(others):
            drawn = own[own["set"] == key].iloc[chosen[key]]
            ax.scatter(
                drawn["png"],
                drawn["bpd"],
                s=5,
                color=colours[n % len(colours)],
                marker=shapes[n],
                alpha=0.5,
                lw=0,
                rasterized=True,
                zorder=2,
            )
        inside = own[own["role"] == "test"]
        drawn = inside.iloc[chosen[inside["set"].iloc[0]]]
        ax.scatter(
            drawn["png"], drawn["bpd"], s=4, color=BLUE, alpha=0.5, lw=0, rasterized=True, zorder=3
        )
        ax.axline((1, 1), (2, 2), color=BLACK, lw=0.6, ls="--", zorder=4)
        spearman = inside["png"].rank().corr(inside["bpd"].rank())
        ax.text(
            0.03,
            0.97,
            f"ID: Spearman {spearman:.2f}",
            transform=ax.transAxes,
            va="top",
            fontsize=6.5,
            bbox=BOX,
            zorder=5,
        )
        ax.set_title(display_name(training))
    ax = axes[0]
    ax.set_xscale("log", base=2)
    ax.set_yscale("log", base=2)
    low = real[["png", "bpd"]].clip(FLOOR).quantile(0.001) / 1.15
    ax.set(xlim=(low["png"], 1.3 * real["png"].quantile(0.999)), ylim=(low["bpd"], 1.3 * top))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(LogLocator(base=2))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_locator(LogLocator(base=2, subs=()))
    labels = [
        f"{display_name(inside['set'].iloc[0])} (in-distribution)",
        *map(display_name, others),
    ]
    marks = [(BLUE, "o"), *((colours[n % len(colours)], shapes[n]) for n in range(len(others)))]
    if len(real) < len(data):
        labels, marks = [*labels, "synthetic sets"], [*marks, (GREY, "o")]
    handles = [axes[0].plot([], [], marker, color=colour, ms=4)[0] for colour, marker in marks]
    figure.legend(
        [*handles, axes[0].lines[0]],
        [*labels, "as long as the PNG"],
        loc="outside upper center",
        ncols=4,
    )
    figure.supxlabel("length as PNG, bits per dimension", fontsize=8)
    figure.supylabel("$-\\log_2 p(x)$ / D, bits per dimension", fontsize=8)
    return figure
