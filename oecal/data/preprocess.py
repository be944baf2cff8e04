"""The one function that every evaluated image passes: to the size and channels of the in-distribution set.

Resizing alone can be detected, so the interpolation is part of the configuration and one function serves all sets.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

INTERPOLATIONS = {name: Image.Resampling[name.upper()] for name in ("nearest", "box", "bilinear", "bicubic")}
LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, as in Pillow and torchvision


def to_grey(images: np.ndarray) -> np.ndarray:
    """RGB (N, 3, H, W) to luma (N, 1, H, W), uint8."""
    return np.rint(np.einsum("c,nchw->nhw", LUMA, images, optimize=True)).astype(np.uint8)[:, None]


def resize(images: np.ndarray, height: int, width: int, interpolation: str = "bilinear") -> np.ndarray:
    """Each image to height x width; enlarges and shrinks with Pillow's filters, which are antialiased ones."""
    if images.shape[2:] == (height, width):
        return images
    resample = INTERPOLATIONS[interpolation]
    planes = images.reshape(-1, *images.shape[2:])
    small = [np.asarray(Image.fromarray(plane).resize((width, height), resample)) for plane in planes]
    return np.stack(small).reshape(*images.shape[:2], height, width) if small else np.empty((0, images.shape[1], height, width), np.uint8)


def adapt(images: np.ndarray, shape: tuple[int, int, int], interpolation: str = "bilinear") -> np.ndarray:
    """Images uint8 (N, c, h, w) as uint8 (N, *shape): channels first (luma, or grey repeated), then size."""
    if images.shape[1] != shape[0]:
        images = to_grey(images) if shape[0] == 1 else np.repeat(images[:, :1], shape[0], axis=1)
    return resize(images, shape[1], shape[2], interpolation)
