"""Downsampled ImageNet (Chrabaszcz et al. 2017): zip archives of npz files."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from oecal.data.archives import members
from oecal.data.preprocess import Format
from oecal.data.store import ImageSplit


def read(
    files: Mapping[str, Path], row: Mapping[str, Any], splits: Sequence[str], form: Format | None
) -> tuple[dict[str, ImageSplit], tuple[str, ...]]:
    """Each npz: `data` (N, 3 * side * side) uint8 and `labels` from 1 to 1000, which are the classes' only names here."""
    found = {}
    for name, path in files.items():
        parts = {}
        for member, content in members(path, lambda member: member.endswith(".npz")):
            with np.load(io.BytesIO(content), allow_pickle=False) as part:
                parts[member] = (
                    part["data"].reshape(-1, *row["shape"]),
                    part["labels"].astype(np.int64) - 1,
                )
        images, labels = zip(*(parts[member] for member in sorted(parts)), strict=True)
        found[row["files"][name]["split"]] = ImageSplit(
            np.concatenate(images), np.concatenate(labels)
        )
    return found, tuple(str(number) for number in range(1, 1001))
