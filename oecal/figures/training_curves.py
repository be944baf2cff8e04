"""Loss and validation metrics by epoch, a line per training, a thin line per seed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from oecal.figures.style import display_name, make_panels, style_curve

SECTION = "cost"
TITLE = "training curves"
FOR = ("classifier", "density")
CAPTION = (
    "Losses and validation metrics by epoch; bold: mean over seeds, thin: each seed. Losses of a "
    "density model are in nats per dimension."
)
TITLES = {
    "loss": "training loss, nats",
    "loss_in": "of this: ID part",
    "loss_out": "outlier part, unweighted",
    "val_nll": "validation NLL, nats",
    "val_accuracy": "validation accuracy",
    "val_bpd": "validation, bits per dimension",
}


def collect_data(history: Sequence[str]) -> pd.DataFrame:
    """Return the rows of all histories below each other, with training and seed.

    Both are taken from the paths, `{training}/seed{seed}/history.csv`.
    """
    paths = [Path(path) for path in history]
    parts = [
        pd.read_csv(p).assign(training=p.parts[-3], seed=int(p.parts[-2].removeprefix("seed")))
        for p in paths
    ]
    return pd.concat(parts, ignore_index=True)


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw a panel per metric of the histories, by epoch: each seed thin, their mean thick."""
    metrics = [m for m in TITLES if m in data]
    columns = min(len(metrics), 3)
    rows = -(-len(metrics) // columns)
    figure, axes = make_panels(rows, columns, 0.5 + 1.9 * rows)
    flat = [ax for row in axes for ax in row]
    for ax, metric in zip(flat, metrics, strict=False):
        for n, (training, part) in enumerate(data.groupby("training", sort=False)):
            curves = part.pivot(index="epoch", columns="seed", values=metric)
            ax.plot(curves, color=style_curve(n)["color"], lw=0.5, alpha=0.5)
            marker = "o" if len(curves) == 1 else None
            ax.plot(
                curves.mean(axis=1),
                **style_curve(n),
                marker=marker,
                ms=4,
                label=display_name(str(training)),
            )
        ax.set(title=TITLES[metric], xlabel="epoch")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    for ax in flat[len(metrics) :]:
        ax.set_axis_off()
    handles, labels = flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 6))
    return figure
