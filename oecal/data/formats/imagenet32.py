"""Downsampled ImageNet (Chrabaszcz et al. 2017): zip archives of npz files."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from oecal.data.archives import read_members
from oecal.data.preprocess import Format
from oecal.data.store import ImageSplit
from oecal.data.table import PublishedSet


def read(
    files: Mapping[str, Path], row: PublishedSet, splits: Sequence[str], form: Format | None
) -> tuple[dict[str, ImageSplit], tuple[str, ...]]:
    """Read npz files of `data` (N, 3 * side * side) uint8 and `labels` from 1 to 1000.

    The numbers are the classes' only names here.
    """
    data = {}
    for name, path in files.items():
        parts = {}
        for member, content in read_members(path, lambda member: member.endswith(".npz")):
            with np.load(io.BytesIO(content), allow_pickle=False) as part:
                parts[member] = (
                    part["data"].reshape(-1, *row["shape"]),
                    part["labels"].astype(np.int64) - 1,
                )
        images, labels = zip(*(parts[member] for member in sorted(parts)), strict=True)
        data[row["files"][name]["split"]] = ImageSplit(
            np.concatenate(images), np.concatenate(labels)
        )
    return data, tuple(str(number) for number in range(1, 1001))
