"""EMNIST: one zip archive with idx files of all its versions."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path

from oecal.data.archives import read_members
from oecal.data.formats.idx import make_split, parse_idx
from oecal.data.preprocess import Format
from oecal.data.store import ImageSplit
from oecal.data.table import PublishedSet


def read(
    files: Mapping[str, Path], row: PublishedSet, splits: Sequence[str], form: Format | None
) -> tuple[dict[str, ImageSplit], tuple[str, ...]]:
    """Read the files of `row["version"]`, such as letters; unpacked, they are without .gz."""
    (path,) = files.values()
    names = {
        f"emnist-{row['version']}-{split}-{kind}-ubyte": (split, kind)
        for split in splits
        for kind in ("images-idx3", "labels-idx1")
    }
    arrays = {}
    for name, content in read_members(
        path, lambda member: Path(member).name.removesuffix(".gz") in names
    ):
        plain = gzip.decompress(content) if name.endswith(".gz") else content
        arrays[names[Path(name).name.removesuffix(".gz")]] = parse_idx(plain, f"{path}: {name}")
    data = {
        split: make_split(arrays[split, "images-idx3"], arrays[split, "labels-idx1"], row)
        for split in splits
    }
    return data, tuple(row["classes"])
