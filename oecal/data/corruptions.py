"""Corruptions of test images at severities 1 to 5: the covariate shift under which calibration is measured.

The idea and the names follow Hendrycks & Dietterich, "Benchmarking Neural Network Robustness to
Common Corruptions", ICLR 2019 (arXiv 1903.12261). The functions and their strengths, for small
images, stand in oecal.data.corruption_functions.
"""

from __future__ import annotations

import numpy as np
from tqdm import tqdm

from oecal.core.seeds import make_generator
from oecal.data import corruption_functions as f

SEVERITIES = (1, 2, 3, 4, 5)
CHUNK = 1000  # images at a time: bounds the memory, and changes no byte

FAMILIES = {
    "noise": (f.gaussian_noise, f.shot_noise, f.impulse_noise, f.speckle_noise),
    "blur": (f.gaussian_blur, f.defocus_blur, f.glass_blur, f.motion_blur, f.zoom_blur),
    "weather": (f.brightness, f.fog, f.frost, f.snow),
    "digital": (f.contrast, f.elastic, f.pixelate, f.jpeg, f.saturate),
    "geometric": (f.rotation, f.translation),
}
CORRUPTIONS = {function.__name__: function for family in FAMILIES.values() for function in family}


def corrupt(images: np.ndarray, name: str, severity: int) -> np.ndarray:
    """Images uint8 (N, C, H, W), corrupted; the same noise for every model and seed."""
    rng = make_generator("corruption", name, severity)
    out = np.empty_like(images)
    starts = range(0, len(images), CHUNK)
    for start in tqdm(
        starts, desc=f"{name}-{severity}", leave=False, disable=None if len(starts) > 1 else True
    ):
        values = CORRUPTIONS[name](images[start : start + CHUNK] / 255, severity, rng)
        out[start : start + CHUNK] = np.rint(255 * np.clip(values, 0, 1))
    return out
