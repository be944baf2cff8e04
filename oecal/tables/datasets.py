"""`datasets.csv`: what every data set of the study holds, and what was left out of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from oecal.data import store

COLUMNS = [
    "name",
    "split",
    "n",
    "shape",
    "mean",
    "sd",
    "sha256",
    "licence",
    "removed",
    "source",
    "format",
    "missing",
]


def compute_moments(images: np.ndarray) -> tuple[list[float], list[float]]:
    """Compute mean and standard deviation of each channel over all images and pixels, range [0, 1].

    Computed from exact integer counts of the grey levels.
    """
    levels = np.arange(256) / 255
    counts = [np.bincount(images[:, c].ravel(), minlength=256) for c in range(images.shape[1])]
    means = [float(np.average(levels, weights=count)) for count in counts]
    variances = [
        float(np.average((levels - mean) ** 2, weights=count))
        for count, mean in zip(counts, means, strict=True)
    ]
    return means, [variance**0.5 for variance in variances]


def format_numbers(values: Sequence[float]) -> str:
    """Format one number per channel: `0.4914 0.4822 0.4465`."""
    return " ".join(f"{value:.4f}" for value in values)


def compute_table(data: Sequence[str | Path]) -> pd.DataFrame:
    """One row per split of each image store.

    A data set that is missing has one row, with n = 0 and the reason.
    """
    rows = []
    for path in data:
        about = store.read_metadata(path)
        same = {
            "name": Path(path).stem,
            "sha256": about.sha256,
            "licence": about.licence,
            "source": about.source,
            "missing": about.missing,
        }
        same["format"] = json.dumps(about.format) if about.format else ""
        if about.missing:
            rows.append({**same, "split": "", "n": 0})
        for split in store.list_splits(path):
            images = store.read_split(path, split).images
            removed = {**about.removed.get("all", {}), **about.removed.get(split, {})}
            row = {
                **same,
                "split": split,
                "n": len(images),
                "shape": "x".join(map(str, images.shape[1:])),
            }
            row["removed"] = "; ".join(f"{count} {reason}" for reason, count in removed.items())
            if len(images):
                means, deviations = compute_moments(images)
                row |= {"mean": format_numbers(means), "sd": format_numbers(deviations)}
            rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)
