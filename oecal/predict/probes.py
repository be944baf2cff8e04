"""Images that show what a density model finds likely.

They are constants of every grey level, and images of falling contrast.

Nalisnick et al., ICLR 2019 (arXiv 1810.09136), section 5: to second order, the less an image varies
about the common mean, the more likely it is; a constant image is the extreme.
"""

from __future__ import annotations

import numpy as np

FACTORS = np.linspace(0, 1, 11)


def make_constants(shape: tuple[int, int, int]) -> np.ndarray:
    """Return the constant image (C, H, W) of each grey level, uint8 (256, C, H, W)."""
    return np.broadcast_to(
        np.arange(256, dtype=np.uint8)[:, None, None, None], (256, *shape)
    ).copy()


def fade(images: np.ndarray) -> np.ndarray:
    """Return round(m + f (x - m)), uint8 (N, F, C, H, W), for images x, uint8 (N, C, H, W).

    m is the mean of each image and channel, f runs over the FACTORS.
    """
    x = images[:, None].astype(np.float64)
    mean = x.mean(axis=(3, 4), keepdims=True)
    probes: np.ndarray = np.rint(mean + FACTORS[:, None, None, None] * (x - mean)).astype(np.uint8)
    return probes
