"""Statistics of an image that need no model: what a density model's scores must beat. NumPy and Pillow only."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


def png_bits(image: np.ndarray) -> int:
    """Length of the image (C, H, W) as PNG at the highest compression, bits: an upper bound of its complexity."""
    buffer = io.BytesIO()
    Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0)).save(buffer, "PNG", compress_level=9)
    return 8 * buffer.tell()


def statistics(images: np.ndarray, mean: np.ndarray) -> dict[str, np.ndarray]:
    """Of images uint8 (N, C, H, W), float64 (N,) each; `mean`: the training images' mean (C, H, W), levels.

    png_bits; zero_fraction: the share of values 0; total_variation: mean |difference| of neighbouring values, vertical and horizontal,
    levels; mean_distance: root mean square distance to `mean`, levels.
    """
    values = images.astype(np.float64)
    vertical, horizontal = np.abs(np.diff(values, axis=2)), np.abs(np.diff(values, axis=3))
    return {
        "png_bits": np.array([png_bits(image) for image in images], np.float64),
        "zero_fraction": (images == 0).mean(axis=(1, 2, 3)),
        "total_variation": vertical.mean(axis=(1, 2, 3)) + horizontal.mean(axis=(1, 2, 3)),
        "mean_distance": np.sqrt(((values - mean) ** 2).mean(axis=(1, 2, 3))),
    }
