"""EMNIST: one zip archive with idx files of all its versions."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from oecal.data.archives import members
from oecal.data.formats.idx import parse, split_of
from oecal.data.preprocess import Format
from oecal.data.store import ImageSplit


def read(
    files: Mapping[str, Path], row: Mapping[str, Any], splits: Sequence[str], form: Format | None
) -> tuple[dict[str, ImageSplit], tuple[str, ...]]:
    """`row["version"]`, such as letters. Unpacked, the files lie side by side and without .gz."""
    (path,) = files.values()
    names = {
        f"emnist-{row['version']}-{split}-{kind}-ubyte": (split, kind)
        for split in splits
        for kind in ("images-idx3", "labels-idx1")
    }
    arrays = {}
    for name, content in members(
        path, lambda member: Path(member).name.removesuffix(".gz") in names
    ):
        plain = gzip.decompress(content) if name.endswith(".gz") else content
        arrays[names[Path(name).name.removesuffix(".gz")]] = parse(plain, f"{path}: {name}")
    found = {
        split: split_of(arrays[split, "images-idx3"], arrays[split, "labels-idx1"], row)
        for split in splits
    }
    return found, tuple(row["classes"])
