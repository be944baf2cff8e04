"""Which scores differ at all?

Mean rank of each score over the OOD sets, with Nemenyi's critical difference, training by training.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from oecal.figures.sentences import Tables
from oecal.figures.style import BLUE, GREY, display_name, make_panels
from oecal.metrics.ranks import critical_difference, friedman, mean_ranks
from oecal.tables.rows import select_model

SECTION = "detection"
TITLE = "ranks of scores"
FOR = ("classifier",)
MOST = 4  # trainings that fit beside each other
CAPTION = (
    "Mean rank of each score over the OOD sets, by AUROC averaged over seeds; 1 is the best; at "
    "most four trainings, rows in the order of the first. Two scores whose lines do not overlap "
    "differ by more than Nemenyi's critical difference (CD, level 0.05, all pairs taken "
    "together); shaded: within the CD of the best; full dots: scores that lie there. p: "
    "Friedman's test that all scores are alike (Demsar, JMLR 2006). The OOD sets share one "
    "in-distribution test set and some are alike, so the tests tell less than as many "
    "independent data sets would. Costly methods may have seen part of the images only."
)


def collect_data(
    detection: str, in_dist: str, model: str, trainings: Sequence[str]
) -> pd.DataFrame:
    """Return one row per training and score: mean rank of its AUROC over the OOD sets, 1 = best.

    And of the training: sets, cd, chi2, p. AUROC is averaged over seeds first; a set is a block,
    also of Friedman's test (chi2, p). cd: the critical difference of two mean ranks, nan for a
    single score.
    """
    table = select_model(detection, in_dist, model)
    parts = []
    for training in trainings:
        own = (
            table[table["training"] == training]
            .groupby(["ood", "score"], sort=False)["auroc"]
            .mean()
            .unstack(sort=False)
        )
        sets, scores = own.shape
        chi2, p = friedman(own.to_numpy())
        cd = critical_difference(scores, sets) if scores > 1 else np.nan
        about = {"training": training, "sets": sets, "cd": cd, "chi2": chi2, "p": p}
        parts.append(
            pd.DataFrame({"score": own.columns, "rank": mean_ranks(own.to_numpy()), **about})
        )
    return pd.concat(parts, ignore_index=True)


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw a panel per training, a row per score: mean rank, 1 is best.

    With half the critical difference on both sides. Full markers, and the band: what does not
    differ from the best score.
    """
    trainings = list(data["training"].unique())
    order = data.sort_values("rank", kind="stable").sort_values(
        "training", key=lambda t: t.map(trainings.index), kind="stable"
    )
    scores = list(
        order["score"].unique()
    )  # by rank under the first training, then those that only a later one has
    height = min(0.17 * max(len(scores), 3), 8.5)  # a page high at most
    figure, axes = make_panels(1, len(trainings), 1.0 + height, sharex=True, sharey=True)
    for ax, training in zip(axes[0], trainings, strict=True):
        part = data[data["training"] == training]
        best, first = part["rank"].min(), part.iloc[0]
        half = 0.0 if np.isnan(first["cd"]) else first["cd"] / 2
        ax.axvspan(best, best + 2 * half, color="#EAF2F8", lw=0, zorder=0)
        for score, rank in zip(part["score"], part["rank"], strict=True):
            near = rank <= best + 2 * half
            colour, y = BLUE if near else GREY, scores.index(score)
            ax.plot([rank - half, rank + half], [y, y], color=colour, lw=0.7, alpha=0.6)
            ax.plot(
                rank,
                y,
                "o",
                color=colour,
                mfc=colour if near else "white",
                ms=3.2,
                mew=0.8,
                zorder=3,
            )
        p = "p < 0.001" if first["p"] < 0.001 else f"p = {first['p']:.3f}"
        ax.set_title(f"{display_name(training)}\nCD = {2 * half:.1f}, {p}", fontsize=7.5)
        ax.set_xlabel("mean rank (1: best)")
        ax.tick_params(axis="y", length=0)
    axes[0][0].set(xlim=(0, len(scores) + 1), ylim=(len(scores) - 0.5, -0.5))
    axes[0][0].set_yticks(range(len(scores)), [display_name(score) for score in scores])
    return figure


def describe_figure(tables: Tables) -> list[str]:
    """Name the score of the best mean rank, and count those it cannot be told from."""
    lines = []
    for training, rows in list(tables["detection"].groupby("training", sort=False))[:MOST]:
        table = rows.groupby(["ood", "score"], sort=False)["auroc"].mean().unstack(sort=False)
        if len(table.columns) > 1:
            ranks = pd.Series(mean_ranks(table.to_numpy()), table.columns)
            near = (ranks <= ranks.min() + critical_difference(len(ranks), len(table))).sum()
            lines.append(
                f"{training}: best mean rank {ranks.min():.1f} with {ranks.idxmin()}; "
                f"{near} of {len(ranks)} scores are within the critical difference of it."
            )
    return lines
