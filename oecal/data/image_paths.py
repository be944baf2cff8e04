"""Paths from an in-distribution image to one that is not: does confidence fall along the way?

Each image gives STEPS images at equal distances t = 0 ... 1, one after the other. A path leads to
an image of another set, pixel by pixel, (1 - t) x + t x'; or it fades the image itself: `blur` by a
Gaussian of up to a quarter of the image's width, `contrast` to the image's own mean.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

STEPS = 11
T = np.linspace(0, 1, STEPS)
# Paths that lead to no other set; a literal, because the configuration is checked against it
# without importing this file.
FADES = ("blur", "contrast")


def flatten_steps(values: np.ndarray) -> np.ndarray:
    """Return values (N, STEPS, C, H, W) in [0, 255] as uint8 (N * STEPS, C, H, W)."""
    rounded: np.ndarray = (
        np.rint(np.clip(values, 0, 255)).astype(np.uint8).reshape(-1, *values.shape[2:])
    )
    return rounded


def blend_towards(images: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return paths from images to ends, uint8 (N, C, H, W), as uint8 (N * STEPS, C, H, W)."""
    t = T[:, None, None, None]
    return flatten_steps((1 - t) * images[:, None] + t * ends[:, None].astype(float))


def contrast(images: np.ndarray) -> np.ndarray:
    """Return the path (1 - t) x + t m, m the mean of each image and channel.

    uint8 (N, C, H, W) to (N * STEPS, C, H, W).
    """
    means = np.broadcast_to(images.mean(axis=(2, 3), keepdims=True), images.shape)
    t = T[:, None, None, None]
    return flatten_steps((1 - t) * images[:, None] + t * means[:, None])


def blur(images: np.ndarray) -> np.ndarray:
    """Return the path of blurring by a Gaussian of t W / 4 pixels, W the images' width.

    uint8 (N, C, H, W) to (N * STEPS, C, H, W).
    """
    values, width = images.astype(float), images.shape[-1]
    return flatten_steps(
        np.stack(
            [
                gaussian_filter(values, (0, 0, s, s), mode="nearest") if s else values
                for s in T * width / 4
            ],
            axis=1,
        )
    )


FADING = {"blur": blur, "contrast": contrast}
