"""The idx format of MNIST and its relatives: big-endian header, then the values."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from oecal.core.errors import OecalError
from oecal.data.archives import read_inflated
from oecal.data.preprocess import Format
from oecal.data.store import ImageSplit
from oecal.data.table import PublishedSet

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4"}


def parse_idx(content: bytes, name: str | Path) -> np.ndarray:
    """Return the array in an idx file.

    Raise OecalError, naming the file, if the header does not fit the content.
    """
    try:
        zero, kind, dims = struct.unpack_from(">HBB", content)
        shape = struct.unpack_from(f">{dims}I", content, 4)
        if zero == 0:
            return np.frombuffer(content, TYPES[kind], offset=4 + 4 * dims).reshape(shape)
    except (struct.error, KeyError, ValueError):
        pass
    raise OecalError(f"{name}: is not an IDX file, or is truncated; delete it and run again")


def make_split(images: np.ndarray, labels: np.ndarray, row: PublishedSet) -> ImageSplit:
    """Return a split of images (N, H, W) and labels (N,) or, in QMNIST, (N, 8), class first."""
    if row.get("transposed"):
        images = images.swapaxes(1, 2)
    first = labels if labels.ndim == 1 else labels[:, 0]
    return ImageSplit(
        np.ascontiguousarray(images)[:, None].astype(np.uint8, copy=False),
        first.astype(np.int64) - row.get("first_label", 0),
    )


def read(
    files: Mapping[str, Path], row: PublishedSet, splits: Sequence[str], form: Format | None
) -> tuple[dict[str, ImageSplit], tuple[str, ...]]:
    """Read two files for each split, images and labels."""
    arrays: dict[str, list[np.ndarray]] = {}
    for name, path in sorted(files.items()):  # ...-images-... before ...-labels-...
        arrays.setdefault(row["files"][name]["split"], []).append(
            parse_idx(read_inflated(path), path)
        )
    data = {split: make_split(images, labels, row) for split, (images, labels) in arrays.items()}
    return data, tuple(row["classes"])
