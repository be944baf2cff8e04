"""The image store: one HDF5 file per data set, `results/data/{dataset}.h5`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from oecal.errors import OecalError
from oecal.files import replacing

SPLITS = ("train", "val", "test")
UNLABELLED = -1


@dataclass(frozen=True)
class Split:
    """Images uint8 (N, C, H, W) and labels int64 (N,); label -1 means: no label."""

    images: np.ndarray
    labels: np.ndarray

    def __post_init__(self) -> None:
        if self.images.dtype != np.uint8 or self.images.ndim != 4 or self.labels.dtype != np.int64:
            raise TypeError(f"images are {self.images.dtype} {self.images.shape}, labels {self.labels.dtype}: not uint8 NCHW, int64")
        if self.labels.shape != self.images.shape[:1]:
            raise ValueError(f"{self.images.shape[0]} images, but labels of shape {self.labels.shape}")

    @classmethod
    def unlabelled(cls, images: np.ndarray) -> Split:
        return cls(images, np.full(len(images), UNLABELLED, np.int64))


@dataclass(frozen=True)
class ImageSet:
    """A data set: its splits, and where it comes from."""

    splits: dict[str, Split]
    source: str
    licence: str
    sha256: str
    classes: tuple[str, ...] = ()


def write(path: str | Path, data: ImageSet) -> None:
    """Writes the file whole or not at all; the same data give the same bytes."""
    with replacing(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs.update(source=data.source, licence=data.licence, sha256=data.sha256, classes=json.dumps(data.classes))
        for name in SPLITS:
            if name in data.splits:
                group, split = file.create_group(name), data.splits[name]
                group.create_dataset("images", data=split.images, track_times=False)
                group.create_dataset("labels", data=split.labels, track_times=False)


def read(path: str | Path, split: str) -> Split:
    """One split. Raises OecalError if the file is no image store or lacks the split."""
    try:
        with h5py.File(path) as file:
            if split not in file:
                raise OecalError(f"{path}: has no split '{split}', only: {', '.join(file)}")
            return Split(file[f"{split}/images"][:], file[f"{split}/labels"][:])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise OecalError(f"{path}: is no image store ({error}); delete it and run again") from None


def class_names(path: str | Path) -> list[str]:
    """The class names, in the order of the labels; empty for an unlabelled set."""
    with h5py.File(path) as file:
        return json.loads(file.attrs["classes"])
