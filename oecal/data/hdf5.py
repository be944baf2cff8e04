"""Your own images from an HDF5 file, also from an image store of this package."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import h5py

from oecal.core.errors import OecalError, summarize_error
from oecal.core.hdf5_files import DAMAGE
from oecal.data import own_arrays, own_splits
from oecal.data.preprocess import Format
from oecal.data.store import ImageSet

FROM_FILES = True


@dataclass(frozen=True)
class Options:
    """Images uint8, uint16 or floats from 0 to 1, as (N, H, W), (N, H, W, C) or (N, C, H, W).

    Labels integers or texts (N,). A data set `names` or `classes`, or an attribute of that name,
    holds the names of the classes. The label -1 means: no label.
    """

    path: str
    """the file: absolute, from ~, or relative to the data root"""
    images: str = "images"
    """name of the data set of images"""
    labels: str = "labels"
    """name of the data set of labels; without it the images are unlabelled"""
    splits: Literal["divide", "train", "test", "given"] = "divide"
    """divide: 80/10/10, each class alike; train, test: all into this split; given: groups train,
    val, test, each with images and labels"""
    on_bad: Literal["stop", "skip"] = "stop"
    """what happens at images with NaN or infinity"""

    def __post_init__(self) -> None:
        if not self.path:
            raise ValueError("path is empty; set it to the file with the images")


def read_class_names(file: h5py.File) -> list[str]:
    """Return the names of the classes from a data set or an attribute; empty if there are none.

    An image store has them as JSON.
    """
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


def list_datasets(file: h5py.File) -> list[str]:
    """Return the names of all data sets in the file, in groups too."""
    names: list[str] = []

    def visit(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            names.append(name)

    file.visititems(visit)
    return names


def build(options: Options, root: Path, form: Format | None, report: Path) -> ImageSet:
    """Return the set of a file's arrays; see `own_arrays.build_from_arrays`.

    Raise OecalError, in one line, for whatever the file lacks.
    """
    path = own_splits.find_path(options.path, root, folder=False)
    try:
        with h5py.File(path) as file:
            names = own_arrays.find_array_names(list_datasets(file), "/", options, path)
            arrays = {
                part: own_arrays.LabelledArray(
                    images, file[images], file[labels] if labels else None
                )
                for part, (images, labels) in names.items()
            }
            return own_arrays.build_from_arrays(
                arrays, read_class_names(file), options, path, form, report
            )
    # HDF5 has no checksums of headers, so a damaged one may ask for memory of any size.
    except (*DAMAGE, MemoryError) as error:
        raise OecalError(
            f"{path}: is not a complete HDF5 file ({summarize_error(error)}); save it again"
        ) from None
