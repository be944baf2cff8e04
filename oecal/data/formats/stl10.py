"""STL-10: raw bytes, column by column."""

from __future__ import annotations

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
    """Read `{split}_X.bin`, (N, 3, width, height) uint8, and `{split}_y.bin`, labels 1 to 10."""
    (path,) = files.values()
    names = {f"{split}_{part}.bin" for split in splits for part in "Xy"}
    content = {
        Path(name).name: np.frombuffer(raw, np.uint8)
        for name, raw in read_members(path, lambda member: Path(member).name in names)
    }
    data = {}
    for split in splits:
        images = content[f"{split}_X.bin"].reshape(-1, 3, 96, 96).transpose(0, 1, 3, 2)
        data[split] = ImageSplit(
            np.ascontiguousarray(images), content[f"{split}_y.bin"].astype(np.int64) - 1
        )
    return data, tuple(row["classes"])
