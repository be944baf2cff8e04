"""Artificial photographs for tests of corruptions."""

import numpy as np


def make_scenes(n, channels, height, width=None):
    """Images uint8 with the 1/f spectrum of photographs and two sharp-edged discs in each."""
    rng, width = np.random.default_rng(8), width or height
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    frequency[0, 0] = np.inf
    white = rng.normal(size=(n, channels, height, width)) + 2 * rng.normal(
        size=(n, 1, height, width)
    )
    x = np.fft.ifft2(np.fft.fft2(white) / frequency).real
    x = 0.45 + 0.15 * x / x.std() + rng.normal(0, 0.08, (n, channels, 1, 1))
    rows, columns = np.indices((height, width))
    for image in x:
        for _ in range(2):
            y, z, r = rng.random() * height, rng.random() * width, rng.uniform(0.1, 0.25) * height
            image[:, (np.abs(rows - y) < r) & (np.abs(columns - z) < r)] += rng.normal(
                0, 0.25, (channels, 1)
            )
    return np.rint(255 * np.clip(x, 0, 1)).astype(np.uint8)
