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


def moments(images: np.ndarray) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel over all images and pixels, range [0, 1].

    From exact integer counts of the levels.
    """
    levels = np.arange(256) / 255
    counts = [np.bincount(images[:, c].ravel(), minlength=256) for c in range(images.shape[1])]
    means = [float(np.average(levels, weights=count)) for count in counts]
    variances = [
        float(np.average((levels - mean) ** 2, weights=count))
        for count, mean in zip(counts, means, strict=True)
    ]
    return means, [variance**0.5 for variance in variances]


def listed(values: Sequence[float]) -> str:
    """`0.4914 0.4822 0.4465`: one number a channel."""
    return " ".join(f"{value:.4f}" for value in values)


def compute_table(paths: Sequence[str | Path]) -> pd.DataFrame:
    """A row for each split of each image store.

    a missing set has one row, with n = 0 and the reason.
    """
    rows = []
    for path in paths:
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
                means, deviations = moments(images)
                row |= {"mean": listed(means), "sd": listed(deviations)}
            rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)
