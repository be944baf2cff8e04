"""The one function that every evaluated image passes, to the format of the in-distribution set.

Resizing alone can be detected, so the interpolation is part of the configuration and one function
serves all sets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

INTERPOLATIONS = {
    name: Image.Resampling[name.upper()]
    for name in ("nearest", "box", "bilinear", "bicubic", "lanczos")
}
LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, as in Pillow and torchvision


def to_grey(images: np.ndarray) -> np.ndarray:
    """Return the luma (N, 1, H, W) of RGB images (N, 3, H, W), uint8."""
    luma: np.ndarray = np.rint(np.einsum("c,nchw->nhw", LUMA, images, optimize=True)).astype(
        np.uint8
    )[:, None]
    return luma


def resize(
    images: np.ndarray,
    height: int,
    width: int,
    interpolation: str = "bilinear",
    box: tuple[float, float, float, float] | None = None,
) -> np.ndarray:
    """Resize each image to height x width with Pillow's filters, which are antialiased.

    box: the part (left, top, right, bottom) to take, in pixels, fractions allowed; all by default.
    """
    if images.shape[2:] == (height, width) and box is None:
        return images
    resample = INTERPOLATIONS[interpolation]
    planes = images.reshape(-1, *images.shape[2:])
    small = [
        np.asarray(Image.fromarray(plane).resize((width, height), resample, box))
        for plane in planes
    ]
    return (
        np.stack(small).reshape(*images.shape[:2], height, width)
        if small
        else np.empty((0, images.shape[1], height, width), np.uint8)
    )


def crop(
    images: np.ndarray, height: int, width: int, interpolation: str = "bilinear"
) -> np.ndarray:
    """Scale so that the shorter side fits, and keep the centre.

    In one step, so that no rounding of the longer side moves the image.
    """
    h, w = images.shape[2:]
    left, top = max(0.0, (w - width * h / height) / 2), max(0.0, (h - height * w / width) / 2)
    return resize(
        images,
        height,
        width,
        interpolation,
        (left, top, w - left, h - top) if left or top else None,
    )


def pad(images: np.ndarray, height: int, width: int, interpolation: str = "bilinear") -> np.ndarray:
    """Scale so that the longer side fits, in the middle of black."""
    scale = min(height / images.shape[2], width / images.shape[3])
    h, w = max(1, round(images.shape[2] * scale)), max(1, round(images.shape[3] * scale))
    top, left = (height - h) // 2, (width - w) // 2
    out = np.zeros((*images.shape[:2], height, width), np.uint8)
    out[..., top : top + h, left : left + w] = resize(images, h, w, interpolation)
    return out


FITS = {"stretch": resize, "crop": crop, "pad": pad}


def adapt(
    images: np.ndarray,
    shape: tuple[int, int, int],
    interpolation: str = "bilinear",
    fit: str = "stretch",
) -> np.ndarray:
    """Bring images uint8 (N, c, h, w) to uint8 (N, *shape).

    First the channels (luma, or grey repeated), then the size.

    fit: where the ratio of the sides differs, stretch (the ratio is not kept), crop (the centre) or
    pad (black around).
    """
    if images.shape[1] != shape[0]:
        images = to_grey(images) if shape[0] == 1 else np.repeat(images[:, :1], shape[0], axis=1)
    return FITS[fit](images, shape[1], shape[2], interpolation)


@dataclass(frozen=True)
class Format:
    """What `adapt` makes of every image of a set."""

    shape: tuple[int, int, int]
    """channels, height, width"""
    interpolation: str = "bilinear"
    """one of INTERPOLATIONS"""
    fit: str = "stretch"
    """one of FITS"""

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Return images uint8 (N, c, h, w) as uint8 (N, *shape)."""
        return adapt(images, self.shape, self.interpolation, self.fit)
