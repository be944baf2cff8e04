"""Histograms of the log-likelihood of ID train, ID test and OOD images.

Each training beside the others. The figure of Nalisnick et al., "Do Deep Generative Models Know
What They Don't Know?", ICLR 2019: OOD images to the right of the in-distribution ones are MORE
likely under a model that never saw their kind.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from oecal.core.roles import OOD
from oecal.figures.sentences import Tables, describe_inverted_sets
from oecal.figures.style import (
    BLACK,
    BLUE,
    BOX,
    CYCLE,
    LINES,
    SKY,
    display_name,
    make_wrapped_panels,
)
from oecal.metrics.likelihood_metrics import bits_per_dimension
from oecal.runs.run_files import read_run

SECTION = "likelihood"
TITLE = "likelihood histograms"
FOR = ("density",)
FIRST_SEED = True
CAPTION = (
    "Log-likelihood per dimension of in-distribution training and test images (filled) and of "
    "OOD test images (outlines), first seed. An OOD set to the right of the in-distribution test "
    "images (dotted line: their mean) is more likely under the model than the data that it was "
    "trained on: the likelihood paradox of Nalisnick et al. (ICLR 2019). Of sets that lie "
    "outside the range to the left, the share is given; peaks of synthetic sets may be cut off "
    "at the top."
)
TOLD = 0.01  # the share of a set outside the range from which on it is written


def collect_data(outputs: Sequence[str]) -> pd.DataFrame:
    """Return one row per image: training, set, role, bits = log2 p(x) / D.

    role: train, test, near, far, synthetic.
    """
    parts = []
    for path in outputs:
        run = read_run(path, "log_likelihood")
        for group in [run.find("id", "train"), run.find("id"), *run.tests(*OOD)]:
            role = group.split if group.role == "id" else group.role
            bits = -bits_per_dimension(group["log_likelihood"], run.dims)
            parts.append(
                pd.DataFrame(
                    {"training": run.key["training"], "set": group.set, "role": role, "bits": bits}
                )
            )
    return pd.concat(parts, ignore_index=True)


def find_range(data: pd.DataFrame) -> tuple[float, float]:
    """Return the range shown: all of the first training and half as much again to the left.

    Outliers may be driven far beyond that.
    """
    first = data[data["training"] == data["training"].iloc[0]]["bits"]
    low, high = np.floor(first.quantile(0.001)), np.ceil(data["bits"].max())
    return float(
        max(np.floor(low - (high - low) / 2), np.floor(data["bits"].quantile(0.001)))
    ), float(high)


def compute_weights(bits: pd.Series, bins: Sequence[float]) -> np.ndarray:
    """Return weights that make a histogram a density of ALL images, those outside the bins too."""
    return np.full(len(bits), 1 / (len(bits) * (bins[1] - bins[0])))


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw a panel per training on one axis of bits per dimension.

    A set that lies further left is named with its place instead.
    """
    trainings = list(data["training"].unique())
    low, high = find_range(data)
    bins = np.linspace(low, high, int((high - low) * 8) + 1).tolist()
    figure, axes = make_wrapped_panels(len(trainings), 3, 1.0, 2.4, sharex=True, sharey=True)
    others = data[~data["role"].isin(["train", "test"])]
    sets = others.drop_duplicates("set")
    colours = [c for c in CYCLE if c not in (BLUE, SKY)]
    for ax, training in zip(axes, trainings, strict=True):
        own = data[data["training"] == training]
        beyond = []
        inside = own[own["role"] == "test"]["set"].iloc[0]
        for role, colour in (("train", SKY), ("test", BLUE)):
            bits = own[own["role"] == role]["bits"]
            ax.hist(
                bits,
                bins,
                weights=compute_weights(bits, bins),
                color=colour,
                alpha=0.55,
                label=f"{display_name(inside)}, {role} (in-distribution)",
            )
        for n, (key, role) in enumerate(zip(sets["set"], sets["role"], strict=True)):
            bits = own[(own["set"] == key) & (own["role"] == role)]["bits"]
            thin = 1.5 if role != "synthetic" else 0.8
            ax.hist(
                bits,
                bins,
                weights=compute_weights(bits, bins),
                histtype="step",
                lw=thin,
                ls=LINES[n % len(LINES)],
                color=colours[n % len(colours)],
                label=f"{display_name(key)} ({role})",
            )
            if (share := (bits < low).mean()) >= TOLD:
                beyond.append(f"{display_name(key)} {100 * share:.0f}%")
        if beyond:
            ax.text(
                0.02,
                0.98,
                "\n".join(["further left:", *beyond]),
                transform=ax.transAxes,
                fontsize=6,
                va="top",
                bbox=BOX,
            )
        ax.axvline(own[own["role"] == "test"]["bits"].mean(), color=BLACK, lw=0.6, ls=":")
        ax.set_title(display_name(training))
    real = data[data["role"] != "synthetic"].groupby(["training", "set", "role"])["bits"]
    highest = real.agg(
        lambda bits: np.histogram(bits, bins, weights=compute_weights(bits, bins))[0].max()
    ).max()
    axes[0].set(
        xlim=(low, high), ylim=(0, 1.05 * highest)
    )  # of real images: the needles of the synthetic ones would flatten all others
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside upper center", ncols=3 if max(map(len, labels)) > 28 else 4
    )
    figure.supxlabel("log-likelihood, bits per dimension  (right: more likely)", fontsize=8)
    figure.supylabel("density", fontsize=8)
    return figure


def describe_figure(tables: Tables) -> list[str]:
    """Name the sets that look more normal than the data."""
    return describe_inverted_sets(tables, "log_likelihood")
