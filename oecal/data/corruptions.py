"""Corruptions of test images at severities 1 to 5: the covariate shift under which calibration is measured.

The idea and the names follow Hendrycks & Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions", ICLR 2019 (arXiv
1903.12261). Their strengths are tuned to ImageNet and CIFAR photographs; the ones here are our own, stated below, for small images.
"""

from __future__ import annotations

import numpy as np

from oecal.seeds import generator

SEVERITIES = (1, 2, 3, 4, 5)


def gaussian_noise(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """x + N(0, sigma), sigma = 0.08, 0.16, 0.24, 0.32, 0.40."""
    return x + rng.normal(0, 0.08 * severity, x.shape)


def gaussian_blur(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Gaussian kernel of standard deviation 0.5, 1.0, 1.5, 2.0, 2.5 pixels."""
    from scipy import ndimage

    sigma = 0.5 * severity
    return ndimage.gaussian_filter(x, sigma=(0, 0, sigma, sigma))


def contrast(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Distance from the image's mean level times 0.75, 0.5, 0.35, 0.2, 0.1."""
    mean = x.mean(axis=(1, 2, 3), keepdims=True)
    return mean + (0.75, 0.5, 0.35, 0.2, 0.1)[severity - 1] * (x - mean)


def rotation(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """By 12, 24, 36, 48, 60 degrees, clockwise or not at random; bilinear, black outside."""
    from scipy import ndimage

    left, right = (ndimage.rotate(x, a * 12 * severity, axes=(2, 3), reshape=False, order=1) for a in (1, -1))
    return np.where(rng.random((len(x), 1, 1, 1)) < 0.5, left, right)


CORRUPTIONS = {f.__name__: f for f in (gaussian_noise, gaussian_blur, contrast, rotation)}


def corrupt(images: np.ndarray, name: str, severity: int) -> np.ndarray:
    """Images uint8 (N, C, H, W), corrupted; the same noise for every model and seed."""
    values = CORRUPTIONS[name](images / 255, severity, generator("corruption", name, severity))
    return np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)
