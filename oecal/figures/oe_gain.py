"""What Outlier Exposure adds to each score, for each kind of OOD set.

A forest plot of the paired change of AUROC and FPR95.
"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from oecal.core.roles import OOD
from oecal.figures.sentences import Tables, format_over_seeds
from oecal.figures.style import BLACK, MARKERS, ROLES, display_name, group_by_family, make_panels
from oecal.metrics.seed_intervals import mean_interval
from oecal.tables.rows import select_model

SECTION = "detection"
TITLE = "what OE gives a score"
FOR = ("classifier",)
PER = "treatment"  # a file for each training but the first
CAPTION = (
    "What Outlier Exposure, or another treatment, adds to each score: change of AUROC and FPR95 "
    "against the first training, in percentage points. A metric is averaged over the OOD sets of "
    "a kind, and the difference is taken within a seed; lines: 95% intervals of the mean over "
    "seeds (Student t), which may go on beyond the axis; open: one seed only. Right of zero is "
    "better for AUROC, left of it for FPR95. Scores stand by family."
)
METRICS = {"auroc": "AUROC (right: better)", "fpr95": "FPR95 (left: better)"}


def collect_data(
    detection: str, in_dist: str, model: str, first: str, training: str
) -> pd.DataFrame:
    """Return one row per score, family, kind of OOD set and seed: change of auroc and fpr95.

    The change is `training` minus `first`. Within a seed, a metric is averaged over the sets of a
    kind; a score or seed that one of both lacks is left out. `of` names the two trainings.
    """
    table = select_model(detection, in_dist, model)
    by = ["score", "kind", "seed"]
    before, after = (
        table[table["training"] == t].groupby(by, sort=False)[list(METRICS)].mean()
        for t in (first, training)
    )
    change = (after - before).dropna().reset_index()
    of = group_by_family(table["score"].unique())
    change = change.assign(
        family=change["score"].map(of), of=f"{display_name(training)} minus {display_name(first)}"
    )
    return change.sort_values(
        "score", key=lambda scores: scores.map(list(of).index), kind="stable", ignore_index=True
    )


def draw_forest(ax: Axes, data: pd.DataFrame, metric: str, scores: list[str]) -> None:
    """Draw the mean change and its interval over seeds, in percentage points.

    Open where there is one seed and so no interval.
    """
    kinds = [kind for kind in OOD if kind in set(data["kind"])]
    for n, kind in enumerate(kinds):
        shift = 0.66 * ((n + 0.5) / len(kinds) - 0.5)
        part = data[data["kind"] == kind].groupby("score")[metric]
        for score, values in part:
            mean, half = mean_interval(100 * values.to_numpy())
            y, single = scores.index(str(score)) + shift, len(values) == 1
            if not single:
                ax.plot(
                    [mean - half, mean + half],
                    [y, y],
                    color=ROLES[kind],
                    lw=0.9,
                    solid_capstyle="butt",
                )
            ax.plot(
                mean,
                y,
                MARKERS[n],
                color=ROLES[kind],
                mfc="white" if single else ROLES[kind],
                ms=3,
                mew=0.7,
                zorder=3,
            )
        ax.plot(
            [],
            [],
            MARKERS[n],
            ls="-",
            lw=0.9,
            color=ROLES[kind],
            ms=3,
            mew=0.7,
            label=f"{kind} OOD",
        )
    # The means decide the range: with few seeds an interval may be wider than the axis.
    means = 100 * data.groupby(["score", "kind"])[metric].mean()
    low, high = min(means.min(), 0), max(means.max(), 0)
    margin = max(0.12 * (high - low), 0.5)
    ax.set(
        xlim=(low - margin, high + margin),
        title=METRICS[metric],
        xlabel="change, percentage points",
    )


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw a panel for AUROC and one for FPR95, a row per score, a marker per kind.

    The paired change in percentage points, mean and interval.
    """
    scores = list(data["score"].unique())
    family = data.drop_duplicates("score")["family"].tolist()
    height = min(0.19 * max(len(scores), 3), 8.5)  # a page high at most
    figure, axes = make_panels(1, 2, 1.0 + height, sharey=True)
    for ax, metric in zip(axes[0], METRICS, strict=True):
        ends = [n for n, (one, next_) in enumerate(itertools.pairwise(family), 1) if one != next_]
        for n, (start, end) in enumerate(itertools.pairwise([0, *ends, len(scores)])):
            if n % 2 == 0:
                ax.axhspan(start - 0.5, end - 0.5, color="#F4F4F4", lw=0, zorder=0)
            if metric == list(METRICS)[-1]:
                at = (1.02, (start + end - 1) / 2)
                ax.text(
                    *at,
                    display_name(family[start]),
                    transform=ax.get_yaxis_transform(),
                    fontsize=6.5,
                    va="center",
                    color="#555555",
                )
        draw_forest(ax, data, metric, scores)
        ax.axvline(0, color=BLACK, lw=0.6, zorder=1)
        ax.grid(visible=False, axis="y")
        ax.tick_params(axis="y", length=0)
    axes[0][0].set(ylim=(len(scores) - 0.5, -0.5))
    axes[0][0].set_yticks(np.arange(len(scores)), [display_name(score) for score in scores])
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    figure.suptitle(data["of"].iloc[0], fontsize=9)
    return figure


def describe_figure(tables: Tables) -> list[str]:
    """Count the scores that a training lifts, and name those it changes most and least.

    AUROC, mean over all OOD sets, change within a seed.
    """
    rows = tables["detection"]
    first, training = rows["training"].unique()
    means = rows.groupby(["training", "score", "seed"], sort=False)["auroc"].mean()
    change = (means[training] - means[first]).dropna()
    mean = change.groupby("score", sort=False).mean()
    if mean.empty:
        return []
    most, least = (
        f"{score} ({format_over_seeds(change[score])} points)"
        for score in (mean.idxmax(), mean.idxmin())
    )
    return [
        f"{training} minus {first}, AUROC over all sets: "
        f"higher with {(mean > 0).sum()} of {len(mean)} scores, "
        f"most with {most}, least with {least}."
    ]
