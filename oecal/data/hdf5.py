"""Your own images from an HDF5 file, also from an image store of this package."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import h5py

from oecal.core.errors import OecalError, summarize_error
from oecal.core.hdf5_files import DAMAGE
from oecal.data import own
from oecal.data.preprocess import Format
from oecal.data.store import ImageSet

FROM_FILES = True


@dataclass(frozen=True)
class Options:
    """Images uint8, uint16 or floats from 0 to 1, as (N, H, W), (N, H, W, C) or (N, C, H, W).

    Labels integers or texts (N,).

    A data set `names` or `classes`, or an attribute of that name, holds the names of the classes.
    The label -1 means: no label.
    """

    path: str
    """the file: absolute, from ~, or relative to the data root"""
    images: str = "images"
    """name of the data set of images"""
    labels: str = "labels"
    """name of the data set of labels; without it the images are unlabelled"""
    splits: Literal["divide", "train", "test", "given"] = "divide"
    """divide: 80/10/10, each class alike; train, test: all into this split; given: groups train, val, test, each with images and labels"""
    on_bad: Literal["stop", "skip"] = "stop"
    """what happens at images with NaN or infinity"""

    def __post_init__(self) -> None:
        if not self.path:
            raise ValueError("path is empty; write that of the file")


def class_names(file: h5py.File) -> list[str]:
    """Of a data set or an attribute; an image store has them as JSON. Empty if there are none."""
    for key in ("names", "classes"):
        value = file[key][()] if isinstance(file.get(key), h5py.Dataset) else file.attrs.get(key)
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                continue
        if isinstance(value, list) or getattr(value, "ndim", 0) == 1:
            return [
                name.decode(errors="replace") if isinstance(name, bytes) else str(name)
                for name in value
            ]
    return []


def build(options: Options, root: Path, form: Format | None, report: Path) -> ImageSet:
    """Raises OecalError, in one line, for whatever the file lacks; see `own.from_arrays`."""
    path = own.located(options.path, root, folder=False)
    try:
        with h5py.File(path) as file:
            there: list[str] = []
            file.visititems(
                lambda name, item: there.append(name) if isinstance(item, h5py.Dataset) else None
            )
            keys = own.keys(there, "/", options, path)
            arrays = {
                part: (images, file[images], file[labels] if labels else None)
                for part, (images, labels) in keys.items()
            }
            return own.from_arrays(arrays, class_names(file), options, path, form, report)
    except (
        *DAMAGE,
        MemoryError,
    ) as error:  # without checksums, a damaged header may ask for any size
        raise OecalError(
            f"{path}: is no whole HDF5 file ({summarize_error(error)}); write it anew"
        ) from None
