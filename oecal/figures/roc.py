"""ROC curves of one score for each OOD set, averaged over seeds, a panel per training.

OOD is the positive class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from oecal.core.roles import OOD
from oecal.figures.sentences import Tables, describe_inverted_sets
from oecal.figures.style import BLACK, LINES, ROLES, WIDTH, display_name, make_wrapped_panels
from oecal.metrics.detection_metrics import detection_metrics, roc_curve
from oecal.runs.run_files import read_run

SECTION = "detection"
TITLE = "ROC"
FOR = ("classifier", "density")
MOST = 6  # trainings that fit on a page
CAPTION = (
    "ROC curves of one score against each OOD set, averaged over seeds; OOD is the positive "
    "class. Red: near, orange: far, purple: synthetic OOD. A curve below the diagonal is worse "
    "than chance: the OOD set looks more normal than the in-distribution test set. At most the "
    "first six trainings."
)
GRID = np.linspace(0, 1, 201)


def collect_data(scores: Sequence[str], score: str) -> pd.DataFrame:
    """Return one row per run, set and point: fpr (the grid), tpr, auroc.

    Further columns: training, seed, set, role, score.
    """
    parts = []
    for path in scores:
        run = read_run(path, score)
        inside = run.find("id")[score]
        for group in run.tests(*OOD):
            fpr, tpr = roc_curve(inside, group[score])
            last = (
                np.searchsorted(fpr, GRID, side="right") - 1
            )  # the curve is a step function: the highest point at or left of x
            auroc = detection_metrics(inside, group[score])["auroc"]
            columns = {
                "training": run.key["training"],
                "seed": run.key["seed"],
                "set": group.set,
                "role": group.role,
                "score": score,
            }
            parts.append(pd.DataFrame({**columns, "fpr": GRID, "tpr": tpr[last], "auroc": auroc}))
    return pd.concat(parts, ignore_index=True)


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw a panel per training, a curve per OOD set with its AUROC in the legend.

    Share of OOD against share of ID images flagged, in percent.
    """
    trainings = list(data["training"].unique())
    sets = data.drop_duplicates("set")[["set", "role"]].values.tolist()
    roles = Counter(role for _, role in sets)
    # Square panels, in inches; the layout engine gives long legends too little room. Up to three
    # stand in a row with their legends below, more in two columns with their legends beside them.
    if beside := len(trainings) > 3:
        side, step, columns = 1.55, 2.35, 2
        figure, axes = make_wrapped_panels(len(trainings), columns, 0.1, step, layout="none")
        height = figure.get_size_inches()[1]
        figure.subplots_adjust(
            left=0.07,
            right=0.755,
            top=1 - 0.3 / height,
            bottom=0.5 / height,
            wspace=1.1,
            hspace=(step - side) / side,
        )
    else:
        side, legend, columns = (
            min(2.3, 0.82 * WIDTH / len(trainings)),
            0.152 * (len(sets) + 1.5),
            len(trainings),
        )
        height = 0.3 + side + 0.5 + legend
        figure, axes = make_wrapped_panels(
            len(trainings), columns, height, 0, sharey=True, layout="none"
        )
        figure.subplots_adjust(
            left=0.08, right=0.98, top=1 - 0.3 / height, bottom=(0.5 + legend) / height
        )
    for n, (ax, training) in enumerate(zip(axes, trainings, strict=True)):
        of_role: dict[str, int] = {}
        for position, (key, role) in enumerate(sets):
            part = data[(data["training"] == training) & (data["set"] == key)]
            curve = part.groupby("fpr")["tpr"].mean()
            auroc = 100 * part.groupby("seed")["auroc"].first().mean()
            ls = LINES[position % len(LINES)]
            of_role[role] = of_role.get(role, 0) + 1
            shade = 0.55 + 0.45 * (1 - (of_role[role] - 1) / roles[role])
            ax.plot(
                100 * curve.index,
                100 * curve,
                color=ROLES[role],
                alpha=shade,
                ls=ls,
                lw=1.1,
                label=f"{auroc:.1f}  {display_name(key)}",
            )
        ax.plot([0, 100], [0, 100], color=BLACK, lw=0.5, ls=":")
        ax.set(
            title=f"{display_name(training)}, {display_name(data['score'].iloc[0])}",
            xlabel="ID images flagged, %",
            xlim=(0, 100),
            ylim=(0, 101),
        )
        ax.set_box_aspect(1)
        at = (1.04, 1) if beside else (0, -0.45 / side)
        size = (
            {"fontsize": 6, "title_fontsize": 6, "handlelength": 1.6, "handletextpad": 0.5}
            if beside
            else {}
        )
        ax.legend(title="AUROC, %", loc="upper left", bbox_to_anchor=at, borderaxespad=0, **size)
        if n % columns == 0:
            ax.set_ylabel("OOD images flagged, %")
    return figure


def describe_figure(tables: Tables) -> list[str]:
    """Name the sets that look more normal than the data."""
    return describe_inverted_sets(tables)
