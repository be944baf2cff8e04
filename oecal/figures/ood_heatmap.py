"""AUROC of each score against each OOD set, and its change against the first training."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import AsinhNorm, Normalize
from matplotlib.figure import Figure

from oecal.core.roles import OOD
from oecal.figures.sentences import Tables, describe_best_score
from oecal.figures.style import VERMILION, WIDTH, display_name, group_by_family, make_panels
from oecal.tables.rows import select_model

SECTION = "detection"
TITLE = "OOD heatmap"
FOR = ("classifier",)
PER = "training"  # a file for each training
CAPTION = (
    "AUROC in percent, mean over seeds, of each score (rows, by family) against each OOD set "
    "(columns); OOD is the positive class; orange: below 50, worse than chance. Right, for all "
    "trainings but the first: the change against the first in percentage points, within a seed, "
    "the colour on an arcsinh scale; empty: a score that the first training lacks. Costly "
    "methods may have seen part of the images only."
)
LABELS = 1.7  # inches for the names of scores


def collect_data(
    detection: str, in_dist: str, model: str, first: str, training: str
) -> pd.DataFrame:
    """Return one row per score and OOD set: training, kind, family, auroc, change.

    Means over seeds, family by family, near sets first, then far, then synthetic. change: against
    the training `first`, within a seed; nan for a score that `first` lacks. The column `against`
    names `first`, and is empty where it is the training itself.
    """
    table = select_model(detection, in_dist, model)
    key = ["score", "ood", "seed"]
    own, before = (
        table[table["training"] == t][[*key, "kind", "auroc"]] for t in (training, first)
    )
    own = own.merge(before.drop(columns="kind"), on=key, how="left", suffixes=("", "_first"))
    own["change"] = own["auroc"] - own.pop("auroc_first")
    data = (
        own.groupby(["score", "ood", "kind"], sort=False)[["auroc", "change"]].mean().reset_index()
    )
    of = group_by_family(table["score"].unique())
    data = data.assign(
        training=training, against=first if first != training else "", family=data["score"].map(of)
    )
    order = {"score": list(of), "kind": list(OOD)}
    return data.sort_values(
        list(order),
        key=lambda column: column.map(order[str(column.name)].index),
        kind="stable",
        ignore_index=True,
    )


def format_percent(value: float, sign: str = "", longest: int = 4) -> str:
    """Format 97.3, +4.1, -12, 100, 0.0: with a decimal where it fits `longest` characters."""
    text = f"{value:{sign}.1f}"
    text = text if len(text) <= longest else f"{value:{sign}.0f}"
    return text if float(text) else text.lstrip("+-")


def draw_heatmap(
    ax: Axes, table: pd.DataFrame, colours: str, norm: Normalize, sign: str, width: float
) -> None:
    """Draw percent as colours and, where cells are wide enough, as numbers.

    width: of a cell, in inches.
    """
    cmap = colormaps[colours].with_extremes(under=VERMILION)
    longest = 4 if width > 0.16 else 3
    written = table.map(lambda value: format_percent(value, sign, longest)).to_numpy()
    size = {
        "size": min(6.5, 100 * width / longest),
        "in_layout": False,
    }  # they are within the axes: measuring them takes as long as drawing
    sns.heatmap(
        table,
        ax=ax,
        cmap=cmap,
        norm=norm,
        annot=written if width > 0.1 else False,
        fmt="",
        annot_kws=size,
        cbar=False,
    )
    ax.set(xlabel="", ylabel="")
    ax.tick_params(length=0)


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw scores by sets: AUROC, %, and the change in percentage points beside it.

    The first training has no change.
    """
    scores, sets = list(data["score"].unique()), list(data["ood"].unique())
    training, against = data.iloc[0][["training", "against"]]
    shown = ["auroc", "change"] if against else ["auroc"]
    tables = {
        v: 100 * data.pivot(index="score", columns="ood", values=v).loc[scores, sets] for v in shown
    }
    width = (WIDTH - LABELS) / len(sets) / len(shown)
    height = min(0.17 * max(len(scores), 3), 8.0)  # a page high at most
    figure, axes = make_panels(
        1, len(shown), 0.5 + 0.065 * max(map(len, sets)) + height, sharey=True
    )
    draw_heatmap(axes[0][0], tables["auroc"], "Blues", Normalize(50, 110), "", width)
    titles = [
        f"{display_name(training)}: AUROC, %",
        f"minus {display_name(against)}, percentage points",
    ]
    if against:
        limit = max(float(np.nanmax(np.abs(tables["change"].to_numpy()), initial=0)), 1.0)
        draw_heatmap(axes[0][1], tables["change"], "RdBu", AsinhNorm(2, -limit, limit), "+", width)
    kinds = data.drop_duplicates("ood")["kind"].tolist()
    family = data.drop_duplicates("score")["family"].tolist()
    for ax, title in zip(axes[0], titles, strict=False):
        ax.set_title(title, loc="left", pad=14)
        ax.set_xticks(np.arange(len(sets)) + 0.5, [display_name(s) for s in sets], rotation=90)
        for kind in dict.fromkeys(kinds):
            middle = kinds.index(kind) + kinds.count(kind) / 2
            ax.annotate(
                kind,
                (middle, 0),
                (0, 3),
                textcoords="offset points",
                ha="center",
                va="bottom",
                fontsize=7,
                color="#555555",
            )
        for n in [n for n, (a, b) in enumerate(itertools.pairwise(kinds), 1) if a != b]:
            ax.axvline(n, color="white", lw=2.5)
        for n in [n for n, (a, b) in enumerate(itertools.pairwise(family), 1) if a != b]:
            ax.axhline(n, color="white", lw=1.2)
    axes[0][0].set_yticks(
        np.arange(len(scores)) + 0.5, [display_name(s) for s in scores], rotation=0
    )
    return figure


def describe_figure(tables: Tables) -> list[str]:
    """Name the best score, and the hardest set for the first one."""
    return describe_best_score(tables)
