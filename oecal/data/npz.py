"""Your own images from a NumPy file: `.npz`, or `.npy` with nothing but images."""

from __future__ import annotations

import tokenize
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from oecal.core.errors import OecalError, summarize_error
from oecal.data import archives, own
from oecal.data.preprocess import Format
from oecal.data.store import ImageSet

FROM_FILES = True
DAMAGE = (
    *archives.DAMAGE,
    SyntaxError,
    tokenize.TokenError,
    TypeError,
    OverflowError,
    MemoryError,
)  # what NumPy raises at damaged files


@dataclass(frozen=True)
class Options:
    """Images uint8, uint16 or floats from 0 to 1, as (N, H, W), (N, H, W, C) or (N, C, H, W).

    Labels integers or texts (N,).

    An array `names` or `classes` holds the names of the classes. The label -1 means: no label.
    """

    path: str
    """the file: absolute, from ~, or relative to the data root"""
    images: str = "images"
    """name of the array of images; with `splits: given`, what follows train_, val_ and test_ in the names"""
    labels: str = "labels"
    """name of the array of labels, likewise; without it the images are unlabelled"""
    splits: Literal["divide", "train", "test", "given"] = "divide"
    """divide: 80/10/10, each class alike; train, test: all into this split; given: the arrays train_images, val_images, test_images"""
    on_bad: Literal["stop", "skip"] = "stop"
    """what happens at images with NaN or infinity"""

    def __post_init__(self) -> None:
        if not self.path:
            raise ValueError("path is empty; write that of the file")


def opened(path: Path, images: str) -> Any:
    """The file's arrays by name; a single one is named `images`."""
    try:
        file = np.load(path, allow_pickle=False, mmap_mode="r")
    except DAMAGE as error:
        raise OecalError(f"{path}: {reason(error)}") from None
    return file if isinstance(file, np.lib.npyio.NpzFile) else {images: file}


def reason(error: Exception) -> str:
    """Why NumPy cannot read a file or an array in it, and what to do: the second half of a message."""
    if "pickle" in str(error) or "Python objects" in str(error):
        return "holds Python objects, which are not read (a pickle can run code); save arrays of numbers or texts"
    return f"is no whole NumPy file ({summarize_error(error)}); save it anew by numpy.savez"


def build(options: Options, root: Path, form: Format | None, report: Path) -> ImageSet:
    """Raises OecalError, in one line, for whatever the file lacks; see `own.from_arrays`."""
    path = own.located(options.path, root, folder=False)
    file = opened(path, options.images)

    def array(key: str) -> np.ndarray:
        try:
            found: np.ndarray = file[key]
            return found
        except DAMAGE as error:
            raise OecalError(f"{path}: {key} {reason(error)}") from None

    keys = own.keys(list(file), "_", options, path)
    arrays = {
        part: (images, array(images), array(labels) if labels else None)
        for part, (images, labels) in keys.items()
    }
    names = next((array(key) for key in ("names", "classes") if key in file), np.empty(0, "U1"))
    return own.from_arrays(
        arrays, [str(name) for name in names.ravel()], options, path, form, report
    )
