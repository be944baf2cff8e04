"""Mean AUROC over seeds for each score and OOD set: a panel per training, and what each training gains over the first."""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from oecal.figures.style import name, panels

FOR = ("classifier",)


def frame(detection: str, in_dist: str, model: str) -> pd.DataFrame:
    """The rows of detection.csv of one in-distribution set and model, averaged over seeds: training, ood, kind, score, auroc."""
    table = pd.read_csv(detection)
    table = table[(table["in_dist"] == in_dist) & (table["model"] == model)]
    return table.groupby(["training", "ood", "kind", "score"], sort=False)["auroc"].mean().reset_index()


def draw(data: pd.DataFrame) -> Figure:
    trainings = list(data["training"].unique())
    scores, sets = list(data["score"].unique()), list(data["ood"].unique())
    tables = {t: 100 * data[data["training"] == t].pivot(index="score", columns="ood", values="auroc").loc[scores, sets] for t in trainings}
    shown = [(name(t), tables[t], "cividis", 0.0, 100.0) for t in trainings]
    for t in trainings[1:]:
        gain = tables[t] - tables[trainings[0]]
        limit = max(float(np.abs(gain.to_numpy()).max()), 1.0)
        shown.append((f"{name(t)} minus {name(trainings[0])}", gain, "PuOr_r", -limit, limit))
    figure, axes = panels(len(shown), 1, 0.9 + (0.42 + 0.2 * len(scores)) * len(shown), sharex=True)
    for (ax,), (title, table, colours, low, high) in zip(axes, shown, strict=True):
        sign = "+" if "minus" in title else ""
        sns.heatmap(table, ax=ax, cmap=colours, vmin=low, vmax=high, annot=True, fmt=f"{sign}.1f", annot_kws={"size": 6.5}, cbar=False)
        ax.set_title(title if "minus" in title else f"{title}: AUROC, %", loc="left")
        ax.set(xlabel="", ylabel="")
        ax.set_yticklabels([name(s) for s in scores], rotation=0)
        ax.tick_params(length=0)
    kinds = data.drop_duplicates("ood").set_index("ood")["kind"]
    axes[-1][0].set_xticklabels([f"{name(s)}\n({kinds[s]})" for s in sets], rotation=40, ha="right", rotation_mode="anchor")
    return figure
