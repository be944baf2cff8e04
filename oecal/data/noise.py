"""Synthetic anomalies of any shape, floats in [0, 1].

Parameters are those of the Outlier Exposure paper's code where it has the anomaly.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np

from oecal.core.seeds import make_generator
from oecal.data.store import ImageSet, ImageSplit


@dataclass(frozen=True)
class Options:
    """Noise images in the shape of another data set."""

    kind: Literal["gaussian", "uniform", "bernoulli", "blobs", "constant"]
    """gaussian: N(0.5, 0.5) clipped; uniform: U(0, 1); bernoulli: 0 or 1, each pixel by itself (in
    [-1, 1] this is Rademacher noise); blobs: Bernoulli(0.7) blurred with sigma 1.5, values below
    0.75 set to 0; constant: one random level per channel"""
    of: str
    """the data set whose shape and number of test images are taken"""
    n: int = 0
    """number of images; 0: as many as the other set has for testing"""
    split: Literal["test", "train"] = "test"
    """test: to be told apart; train: to be auxiliary outliers; never the same images"""
    seed: int = 0
    """of the noise"""

    def __post_init__(self) -> None:
        if self.n < 0:
            raise ValueError(f"n is {self.n}; expected 0 or more")


def gaussian(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Draw each value from N(0.5, 0.5^2), not clipped yet."""
    return rng.normal(0.5, 0.5, shape)


def uniform(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Draw each value from U(0, 1)."""
    return rng.random(shape)


def bernoulli(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Draw each value from 0 and 1 with equal probability."""
    return rng.integers(2, size=shape).astype(float)


def blobs(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Draw shapes with soft edges on black, (N, C, H, W).

    70% ones, blurred by a Gaussian of 1.5 pixels; all below 0.75 set to 0.
    """
    from scipy.ndimage import gaussian_filter

    # Blurred over height and width only; the paper's code also blurred across the colour channels,
    # which was not meant.
    blurred: np.ndarray = gaussian_filter(
        (rng.random(shape) < 0.7).astype(float), sigma=(0, 0, 1.5, 1.5), truncate=4
    )
    blurred[blurred < 0.75] = 0
    return blurred


def constant(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Draw one level of U(0, 1) for each image and channel; a read-only view of `shape`."""
    return np.broadcast_to(rng.random((*shape[:2], 1, 1)), shape)


KINDS = {
    "gaussian": gaussian,
    "uniform": uniform,
    "bernoulli": bernoulli,
    "blobs": blobs,
    "constant": constant,
}


def build(options: Options, of: ImageSplit) -> ImageSet:
    """Return unlabelled images of the shape of those in `of`, rounded and clipped to 8 bits.

    There are as many as in `of` unless the option `n` says otherwise.
    """
    shape = (options.n or len(of.images), *of.images.shape[1:])
    part = () if options.split == "test" else (options.split,)
    values = KINDS[options.kind](shape, make_generator("noise", options.kind, options.seed, *part))
    images = np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)
    digest = hashlib.sha256(images.tobytes()).hexdigest()
    return ImageSet(
        {options.split: ImageSplit.unlabelled(images)},
        source=f"generated: {options.kind}",
        licence="none needed",
        sha256=digest,
    )
