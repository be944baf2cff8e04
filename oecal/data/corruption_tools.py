"""What corruptions are built from: kernels, blur along a line, fractal noise, displacement.

All take float images (N, C, H, W). Lengths are for images 32 pixels wide and grow with the width,
see `px`.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from oecal.data.preprocess import LUMA


def px(x: np.ndarray) -> float:
    """Return the pixels of these images per pixel of a 32 x 32 image."""
    ratio: float = x.shape[-1] / 32
    return ratio


def luma(x: np.ndarray) -> np.ndarray:
    """Return the grey level of each pixel, (N, 1, H, W)."""
    return x if x.shape[1] == 1 else np.einsum("c,nchw->nhw", LUMA, x)[:, None]


def kernel(dy: np.ndarray, dx: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the correlation kernel that averages over the points (dy, dx), weighted.

    Each point is shared bilinearly by four pixels. The kernel is odd x odd and its sum is 1.
    """
    radius = int(max(np.abs(dy).max(), np.abs(dx).max())) + 1
    out = np.zeros((2 * radius + 1, 2 * radius + 1))
    y, x = np.floor(dy).astype(int), np.floor(dx).astype(int)
    for i, j in np.ndindex(2, 2):
        np.add.at(
            out,
            (radius + y + i, radius + x + j),
            weights * (1 - np.abs(y + i - dy)) * (1 - np.abs(x + j - dx)),
        )
    normalised: np.ndarray = out / out.sum()
    return normalised


def smear(x: np.ndarray, degrees: np.ndarray, sigma: float, length: float) -> np.ndarray:
    """Average along a line from each pixel, in each image in its own direction, (N,) degrees.

    The weight at distance t, 0 <= t <= length, is exp(-t^2 / 2 sigma^2). A kernel is costly to set
    up, so it is best that many images share a direction.
    """
    t = np.linspace(0, length, 2 * int(np.ceil(length)) + 1)
    out = np.empty_like(x)
    for angle in np.unique(degrees):
        line = kernel(
            t * np.sin(np.deg2rad(angle)),
            t * np.cos(np.deg2rad(angle)),
            np.exp(-(t**2) / (2 * sigma**2)),
        )
        out[degrees == angle] = ndimage.correlate(x[degrees == angle], line[None, None])
    return out


def resample(x: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return x (..., h, w) at all pairs of these positions, bilinear; clamped at the edge."""
    down, across = (
        np.stack([np.interp(at, np.arange(n), e) for e in np.eye(n)])
        for at, n in zip((rows, columns), x.shape[-2:], strict=True)
    )
    resampled: np.ndarray = down.T @ x @ across
    return resampled


def draw_fractal(x: np.ndarray, decay: float, rng: np.random.Generator) -> np.ndarray:
    """Draw fractal noise of shape N x 1 x H x W that fills 0 to 1 for each image of x.

    It sums uniform noise on grids of 2, 3, 5, 9, ... points a side, each of them 1/decay as
    strong as the one before.
    """
    height, width = x.shape[2:]
    sides = [2**k + 1 for k in range(int(np.ceil(np.log2(max(height, width)))))]
    values = np.split(
        rng.random((len(x), sum(s * s for s in sides))),
        np.cumsum([s * s for s in sides])[:-1],
        axis=1,
    )
    out = np.zeros((len(x), 1, height, width))
    for k, (s, v) in enumerate(zip(sides, values, strict=True)):
        out += (
            resample(
                v.reshape(-1, 1, s, s), np.linspace(0, s - 1, height), np.linspace(0, s - 1, width)
            )
            / decay**k
        )
    out -= out.min(axis=(2, 3), keepdims=True)
    scaled: np.ndarray = out / out.max(axis=(2, 3), keepdims=True)
    return scaled


def displace(x: np.ndarray, dy: np.ndarray, dx: np.ndarray, mode: str) -> np.ndarray:
    """Return x at the points moved by dy, dx, each (N, H, W) or (N, 1, 1), bilinear.

    `mode` is that of scipy.ndimage beyond the edge.
    """
    rows, columns = np.indices(x.shape[2:])
    out = np.empty_like(x)
    for image, target, down, across in zip(x, out, dy, dx, strict=True):
        at = np.stack([rows + down, columns + across])
        for plane, to in zip(image, target, strict=True):
            ndimage.map_coordinates(plane, at, to, order=1, mode=mode)
    return out
