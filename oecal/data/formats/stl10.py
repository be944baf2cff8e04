"""STL-10: raw bytes, column by column."""

from __future__ import annotations

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
    """`{split}_X.bin`: (N, 3, width, height) uint8; `{split}_y.bin`: labels from 1 to 10."""
    (path,) = files.values()
    names = {f"{split}_{part}.bin" for split in splits for part in "Xy"}
    content = {
        Path(name).name: np.frombuffer(raw, np.uint8)
        for name, raw in members(path, lambda member: Path(member).name in names)
    }
    found = {}
    for split in splits:
        images = content[f"{split}_X.bin"].reshape(-1, 3, 96, 96).transpose(0, 1, 3, 2)
        found[split] = ImageSplit(
            np.ascontiguousarray(images), content[f"{split}_y.bin"].astype(np.int64) - 1
        )
    return found, tuple(row["classes"])
