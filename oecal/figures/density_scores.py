"""AUROC of every score of a density model against every OOD set.

Beside them scores that need no model, and published numbers.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import ascii_lowercase

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from oecal.core.roles import OOD
from oecal.figures.sentences import Tables, describe_best_score
from oecal.figures.style import BLACK, CYCLE, GREY, MARKERS, display_name, make_wrapped_panels
from oecal.scores import catalogue
from oecal.tables.rows import select_model

SECTION = "likelihood"
TITLE = "density scores"
FOR = ("density",)
CAPTION = (
    "AUROC in percent of each score against each OOD set; OOD is the positive class; left of the "
    "line at 50 it looks more normal than the data. Dot: mean, line: range over seeds, a colour "
    "per training; scores are sorted by the first training's mean over all sets. Below the line: "
    "scores that need no model, with a direction fixed beforehand. A model's score that loses to "
    "them has shown nothing. Diamonds: published numbers, of other networks (of the same "
    "architecture where there are any) and settings, in the colour of the training they are for; "
    "the letters name their sources."
)
PUBLISHED = Path(__file__).with_name("published_density.csv")
# Stands for the training in rows of published numbers; no training of a study can have this name
THEIRS = "(published)"
PLAIN = [
    score.name for score in catalogue.list_scores().values() if score.needs <= catalogue.STATISTICS
]
SYNTHETIC = "synthetic (mean)"
COLUMNS = ["training", "seed", "ood", "kind", "score", "auroc", "source", "of"]


def collect_data(
    detection: str,
    in_dist: str,
    model: str,
    trainings: Sequence[str],
    sources: Mapping[str, str],
    published: str | Path = PUBLISHED,
) -> pd.DataFrame:
    """Return one row per training, seed, ood, kind and score: auroc; then published numbers.

    Published numbers have a source, and THEIRS as training. sources: data set of the study ->
    published data set. A published number is shown where both its sets and its score are in the
    figure, and one for another architecture only where there is none for this one (pixelcnn:
    PixelCNN++). `of` is the training that it is for: baseline, oe_tune.
    """
    table = select_model(detection, in_dist, model)
    own = [table[table["training"] == training] for training in trainings]
    there = pd.read_csv(published)
    there = there[(there["in_dist"] == sources.get(in_dist)) & there["score"].isin(table["score"])]
    alike = there["model"].str.lower().str.startswith(model.split("_")[0])
    there = there[
        alike | ~alike.groupby([there["ood"], there["score"]]).transform("any").astype(bool)
    ]
    there = there.assign(source=there["model"] + ": " + there["reference"], of=there["training"])
    sets = table.drop_duplicates("ood")[["ood", "kind"]].values.tolist()
    theirs = [
        there[there["ood"] == sources[ood]].assign(training=THEIRS, ood=ood, kind=kind)
        for ood, kind in sets
        if ood in sources
    ]
    return pd.concat([part for part in [*own, *theirs] if len(part)], ignore_index=True).reindex(
        columns=COLUMNS
    )


def merge_synthetic_sets(data: pd.DataFrame) -> pd.DataFrame:
    """Return the data with the synthetic sets as one, their mean in each run.

    Published numbers for a synthetic set are left out.
    """
    synthetic = data["kind"] == "synthetic"
    of_runs = data[synthetic & (data["training"] != THEIRS)]
    mean = (
        of_runs.groupby(["training", "seed", "score"], sort=False)["auroc"]
        .mean()
        .reset_index()
        .assign(ood=SYNTHETIC, kind="synthetic")
    )
    return pd.concat([data[~synthetic], mean], ignore_index=True) if len(mean) else data[~synthetic]


def sort_scores(own: pd.DataFrame) -> list[str]:
    """Return the scores from top to bottom: first those of the model, then the plain ones.

    Both are sorted by the first training's mean over all sets.
    """
    first = own[own["training"] == own["training"].iloc[0]]
    means = (
        first.groupby("score", sort=False)["auroc"]
        .mean()
        .sort_values(ascending=False, kind="stable")
    )
    return [s for s in means.index if s not in PLAIN] + [s for s in means.index if s in PLAIN]


def draw_dots(ax: Axes, own: pd.DataFrame, scores: list[str], trainings: Sequence[str]) -> None:
    """Draw for each training a dot, the mean over seeds, and a line, their range.

    A score that needs no model has one dot for all trainings.
    """
    model = np.array([s not in PLAIN for s in scores])
    for n, training in enumerate(trainings):
        shift = 0.72 * ((n + 0.5) / len(trainings) - 0.5)
        part = 100 * own[own["training"] == training].groupby("score")["auroc"].agg(
            ["mean", "min", "max"]
        ).reindex(scores)
        y = np.arange(len(scores)) + shift
        colour, marker = CYCLE[n % len(CYCLE)], MARKERS[n % len(MARKERS)]
        ax.hlines(y[model], part["min"][model], part["max"][model], color=colour, lw=0.8)
        ax.plot(
            part["mean"][model],
            y[model],
            marker,
            color=colour,
            ms=3.2,
            mew=0,
            label=display_name(training),
            zorder=3,
        )
    first = 100 * own[own["training"] == trainings[0]].groupby("score")["auroc"].mean().reindex(
        scores
    )
    if not model.all():
        ax.plot(
            first[~model],
            np.flatnonzero(~model),
            "D",
            color=GREY,
            ms=3.2,
            mew=0,
            label="no model",
            zorder=3,
        )


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw a panel per OOD set, a row per score, a marker per training: AUROC, %.

    Diamonds are published numbers, whose sources are listed below.
    """
    shown = merge_synthetic_sets(data)
    own, published = shown[shown["training"] != THEIRS], shown[shown["training"] == THEIRS]
    trainings, scores = list(own["training"].unique()), sort_scores(own)
    sets = sorted(
        own.drop_duplicates("ood")[["ood", "kind"]].values.tolist(),
        key=lambda pair: OOD.index(pair[1]),
    )
    letters = (
        dict(zip(published["source"].unique(), ascii_lowercase, strict=False))
        if len(published)
        else {}
    )
    height = (0.09 + 0.022 * max(len(trainings), 2)) * len(scores)
    figure, axes = make_wrapped_panels(
        len(sets), 6, 0.7 + 0.12 * len(letters), 0.3 + height, sharex=True, sharey=True
    )
    plain = sum(score in PLAIN for score in scores)
    for ax, (ood, kind) in zip(axes, sets, strict=True):
        for n in range(0, len(scores), 2):
            ax.axhspan(n - 0.5, n + 0.5, color="#F4F4F4", lw=0, zorder=0)
        draw_dots(ax, own[own["ood"] == ood], scores, trainings)
        for score, rows in (
            published[published["ood"] == ood]
            .sort_values("auroc", kind="stable")
            .groupby("score", sort=False)
        ):
            # The letters stand right of the last diamond, left of the first, above those between
            # them.
            sides = [(-5.0, 0.0), *[(0.0, 4.5)] * (len(rows) - 2), (5.0, 0.0)][-len(rows) :]
            for side, value, source, of in zip(
                sides, 100 * rows["auroc"], rows["source"], rows["of"], strict=True
            ):
                edge = CYCLE[trainings.index(of) % len(CYCLE)] if of in trainings else GREY
                at = (value, scores.index(str(score)))
                ax.plot(*at, "D", mfc="none", mec=edge, ms=4.5, mew=0.8, zorder=4)
                ax.annotate(
                    letters[source],
                    at,
                    side,
                    textcoords="offset points",
                    fontsize=5.5,
                    ha="center",
                    va="center",
                    color=edge,
                )
        ax.axvline(50, color=BLACK, lw=0.6)
        if 0 < plain < len(scores):
            ax.axhline(len(scores) - plain - 0.5, color=BLACK, lw=0.6)
        ax.set_title(
            f"{display_name(ood)}\n({kind})" if ood != SYNTHETIC else "synthetic\n(mean of sets)",
            fontsize=7.5,
        )
        ax.grid(visible=False, axis="y")
        ax.tick_params(axis="y", length=0)
    axes[0].set(xlim=(-4, 104), xticks=[0, 50, 100], ylim=(len(scores) - 0.5, -0.5))
    axes[0].set_yticks(range(len(scores)), [display_name(score) for score in scores])
    handles, labels = axes[0].get_legend_handles_labels()
    if letters:
        handles, labels = (
            [*handles, axes[0].plot([], [], "D", mfc="none", mec=BLACK, ms=4.5, mew=0.8)[0]],
            [*labels, "published"],
        )
    figure.legend(handles, labels, loc="outside upper center", ncols=min(len(labels), 6))
    notes = [
        textwrap.fill(f"{letter}  {source}", 150, subsequent_indent="    ")
        for source, letter in letters.items()
    ]
    figure.supxlabel("\n".join(["AUROC, %", *notes]), fontsize=6 if notes else 8, ha="center")
    return figure


def describe_figure(tables: Tables) -> list[str]:
    """Name the best score, and the hardest set for the first one."""
    return describe_best_score(tables)
