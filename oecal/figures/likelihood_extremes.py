"""The test images of each set that a density model finds most and least likely.

Each training beside the others.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from oecal.data import store
from oecal.data.preprocess import adapt
from oecal.figures.style import display_name, make_panels
from oecal.metrics.likelihood_metrics import bits_per_dimension
from oecal.runs.run_files import read_run

SECTION = "likelihood"
TITLE = "likelihood extremes"
FOR = ("density",)
FIRST_SEED = True
CAPTION = (
    "The test images of each real set that the density model finds most and least likely, with "
    "the range of their bits per dimension (fewer: more likely), first seed."
)
EACH = 6  # images at either end
BESIDE = 2  # trainings beside each other; further ones below


def collect_data(
    outputs: Sequence[str], data: Sequence[str], interpolation: str, fit: str
) -> pd.DataFrame:
    """Return one row per image: training, set, end (most, least), bpd, image (uint8 C, H, W).

    Real sets only, ID first.
    """
    store_of = {Path(path).stem: path for path in data}
    rows = []
    for path in outputs:
        run = read_run(path, "log_likelihood")
        shape = store.read_split(store_of[run.key["in_dist"]], "test").images.shape[1:]
        for group in run.tests("id", "near", "far"):
            bpd = bits_per_dimension(group["log_likelihood"], run.dims)
            order = np.argsort(bpd, kind="stable")
            images = store.read_split(store_of[group.set], "test").images
            for end, chosen in (("most", order[:EACH]), ("least", order[-EACH:])):
                for at, image in zip(
                    chosen, adapt(images[chosen], shape, interpolation, fit), strict=True
                ):
                    rows.append(
                        {
                            "training": run.key["training"],
                            "set": group.set,
                            "end": end,
                            "bpd": bpd[at],
                            "image": image,
                        }
                    )
    return pd.DataFrame(rows)


def join_images(images: Sequence[np.ndarray]) -> np.ndarray:
    """Join images side by side with a white line between, (H, W', 3)."""
    framed = [
        np.pad(np.broadcast_to(i, (3, *i.shape[1:])), ((0, 0), (1, 1), (1, 1)), constant_values=255)
        for i in images
    ]
    return np.concatenate(framed, axis=2).transpose(1, 2, 0)


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw a row per set, two columns per training: its most and its least likely images.

    With the range of their bits per dimension. More than BESIDE trainings continue below.
    """
    trainings, sets = list(data["training"].unique()), list(data["set"].unique())
    blocks = [trainings[n : n + BESIDE] for n in range(0, len(trainings), BESIDE)]
    figure, axes = make_panels(
        len(blocks) * len(sets), 2 * len(blocks[0]), (0.3 + 0.4 * len(sets)) * len(blocks) + 0.15
    )
    for row, (block, key) in zip(axes, itertools.product(blocks, sets), strict=True):
        columns = [(training, end) for training in block for end in ("most", "least")]
        for ax in row[len(columns) :]:
            ax.set_axis_off()
        for ax, (training, end) in zip(row, columns, strict=False):
            part = data[
                (data["set"] == key) & (data["training"] == training) & (data["end"] == end)
            ]
            ax.imshow(join_images(list(part["image"])), interpolation="nearest")
            ax.set(xticks=[], yticks=[])
            ax.set_xlabel(
                f"{part['bpd'].min():.1f} to {part['bpd'].max():.1f} bits/dim",
                fontsize=6,
                labelpad=1,
            )
            ax.grid(visible=False)
            ax.spines[:].set_visible(False)
            if key == sets[0]:
                ax.set_title(f"{display_name(training)}: {end} likely", fontsize=7.5)
        row[0].set_ylabel(display_name(key), rotation=0, ha="right", va="center")
    return figure
