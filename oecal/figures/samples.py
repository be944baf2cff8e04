"""Images drawn from a density model, before and after Outlier Exposure.

Has it learnt what its data look like?
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from oecal.core import hdf5_files
from oecal.figures.style import WIDTH, display_name, plt
from oecal.runs.run_files import read_run

SECTION = "likelihood"
TITLE = "samples"
FOR = ("density",)
FIRST_SEED = True
CAPTION = "Images drawn from each density model, first seed, the first 16 without selection."
ACROSS = 4  # images in a row and in a column of a block
BLOCKS = 3  # blocks beside each other
GAP = 2  # pixels of white between two images


def collect_data(outputs: Sequence[str]) -> pd.DataFrame:
    """Return one row per image: training, image (uint8 C, H, W); the first 16 a training."""
    rows = []
    for path in outputs:
        training = read_run(path, "").key["training"]
        with hdf5_files.reading(path) as file:
            images = file["samples/images"][: ACROSS**2]
        rows += [{"training": training, "image": image} for image in images]
    return pd.DataFrame(rows)


def tile_images(images: Sequence[np.ndarray]) -> np.ndarray:
    """Tile images row by row with white between, (H', W', 3)."""
    height, width = images[0].shape[1:]
    rows = -(-len(images) // ACROSS)
    whole = np.full((rows * (height + GAP) - GAP, ACROSS * (width + GAP) - GAP, 3), 255, np.uint8)
    for n, image in enumerate(images):
        top, left = n // ACROSS * (height + GAP), n % ACROSS * (width + GAP)
        whole[top : top + height, left : left + width] = np.broadcast_to(
            image, (3, height, width)
        ).transpose(1, 2, 0)
    return whole


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw a block of images per training, each pixel a whole number of dots of the PNG."""
    blocks = {
        training: tile_images(list(part["image"]))
        for training, part in data.groupby("training", sort=False)
    }
    high, wide = next(iter(blocks.values())).shape[:2]
    # Whole numbers of dots for a pixel, so that all pixels of the PNG are alike; the PDF holds the
    # pixels themselves.
    cell = WIDTH / BLOCKS
    dots = plt.rcParams["savefig.dpi"]
    zoom = 0.94 * cell / wide
    zoom = int(zoom * dots) / dots or zoom  # images larger than that many dots are shrunk
    rows = -(-len(blocks) // BLOCKS)
    step = high * zoom + 0.35  # inches
    figure = plt.figure(figsize=(WIDTH, rows * step), layout="none")
    for n, (training, pixels) in enumerate(blocks.items()):
        left = round((n % BLOCKS + 0.03) * cell * dots) / dots
        bottom = round(((rows - 1 - n // BLOCKS) * step + 0.05) * dots) / dots
        size = (
            left / WIDTH,
            bottom / (rows * step),
            wide * zoom / WIDTH,
            high * zoom / (rows * step),
        )
        ax = figure.add_axes(size)
        ax.imshow(pixels, interpolation="nearest", aspect="auto")
        ax.set(xticks=[], yticks=[])
        ax.set_title(display_name(str(training)))
        ax.grid(visible=False)
        ax.spines[:].set_visible(False)
    return figure
