"""Corruptions of test images at severities 1 to 5, for measuring calibration under covariate shift.

The idea and the names follow Hendrycks & Dietterich, "Benchmarking Neural Network Robustness to
Common Corruptions", ICLR 2019 (arXiv 1903.12261). The functions and their strengths, for small
images, are in oecal.data.corruption_functions.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from tqdm import tqdm

from oecal.core.seeds import make_generator
from oecal.data import corruption_functions

SEVERITIES = (1, 2, 3, 4, 5)
CHUNK = 1000  # images at a time: bounds the memory, and changes no byte

# A literal, because the configuration is checked against these names without importing this file.
FAMILIES = {
    "noise": ("gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise"),
    "blur": ("gaussian_blur", "defocus_blur", "glass_blur", "motion_blur", "zoom_blur"),
    "weather": ("brightness", "fog", "frost", "snow"),
    "digital": ("contrast", "elastic", "pixelate", "jpeg", "saturate"),
    "geometric": ("rotation", "translation"),
}
CORRUPTIONS: dict[str, Callable[[np.ndarray, int, np.random.Generator], np.ndarray]] = {
    name: getattr(corruption_functions, name) for names in FAMILIES.values() for name in names
}


def corrupt(images: np.ndarray, name: str, severity: int) -> np.ndarray:
    """Return uint8 images (N, C, H, W) corrupted; every model and seed sees the same noise."""
    rng = make_generator("corruption", name, severity)
    out = np.empty_like(images)
    starts = range(0, len(images), CHUNK)
    for start in tqdm(
        starts, desc=f"{name}-{severity}", leave=False, disable=None if len(starts) > 1 else True
    ):
        values = CORRUPTIONS[name](images[start : start + CHUNK] / 255, severity, rng)
        out[start : start + CHUNK] = np.rint(255 * np.clip(values, 0, 1))
    return out
