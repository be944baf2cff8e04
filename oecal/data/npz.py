"""Your own images from a NumPy file: `.npz`, or `.npy` with nothing but images."""

from __future__ import annotations

import tokenize
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from oecal.core.errors import OecalError, summarize_error
from oecal.data import archive_readers, own_arrays, own_splits
from oecal.data.preprocess import Format
from oecal.data.store import ImageSet

FROM_FILES = True
# What NumPy raises at damaged files.
DAMAGE = (
    *archive_readers.DAMAGE,
    SyntaxError,
    tokenize.TokenError,
    TypeError,
    OverflowError,
    MemoryError,
)


@dataclass(frozen=True)
class Options:
    """Images uint8, uint16 or floats from 0 to 1, as (N, H, W), (N, H, W, C) or (N, C, H, W).

    Labels integers or texts (N,). An array `names` or `classes` holds the names of the classes. The
    label -1 means: no label.
    """

    path: str
    """the file: absolute, from ~, or relative to the data root"""
    images: str = "images"
    """name of the array of images; with `splits: given`, what follows train_, val_ and test_ in the
    names"""
    labels: str = "labels"
    """name of the array of labels, likewise; without it the images are unlabelled"""
    splits: Literal["divide", "train", "test", "given"] = "divide"
    """divide: 80/10/10, each class alike; train, test: all into this split; given: the arrays
    train_images, val_images, test_images"""
    on_bad: Literal["stop", "skip"] = "stop"
    """what happens at images with NaN or infinity"""

    def __post_init__(self) -> None:
        if not self.path:
            raise ValueError("path is empty; set it to the file with the images")


def open_arrays(path: Path, images: str) -> Mapping[str, np.ndarray]:
    """Return the file's arrays by name; the only array of a `.npy` file is named `images`.

    Raise OecalError if it is no such file.
    """
    try:
        file = np.load(path, allow_pickle=False, mmap_mode="r")
    except DAMAGE as error:
        raise OecalError(f"{path}: {explain_damage(error)}") from None
    return file if isinstance(file, np.lib.npyio.NpzFile) else {images: file}


def explain_damage(error: Exception) -> str:
    """Return why NumPy cannot read a file or array, and what to do: the end of a message."""
    if "pickle" in str(error) or "Python objects" in str(error):
        return (
            "holds Python objects, which are not read (a pickle can run code); save arrays of "
            "numbers or strings"
        )
    return (
        f"is not a complete NumPy file ({summarize_error(error)}); save it again with numpy.savez"
    )


def build(options: Options, root: Path, form: Format | None, report: Path) -> ImageSet:
    """Return the set of a file's arrays; see `own_arrays.build_from_arrays`.

    Raise OecalError, in one line, for whatever the file lacks.
    """
    path = own_splits.find_path(options.path, root, folder=False)
    file = open_arrays(path, options.images)

    def read_array(name: str) -> np.ndarray:
        try:
            return file[name]
        except DAMAGE as error:
            raise OecalError(f"{path}: {name} {explain_damage(error)}") from None

    array_names = own_arrays.find_array_names(list(file), "_", options, path)
    arrays = {
        part: own_arrays.LabelledArray(
            images, read_array(images), read_array(labels) if labels else None
        )
        for part, (images, labels) in array_names.items()
    }
    names = next((read_array(key) for key in ("names", "classes") if key in file), None)
    classes = [] if names is None else [str(name) for name in names.ravel()]
    return own_arrays.build_from_arrays(arrays, classes, options, path, form, report)
