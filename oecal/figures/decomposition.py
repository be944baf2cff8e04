"""Do the scores tell unknown images (OOD) from merely ambiguous ones (means of two classes)?

A panel per training, a dot per score.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from oecal.figures.sentences import Tables
from oecal.figures.style import BLACK, ROLES, display_name, make_panels
from oecal.tables.rows import select_model

SECTION = "detection"
TITLE = "ambiguous or unknown"
FOR = ("classifier",)
MOST = 4  # trainings that fit beside each other
NEEDS = "ambiguous"  # what an experiment must have for it
CAPTION = (
    "Unknown or merely ambiguous? Coloured: AUROC of OOD images (positive class) against "
    "ambiguous ones, each the mean of two images of different classes, mean over seeds; above "
    "50%, a score is higher on what is unknown than on what is between two classes. Strokes: "
    "AUROC of ambiguous against in-distribution test images; a score of epistemic uncertainty "
    "alone would stay near 50%, one of aleatoric uncertainty is high. At most four trainings, "
    "rows in the order of the first. Costly methods may have seen part of the images only."
)
MARKERS = {"near": "o", "far": "s", "synthetic": "^"}


def collect_data(
    decomposition: str, in_dist: str, model: str, trainings: Sequence[str]
) -> pd.DataFrame:
    """Return one row per training, score and kind of OOD: three AUROCs, means over seeds.

    The AUROCs are those of decomposition.csv.
    """
    table = select_model(decomposition, in_dist, model, trainings)
    columns = ["auroc_ambiguous", "auroc_ood", "auroc_ood_ambiguous"]
    return table.groupby(["training", "score", "kind"], sort=False)[columns].mean().reset_index()


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw a row per score, the best of the first training on top.

    AUROC of OOD against ambiguous images; as ticks, of ambiguous against ID images.
    """
    trainings = list(data["training"].unique())
    first = data[data["training"] == trainings[0]]
    scores = list(
        first.groupby("score")["auroc_ood_ambiguous"].mean().sort_values(kind="stable").index
    )
    scores = [
        s for s in data["score"].unique() if s not in scores
    ] + scores  # those that only a later training has, below
    height = min(0.17 * max(len(scores), 3), 8.5)
    figure, axes = make_panels(1, len(trainings), 1.0 + height, sharex=True, sharey=True)
    for ax, training in zip(axes[0], trainings, strict=True):
        own = data[data["training"] == training]
        ax.axvline(50, color=BLACK, lw=0.7, ls="--")
        for kind, part in own.groupby("kind", sort=False):
            y = [scores.index(score) for score in part["score"]]
            colour = ROLES[str(kind)]
            ax.plot(
                100 * part["auroc_ood_ambiguous"],
                y,
                MARKERS[str(kind)],
                color=colour,
                ms=3.5,
                mew=0.5,
                label=f"{kind} OOD",
            )
        part = own.drop_duplicates("score")
        y = [scores.index(score) for score in part["score"]]
        ax.plot(
            100 * part["auroc_ambiguous"],
            y,
            "|",
            color=BLACK,
            ms=6,
            mew=1,
            label="ambiguous against ID",
        )
        ax.set(
            title=display_name(training),
            xlabel="AUROC, %",
            xlim=(0, 102),
            ylim=(-0.5, len(scores) - 0.5),
        )
        ax.tick_params(axis="y", length=0)
    axes[0][0].set_yticks(range(len(scores)), [display_name(score) for score in scores])
    figure.legend(
        *axes[0][0].get_legend_handles_labels(),
        loc="outside upper center",
        ncols=4,
        title="OOD against ambiguous images:",
    )
    return figure


def describe_figure(tables: Tables) -> list[str]:
    """Name the score that best tells OOD from ambiguous images."""
    lines = []
    for training, rows in tables["decomposition"].groupby("training", sort=False):
        means = rows.groupby("score", sort=False)[["auroc_ood_ambiguous", "auroc_ambiguous"]].mean()
        best = means.loc[str(means["auroc_ood_ambiguous"].idxmax())]
        above = (means["auroc_ood_ambiguous"] > 0.5).sum()
        lines.append(
            f"{training}: OOD ranks above ambiguous images with {above} of {len(means)} scores, "
            f"most with {best.name} (AUROC {100 * best['auroc_ood_ambiguous']:.1f}%; "
            f"ambiguous against in-distribution images {100 * best['auroc_ambiguous']:.1f}%)."
        )
    return lines
