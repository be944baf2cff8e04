"""Anomalies made from a data set's own images: some of its statistics, its content broken.

The operations are those that the Outlier Exposure paper's code validates on; images are floats in
[0, 1].
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np

from oecal.core.errors import OecalError
from oecal.core.seeds import make_generator
from oecal.data.preprocess import resize
from oecal.data.store import ImageSet, ImageSplit


@dataclass(frozen=True)
class Options:
    """One alteration of each image of a split of another data set."""

    how: Literal[
        "inverted",
        "jigsaw",
        "speckle",
        "arithmetic_mean",
        "geometric_mean",
        "two_classes",
        "pixelate",
        "rgb_ghost",
    ]
    """inverted: 1 - x for grey, [R, 1 - G, 1 - B] for RGB; jigsaw: the tiles of a 4x4 grid
    permuted; speckle: x + x n, n ~ N(0, 1), clipped; arithmetic_mean: (x + x') / 2 and
    geometric_mean: sqrt(x x') with another image x'; two_classes: (x + x') / 2 with an image x' of
    another class; pixelate: to a fifth of the size and back, box filter; rgb_ghost: [G mirrored, B,
    R], RGB only"""
    of: str
    """the data set whose images are altered"""
    split: Literal["test", "train"] = "test"
    """which of them: test images for an OOD test set, training images for auxiliary outliers"""
    n: int = 0
    """number of images, the first ones; 0: all"""
    seed: int = 0
    """of permutations, pairs and noise"""

    def __post_init__(self) -> None:
        if self.n < 0:
            raise ValueError(f"n is {self.n}; expected 0 or more")


def inverted(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return 1 - x; of RGB only green and blue, [R, 1 - G, 1 - B]. `rng` is not used."""
    return 1 - x if x.shape[1] == 1 else np.concatenate([x[:, :1], 1 - x[:, 1:]], axis=1)


def jigsaw(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Permute the 16 tiles of a 4x4 grid at random in each image.

    What a side has beyond a multiple of 4, at the right and lower edge, stays where it is.
    """
    n, c, height, width = x.shape
    th, tw = height // 4, width // 4
    out = x.copy()
    tiles = (
        x[:, :, : 4 * th, : 4 * tw]
        .reshape(n, c, 4, th, 4, tw)
        .transpose(0, 2, 4, 1, 3, 5)
        .reshape(n, 16, c, th, tw)
    )
    order = rng.permuted(np.tile(np.arange(16), (n, 1)), axis=1)
    moved = np.take_along_axis(tiles, order[:, :, None, None, None], axis=1).reshape(
        n, 4, 4, c, th, tw
    )
    out[:, :, : 4 * th, : 4 * tw] = moved.transpose(0, 3, 1, 4, 2, 5).reshape(n, c, 4 * th, 4 * tw)
    return out


def speckle(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return x + x n, n ~ N(0, 1) for each value (not clipped): black stays black."""
    return x + x * rng.normal(size=x.shape)


def draw_partners(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return another image for each: the next one in a random cycle through all."""
    order = rng.permutation(len(x))
    partner = np.empty_like(order)
    partner[order] = np.roll(order, -1)
    return x[partner]


def arithmetic_mean(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return (x + x') / 2, x' another image of x, drawn by `draw_partners`."""
    means: np.ndarray = (x + draw_partners(x, rng)) / 2
    return means


def geometric_mean(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return sqrt(x x'), x' from `draw_partners`: bright only where both images are."""
    means: np.ndarray = np.sqrt(x * draw_partners(x, rng))
    return means


def draw_other_class(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw for each image the index of one of another class.

    Raise OecalError if all images are of one class.
    """
    if len(np.unique(labels)) < 2:
        raise OecalError(
            "how: two_classes needs a data set with at least two classes; choose another alteration"
        )
    return np.array([rng.choice(np.flatnonzero(labels != label)) for label in labels])


def pixelate(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Resize to a fifth of height and width and back, each by a box filter, in 8-bit levels.

    `rng` is not used.
    """
    height, width = x.shape[2:]
    levels = np.rint(255 * x).astype(np.uint8)
    small = resize(levels, max(height // 5, 1), max(width // 5, 1), "box")
    return resize(small, height, width, "box") / 255


def rgb_ghost(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the channels as [G mirrored, B, R].

    `rng` is not used. Raise OecalError for grey images.
    """
    if x.shape[1] != 3:
        raise OecalError(
            "how: rgb_ghost needs RGB images; choose another alteration for a grey data set"
        )
    return np.stack([x[:, 1, :, ::-1], x[:, 2], x[:, 0]], axis=1)


HOW = {
    f.__name__: f
    for f in (inverted, jigsaw, speckle, arithmetic_mean, geometric_mean, pixelate, rgb_ghost)
}


def build(options: Options, of: ImageSplit) -> ImageSet:
    """Return unlabelled images (n, C, H, W), made from the first images of the split `of`.

    They are rounded and clipped to 8 bits.
    """
    part = () if options.split == "test" else (options.split,)
    originals = of.images[: options.n or None]
    rng = make_generator("altered", options.how, options.seed, *part)
    if options.how == "two_classes":
        others = of.images[draw_other_class(of.labels, rng)[: len(originals)]]
        values = (originals / 255 + others / 255) / 2
    else:
        values = HOW[options.how](originals / 255, rng)
    images = np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)
    digest = hashlib.sha256(originals.tobytes()).hexdigest()
    return ImageSet(
        {options.split: ImageSplit.unlabelled(images)},
        source=f"{options.how} {options.split} images of {options.of}",
        licence=f"as {options.of}",
        sha256=digest,
    )
