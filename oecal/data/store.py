"""The image store: one HDF5 file per data set, `results/data/{dataset}.h5`."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

import numpy as np

from oecal.core import hdf5_files
from oecal.core.errors import OecalError

SPLITS = ("train", "val", "test")
UNLABELLED = -1


class FormatEntry(TypedDict):
    """The key `format` of a data set in the configuration."""

    size: int
    channels: int
    fit: str
    interpolation: str


@dataclass(frozen=True)
class ImageSplit:
    """Images uint8 (N, C, H, W) and labels int64 (N,); label -1 means: no label."""

    images: np.ndarray
    labels: np.ndarray

    def __post_init__(self) -> None:
        if self.images.dtype != np.uint8 or self.images.ndim != 4 or self.labels.dtype != np.int64:
            raise TypeError(
                f"found images {self.images.dtype} {self.images.shape}, labels "
                f"{self.labels.dtype}; expected uint8 (N, C, H, W) and int64"
            )
        if self.labels.shape != self.images.shape[:1]:
            raise ValueError(
                f"found {self.images.shape[0]} images, but labels of shape {self.labels.shape}"
            )

    @classmethod
    def unlabelled(cls, images: np.ndarray) -> ImageSplit:
        """Return a split of images (N, C, H, W) whose labels are all UNLABELLED."""
        return cls(images, np.full(len(images), UNLABELLED, np.int64))


@dataclass(frozen=True)
class ImageSet:
    """A data set: its splits, and where it comes from."""

    splits: dict[str, ImageSplit]
    source: str
    licence: str
    sha256: str
    classes: tuple[str, ...] = ()
    removed: dict[str, dict[str, int]] = field(default_factory=dict)
    """images left out: split -> reason (a class, duplicates, unreadable) -> number"""
    format: FormatEntry | None = None
    """what the images were brought to on their way into the store, if anything"""
    missing: str = ""
    """why there is no image: the set cannot be had, and the study does without it"""


def write_store(path: str | Path, data: ImageSet) -> None:
    """Write the file, whole or not at all; the same data give the same bytes."""
    with hdf5_files.creating(path) as file:
        file.attrs.update(
            source=data.source, licence=data.licence, sha256=data.sha256, missing=data.missing
        )
        file.attrs.update(
            classes=json.dumps(data.classes),
            removed=json.dumps(data.removed),
            format=json.dumps(data.format or {}),
        )
        for name in SPLITS:
            if name in data.splits:
                group, split = file.create_group(name), data.splits[name]
                hdf5_files.put(group, "images", split.images)
                hdf5_files.put(group, "labels", split.labels)


def read_metadata(path: str | Path) -> ImageSet:
    """Return all but the images: `ImageSet.splits` is empty.

    Raise OecalError if the file is no image store.
    """
    with hdf5_files.reading(path) as file:
        plain = {name: str(file.attrs[name]) for name in ("source", "licence", "sha256", "missing")}
        classes, removed, form = (
            json.loads(file.attrs[name]) for name in ("classes", "removed", "format")
        )
        return ImageSet({}, **plain, classes=tuple(classes), removed=removed, format=form or None)


def list_available(
    paths: Iterable[str | Path], may_be_missing: Collection[str]
) -> list[str | Path]:
    """Return those of the stores that have images, and log a warning for each of the others.

    Raise OecalError if one of these must not be missing.
    """
    available = []
    for path in paths:
        if missing := read_metadata(path).missing:
            if Path(path).stem not in may_be_missing:
                raise OecalError(
                    f"{path}: the data set is missing ({missing}); delete this file to try again, "
                    "or set missing: skip in its entry to go on without it"
                )
            logging.warning(
                "going on without %s: %s; delete %s to try again", Path(path).stem, missing, path
            )
        else:
            available.append(path)
    return available


def list_splits(path: str | Path) -> list[str]:
    """Return the splits that a store has; none if the set is missing."""
    with hdf5_files.reading(path) as file:
        return [name for name in SPLITS if name in file]


def read_split(path: str | Path, split: str) -> ImageSplit:
    """Read one split. Raise OecalError if the file is no image store or lacks the split."""
    with hdf5_files.reading(path) as file:
        if file.attrs["missing"]:
            raise OecalError(
                f"{path}: the data set is missing ({file.attrs['missing']}); delete this file to "
                "try again"
            )
        if split not in file:
            raise OecalError(
                f"{path}: has no split '{split}', only: {', '.join(file)}; add that split, or "
                "choose another data set"
            )
        return ImageSplit(file[f"{split}/images"][:], file[f"{split}/labels"][:])
