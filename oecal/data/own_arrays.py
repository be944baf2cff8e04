"""A user's own images as arrays of a NumPy or HDF5 file: their names, axes, values and labels."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from tqdm import tqdm

from oecal.core.components import explain_unknown
from oecal.core.errors import OecalError
from oecal.data.decode import from_16_bit
from oecal.data.own_splits import (
    Unusable,
    assemble_set,
    match_splits,
    name_single_part,
    report_unusable,
)
from oecal.data.preprocess import Format
from oecal.data.store import UNLABELLED, ImageSet, ImageSplit

BLOCK = 2**26  # bytes of an array in memory at a time
CHANNELS_FIRST = {"NHW": (0, 1, 2), "NHWC": (0, 3, 1, 2), "NCHW": (0, 1, 2, 3)}


class Array(Protocol):
    """What NumPy arrays and HDF5 data sets have in common."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of values along each axis."""

    @property
    def dtype(self) -> np.dtype:
        """The type of a value."""

    @property
    def nbytes(self) -> int:
        """Bytes of all values."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: slice | tuple[()], /) -> np.ndarray: ...


class ArrayOptions(Protocol):
    """The options that the sources of arrays share; see `oecal.data.npz.Options`."""

    @property
    def path(self) -> str:
        """The file."""

    @property
    def images(self) -> str:
        """Name of the array of images."""

    @property
    def labels(self) -> str:
        """Name of the array of labels."""

    @property
    def splits(self) -> str:
        """How the images go to splits."""

    @property
    def on_bad(self) -> str:
        """What happens at images that cannot be used."""


class LabelledArray(NamedTuple):
    """One part of a set, not yet read."""

    name: str
    """the name of the array of images, for messages"""
    images: Array
    labels: Array | None


def find_array_names(
    present: Collection[str], between: str, options: ArrayOptions, where: str | Path
) -> dict[str, tuple[str, str | None]]:
    """Return {part: (name of its images, name of its labels or None)} for a file's arrays.

    present: the names in the file; between: what joins split and array in a name, such as "_" in
    train_images. Raise OecalError for a name that is not present; only labels under the default
    name may be missing.
    """
    if options.splits == "given":
        ending = between + options.images
        splits = match_splits(
            {name.removesuffix(ending) for name in present if name.endswith(ending)},
            f"{where}: names before '{ending}'",
        )
        names = {
            split: (prefix + ending, f"{prefix}{between}{options.labels}")
            for split, prefix in splits.items()
        }
    elif options.images in present:
        names = {name_single_part(options.splits): (options.images, options.labels)}
    else:
        raise OecalError(f"{where}: images: {explain_unknown(options.images, present)}")
    if options.labels != "labels" and not any(labels in present for _, labels in names.values()):
        raise OecalError(f"{where}: labels: {explain_unknown(options.labels, present)}")
    return {
        part: (images, labels if labels in present else None)
        for part, (images, labels) in names.items()
    }


def identify_axes(array: Array, where: str) -> str:
    """Return the axes of an array of images: "NHW", "NHWC" or "NCHW".

    Raise OecalError if none or two of them fit, or the type is not one of images.
    """
    if array.dtype.kind != "f" and array.dtype.str[1:] not in ("u1", "u2"):
        raise OecalError(
            f"{where}: found type {array.dtype}; expected uint8, uint16, or floats from 0 to 1"
        )
    shape: tuple[int, ...] = array.shape or ()
    fits = {
        "NHW": len(shape) == 3 and shape[2] > 3,  # else it is rather one image than N
        "NHWC": len(shape) == 4 and shape[3] in (1, 3),
        "NCHW": len(shape) == 4 and shape[1] in (1, 3),
    }
    if sum(fits.values()) == 2:
        raise OecalError(
            f"{where}: found shape {shape}, which could be (N, H, W, C) or (N, C, H, W); use "
            "images of more than 3 x 3 pixels"
        )
    if not any(fits.values()) or 0 in shape:
        raise OecalError(
            f"{where}: found shape {shape}; expected (N, H, W), (N, H, W, C) or (N, C, H, W) with "
            "N > 0 and C = 1 or 3"
        )
    return next(name for name, fit in fits.items() if fit)


def to_uint8(values: np.ndarray) -> np.ndarray:
    """Return uint16 divided by 257, floats in [0, 1] times 255; rounded to uint8."""
    if values.dtype.kind == "f":
        levels: np.ndarray = np.rint(255 * np.clip(values, 0, 1).astype(np.float64))
        return levels.astype(np.uint8)
    return values if values.dtype == np.uint8 else from_16_bit(values)


def read_images(array: Array, where: str, form: Format | None) -> tuple[np.ndarray, np.ndarray]:
    """Read an array of images whose axes `identify_axes` knows, block by block.

    Return the M finite images, uint8 (M, C, H, W), in the format `form` if there is one, and which
    of the N images they are, bool (N,). Raise OecalError for floats outside [0, 1].
    """
    n, axes = len(array), CHANNELS_FIRST[identify_axes(array, where)]
    step = max(1, BLOCK * n // array.nbytes)
    usable, low, high, out, filled = np.ones(n, bool), np.inf, -np.inf, np.empty(0, np.uint8), 0
    for start in tqdm(range(0, n, step), desc="images", leave=False, disable=None):
        block = np.asarray(array[start : start + step])
        if block.dtype.kind == "f":
            finite = np.isfinite(block).reshape(len(block), -1).all(1)
            usable[start : start + step] = finite
            block = block[finite]
            low, high = min(low, block.min(initial=np.inf)), max(high, block.max(initial=-np.inf))
        images = to_uint8(block).transpose(axes)
        images = images[:, None] if images.ndim == 3 else images
        images = form(images) if form else images
        if not filled:
            out = np.empty((n, *images.shape[1:]), np.uint8)
        out[filled : filled + len(images)] = images
        filled += len(images)
    if low < 0 or high > 1:
        raise OecalError(
            f"{where}: found floats from {low:g} to {high:g}; expected 0 to 1: scale them, or save "
            "uint8 from 0 to 255"
        )
    return out[:filled], usable


def read_labels(array: Array, n: int, where: str) -> np.ndarray:
    """Read `n` labels, int64 or text (n,). Raise OecalError for another length or type."""
    if array.shape not in ((n,), (n, 1)):
        raise OecalError(f"{where}: found shape {array.shape}; expected ({n},), one for each image")
    values = np.asarray(array[()]).reshape(n)
    if values.dtype.kind in "SO":  # HDF5 gives texts as bytes
        values = np.array(
            [v.decode(errors="replace") if isinstance(v, bytes) else v for v in values.tolist()]
        )
    if values.dtype.kind not in "biuU":
        raise OecalError(f"{where}: found type {values.dtype}; expected integers or strings")
    return values if values.dtype.kind == "U" else values.astype(np.int64)


def number_labels(
    labels: Mapping[str, np.ndarray], names: Sequence[str], where: str | Path
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Return the labels of all parts as class numbers 0, 1, ..., and the names of the classes.

    The classes are the values that occur, sorted; the integer -1 means no label. `names` name the
    classes if there is one for each value, or if the values are indices into them; otherwise they
    are ignored.
    """
    values = np.concatenate([*labels.values()]) if labels else np.empty(0, np.int64)
    if values.dtype.kind == "U":
        known = np.unique(values)
        numbers = {
            part: np.searchsorted(known, own.astype(values.dtype)) for part, own in labels.items()
        }
        return numbers, tuple(map(str, known))
    known = np.unique(values[values != UNLABELLED])
    if known.tolist() == [1] and UNLABELLED in values:
        raise OecalError(
            f"{where}: the labels are -1 and 1, but -1 means no label; use 0 and 1 instead"
        )
    # Classes without an image have names only. As many names as images are rather the names of the
    # images.
    if len(known) and known[0] >= 0 and known[-1] < len(names) and len(names) != len(values):
        known = np.arange(len(names))
    if names and len(names) != len(known):
        logging.warning(
            "%s: ignored the names of classes: found %d, expected %d", where, len(names), len(known)
        )
    classes = tuple(names) if len(names) == len(known) else tuple(map(str, known))
    return {
        part: np.where(own == UNLABELLED, UNLABELLED, np.searchsorted(known, own))
        for part, own in labels.items()
    }, classes


def build_from_arrays(
    arrays: Mapping[str, LabelledArray],
    names: Sequence[str],
    options: ArrayOptions,
    path: Path,
    form: Format | None,
    report: Path,
) -> ImageSet:
    """Return the image set of the arrays {part: array} of the file `path`.

    names: of the classes, may be empty; form: the format of all images; report: where images with
    NaN or infinity are listed. Raise OecalError for whatever cannot be used.
    """
    labels = {}
    for part, array in arrays.items():
        identify_axes(array.images, f"{path}: {array.name}")
        if array.labels is not None:
            labels[part] = read_labels(
                array.labels, len(array.images), f"{path}: the labels of {array.name}"
            )
    labels, classes = number_labels(labels, names, path)
    parts: dict[str, ImageSplit] = {}
    unusable: list[Unusable] = []
    n = 0
    for part, array in arrays.items():
        images, usable = read_images(array.images, f"{path}: {array.name}", form)
        unusable += [
            Unusable(part, f"{array.name}[{row}]", "not finite: NaN or infinity")
            for row in np.flatnonzero(~usable)
        ]
        parts[part] = (
            ImageSplit(images, labels[part][usable])
            if part in labels
            else ImageSplit.unlabelled(images)
        )
        n += len(array.images)
    removed = report_unusable(unusable, n, "images", path, report, options.on_bad)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return assemble_set(parts, classes, removed, options.path, path, sha256)
