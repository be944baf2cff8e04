"""Bits per dimension of constant images by grey level, and of images that lose their contrast.

Nalisnick et al. (ICLR 2019, arXiv 1810.09136, section 5): to second order about a common mean, data
of less variance are more likely, whatever they show. The extreme is an image without any.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator

from oecal.core import hdf5_files
from oecal.figures.style import BLACK, CYCLE, LINES, display_name, make_panels
from oecal.metrics.likelihood_metrics import bits_per_dimension
from oecal.runs.run_files import read_run

SECTION = "likelihood"
TITLE = "constant inputs"
FOR = ("density",)
CAPTION = (
    "Left: bits per dimension of constant images by grey level. Right: of 50 in-distribution "
    "test images whose contrast is taken away, each about its own mean level. Line: mean, band: "
    "range over seeds; dotted: the mean of all in-distribution test images under the first "
    "training. What lies below the dotted line in the first training's curve is more likely than "
    "the data: to second order, less variance is enough (Nalisnick et al., ICLR 2019)."
)
FLOOR = 1 / 256  # bits/dim: the axis is logarithmic


def collect_data(outputs: Sequence[str]) -> pd.DataFrame:
    """Return one row per point: training, seed, probe (constant, contrast, id), at, bpd.

    at: the grey level; the contrast; nan for id. Contrast: images mean + at (x - mean), each about
    its own mean level; bpd is their mean. id: the mean of the ID test images.
    """
    parts = []
    for path in outputs:
        run = read_run(path, "log_likelihood")
        with hdf5_files.reading(path) as file:
            constant, contrast = (
                file["probe/constant/log_likelihood"][:],
                file["probe/contrast/log_likelihood"][:],
            )
            factor = file["probe/contrast/factor"][:]
        points = {
            "constant": (np.arange(len(constant)), constant),
            "contrast": (factor, contrast.mean(axis=0)),
            "id": ([np.nan], run.find("id")["log_likelihood"].mean(keepdims=True)),
        }
        for probe, (at, values) in points.items():
            columns = {
                "training": run.key["training"],
                "seed": run.key["seed"],
                "probe": probe,
                "at": at,
            }
            parts.append(pd.DataFrame({**columns, "bpd": bits_per_dimension(values, run.dims)}))
    return pd.concat(parts, ignore_index=True)


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw bits per dimension, mean and range over seeds, by grey level and by kept contrast.

    Dotted: ID test images under the first training.
    """
    trainings = list(data["training"].unique())
    inside = data[(data["probe"] == "id") & (data["training"] == trainings[0])]["bpd"].mean()
    figure, axes = make_panels(1, 2, 3.1, sharey=True)
    for ax, probe in zip(axes[0], ("constant", "contrast"), strict=True):
        for n, training in enumerate(trainings):
            part = data[(data["probe"] == probe) & (data["training"] == training)].assign(
                bpd=lambda d: d["bpd"].clip(FLOOR)
            )
            curves = part.pivot(index="at", columns="seed", values="bpd")
            colour, dashes = CYCLE[n % len(CYCLE)], LINES[n % len(LINES)]
            ax.fill_between(
                curves.index, curves.min(axis=1), curves.max(axis=1), color=colour, alpha=0.2, lw=0
            )
            ax.plot(curves.mean(axis=1), color=colour, ls=dashes, label=display_name(training))
        ax.axhline(
            inside,
            color=BLACK,
            lw=0.8,
            ls=":",
            label=f"ID test images, {display_name(trainings[0])}: {inside:.2f}",
        )
        ax.grid(visible=True, which="both")
    axes[0][0].set(
        xlabel="grey level of a constant image", xlim=(0, 255), xticks=[0, 64, 128, 192, 255]
    )
    axes[0][0].set_yscale("log", base=2)
    axes[0][0].yaxis.set_major_locator(LogLocator(base=2))
    axes[0][0].yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes[0][0].set_ylabel("bits per dimension  (lower: more likely)")
    axes[0][1].set(xlabel="contrast kept of ID test images", xlim=(1, 0))
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=len(labels) if len(labels) < 6 else 4
    )
    return figure
