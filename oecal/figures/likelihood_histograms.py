"""Histograms of the log-likelihood of ID train, ID test and OOD images, each training beside the others.

The figure of Nalisnick et al., "Do Deep Generative Models Know What They Don't Know?", ICLR 2019: OOD images to the right of the
in-distribution ones are MORE likely under a model that never saw their kind.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from oecal.figures.style import BLACK, BLUE, CYCLE, LINES, SKY, name, panels
from oecal.metrics.likelihood import bits_per_dimension
from oecal.results import OOD, read

FOR = ("density",)


def frame(outputs: Sequence[str]) -> pd.DataFrame:
    """One row an image: training, set, role (train, test, near, far, synthetic), bits = log2 p(x) / D."""
    parts = []
    for path in outputs:
        run = read(path, "log_likelihood")
        for group in [run.find("id", "train"), run.find("id"), *run.tests(*OOD)]:
            role = group.split if group.role == "id" else group.role
            bits = -bits_per_dimension(group["log_likelihood"], run.dims)
            parts.append(pd.DataFrame({"training": run.key["training"], "set": group.set, "role": role, "bits": bits}))
    return pd.concat(parts, ignore_index=True)


def draw(data: pd.DataFrame) -> Figure:
    trainings = list(data["training"].unique())
    low, high = np.floor(data["bits"].quantile(0.001)), np.ceil(data["bits"].max())
    bins = np.linspace(low, high, int((high - low) * 8) + 1).tolist()
    figure, axes = panels(1, len(trainings), 3.4, sharex=True, sharey=True)
    others = data[~data["role"].isin(["train", "test"])]
    sets = others.drop_duplicates("set")
    colours = [c for c in CYCLE if c not in (BLUE, SKY)]
    for ax, training in zip(axes[0], trainings, strict=True):
        own = data[data["training"] == training]
        inside = own[own["role"] == "test"]["set"].iloc[0]
        for role, colour in (("train", SKY), ("test", BLUE)):
            bits = own[own["role"] == role]["bits"]
            ax.hist(bits, bins, density=True, color=colour, alpha=0.55, label=f"{name(inside)}, {role} (in-distribution)")
        for n, (key, role) in enumerate(zip(sets["set"], sets["role"], strict=True)):
            bits = own[(own["set"] == key) & (own["role"] == role)]["bits"]
            thin = 1.5 if role != "synthetic" else 0.8
            ax.hist(bits, bins, density=True, histtype="step", lw=thin, ls=LINES[n // len(colours)] if role != "synthetic" else "--",
                    color=colours[n % len(colours)], label=f"{name(key)} ({role})")  # fmt: skip
        ax.axvline(own[own["role"] == "test"]["bits"].mean(), color=BLACK, lw=0.6, ls=":")
        ax.set(title=name(training), xlabel="log-likelihood, bits per dimension  (right: more likely)")
    axes[0][0].set_ylabel("density")
    real = data[data["role"] != "synthetic"].groupby(["training", "set", "role"])["bits"]
    highest = real.agg(lambda bits: np.histogram(bits, bins, density=True)[0].max()).max()
    axes[0][0].set_ylim(0, 1.05 * highest)  # of real images: the needles of the synthetic ones would flatten all others
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure
