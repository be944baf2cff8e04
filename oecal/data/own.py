"""What the sources of a user's own images share: where they lie, which split they go to, forms of arrays, labels, what cannot be used."""

from __future__ import annotations

import csv
import hashlib
import logging
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from oecal.core.components import explain_unknown
from oecal.core.errors import OecalError, Unavailable
from oecal.core.files import replacing
from oecal.core.seeds import make_generator
from oecal.data.decode import from_16_bit
from oecal.data.preprocess import Format
from oecal.data.store import UNLABELLED, ImageSet, ImageSplit

ALL = "all"  # the one part of a set that is yet to be divided
ALIASES = {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}
EXAMPLE = "format: {size: 32, channels: 3}"
BLOCK = 2**26  # bytes of an array in memory at a time


def located(path: str, root: Path, folder: bool) -> Path:
    """The folder or file that the option `path` names.

    Raises Unavailable if there is nothing, OecalError if it is of the other kind.
    """
    full = (root / os.path.expanduser(path)).absolute()
    if not full.exists():
        raise Unavailable(
            f"path: there is nothing at {full}; write an absolute path, or one relative to the data root {root.absolute()}"
        )
    if full.is_dir() != folder:
        found, other = (
            ("file", "source: npz or source: hdf5") if folder else ("folder", "source: folder")
        )
        raise OecalError(
            f"path: {full} is a {found}; write a {'folder' if folder else 'file'}, or {other} (data root: {root.absolute()})"
        )
    return full


def part(splits: str) -> str:
    """The one part that images are read into, by the option `splits`."""
    return ALL if splits == "divide" else splits


def given(known: Collection[str], where: str | Path) -> dict[str, str]:
    """The splits among `known` names, {split: its name there}.

    Raises OecalError if there is none, or one twice.
    """
    found = {
        split: [name for name in sorted(known) if name.lower() in aliases]
        for split, aliases in ALIASES.items()
    }
    if not any(found.values()):
        names = ", ".join(sorted(known)) or "nothing"
        raise OecalError(
            f"{where}: splits is given, but none is named train, val or test: found {names}; write splits: divide, train or test"
        )
    if twice := next((names for names in found.values() if len(names) > 1), None):
        raise OecalError(f"{where}: {' and '.join(twice)} are the same split; keep one of them")
    if rest := sorted(set(known) - {name for names in found.values() for name in names}):
        logging.warning("%s: no split, passed over: %s", where, ", ".join(rest))
    return {split: names[0] for split, names in found.items() if names}


def divide(data: ImageSplit, where: str | Path) -> dict[str, ImageSplit]:
    """80/10/10 at random but always the same way, each class in these shares (val and test to within one image); classes mixed."""
    if len(data.images) < 10:
        raise OecalError(
            f"{where}: {len(data.images)} images are too few to divide; write splits: train or test, or give 10 or more"
        )
    order = make_generator("own", "divide").permutation(len(data.images))
    order = order[
        np.argsort(data.labels[order], kind="stable")
    ]  # class by class, so every tenth is a tenth of each class
    turn = np.arange(len(order)) % 10
    mixed = make_generator("own", "mix")  # so that the first images of a split are of all classes
    chosen = {
        "train": mixed.permutation(order[turn < 8]),
        "val": mixed.permutation(order[turn == 8]),
        "test": mixed.permutation(order[turn == 9]),
    }
    return {
        name: ImageSplit(data.images[index], data.labels[index]) for name, index in chosen.items()
    }


def settled(
    bad: Sequence[tuple[str, str, str]],
    n: int,
    what: str,
    where: str | Path,
    report: Path,
    on_bad: str,
) -> dict[str, dict[str, int]]:
    """Writes the report of what cannot be used and returns it counted, {part: {kind of reason: number}}.

    bad: (part, path, reason) each; of a reason the text before the colon is its kind. n: how many
    there are, good and bad. Raises OecalError if there are bad ones and `on_bad` is stop, or
    nothing else is left.
    """
    with replacing(report) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(
            [("path", "reason"), *((path, reason) for _, path, reason in bad)]
        )
    if bad:
        found = f"{where}: {len(bad):,} of {n:,} {what} cannot be used, first {bad[0][1]}: {bad[0][2]}; all in {report}"
        if len(bad) == n or on_bad == "stop":
            raise OecalError(
                f"{found}; mend them" + (" or write on_bad: skip" if len(bad) < n else "")
            )
        logging.warning("%s; left out", found)
    removed: dict[str, dict[str, int]] = {}
    for part, _, reason in bad:
        counts, kind = removed.setdefault(part, {}), reason.split(":")[0]
        counts[kind] = counts.get(kind, 0) + 1
    return removed


def image_set(
    parts: Mapping[str, ImageSplit],
    classes: Sequence[str],
    removed: dict[str, dict[str, int]],
    source: str,
    where: str | Path,
    sha256: str,
) -> ImageSet:
    """The set of the parts as read, divided if that is still to do.

    Raises OecalError if a part is empty or they differ in shape.
    """
    if empty := [name for name, part in parts.items() if not len(part.images)]:
        raise OecalError(
            f"{where}: the split '{empty[0]}' has no image that can be used; put one there, or leave the split out"
        )
    if len(shapes := sorted({part.images.shape[1:] for part in parts.values()})) > 1:
        raise OecalError(
            f"{where}: images of {shapes[0]} and {shapes[1]} (channels, height, width); write {EXAMPLE}"
        )
    splits = divide(parts[ALL], where) if ALL in parts else dict(parts)
    return ImageSet(
        splits,
        source=source,
        licence="your own images",
        sha256=sha256,
        classes=tuple(classes),
        removed=removed,
    )


def keys(
    there: Collection[str], between: str, options: Any, where: str | Path
) -> dict[str, tuple[str, str | None]]:
    """The names of each part's images and labels (None: has none) in a file that holds `there`.

    between: what stands between split and array in a name, as in train_images; options: `images`,
    `labels` and `splits`. Raises OecalError for a name that is not there; only the usual name for
    labels may be missing.
    """
    if options.splits == "given":
        ending = between + options.images
        splits = given(
            {key.removesuffix(ending) for key in there if key.endswith(ending)},
            f"{where}: names before '{ending}'",
        )
        found = {
            split: (name + ending, f"{name}{between}{options.labels}")
            for split, name in splits.items()
        }
    elif options.images in there:
        found = {part(options.splits): (options.images, options.labels)}
    else:
        raise OecalError(f"{where}: images: {explain_unknown(options.images, there)}")
    if options.labels != "labels" and not any(labels in there for _, labels in found.values()):
        raise OecalError(f"{where}: labels: {explain_unknown(options.labels, there)}")
    return {
        part: (images, labels if labels in there else None)
        for part, (images, labels) in found.items()
    }


def layout(array: Any, where: str) -> str:
    """The axes of an array of images: "NHW", "NHWC" or "NCHW".

    Raises OecalError if none or two of them fit, or for a wrong type.
    """
    if array.dtype.kind != "f" and array.dtype.str[1:] not in ("u1", "u2"):
        raise OecalError(
            f"{where}: found type {array.dtype}, expected uint8, uint16, or floats from 0 to 1"
        )
    shape: tuple[int, ...] = array.shape or ()
    fits = {
        "NHW": len(shape) == 3 and shape[2] > 3,  # else it is rather one image than N
        "NHWC": len(shape) == 4 and shape[3] in (1, 3),
        "NCHW": len(shape) == 4 and shape[1] in (1, 3),
    }
    if sum(fits.values()) == 2:
        raise OecalError(
            f"{where}: found shape {shape}, which is (N, H, W, C) as well as (N, C, H, W); give images of more than 3 x 3 pixels"
        )
    if not any(fits.values()) or 0 in shape:
        raise OecalError(
            f"{where}: found shape {shape}, expected (N, H, W), (N, H, W, C) or (N, C, H, W) with N > 0 and C = 1 or 3"
        )
    return next(name for name, fit in fits.items() if fit)


def to_uint8(values: np.ndarray) -> np.ndarray:
    """uint16 divided by 257, floats times 255; rounded."""
    if values.dtype.kind == "f":
        rounded: np.ndarray = np.rint(255 * np.clip(values, 0, 1).astype(np.float64)).astype(
            np.uint8
        )
        return rounded
    return values if values.dtype == np.uint8 else from_16_bit(values)


def images_of(array: Any, where: str, form: Format | None) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 (M, C, H, W), and which M of the N they are, bool (N,): those that are finite.

    array: of NumPy or HDF5, checked by `layout`; read in blocks. Raises OecalError, naming `where`,
    for floats beyond 0 and 1.
    """
    n, axes = (
        len(array),
        {"NHW": (0, 1, 2), "NHWC": (0, 3, 1, 2), "NCHW": (0, 1, 2, 3)}[layout(array, where)],
    )
    step = max(1, BLOCK * n // array.nbytes)
    usable, low, high, out, filled = np.ones(n, bool), np.inf, -np.inf, np.empty(0, np.uint8), 0
    for start in tqdm(range(0, n, step), desc="images", leave=False, disable=None):
        block = np.asarray(array[start : start + step])
        if block.dtype.kind == "f":
            usable[start : start + step] = finite = (
                np.isfinite(block).reshape(len(block), -1).all(1)
            )
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
            f"{where}: found floats from {low:g} to {high:g}, expected 0 to 1, or uint8 from 0 to 255"
        )
    return out[:filled], usable


def labels_of(array: Any, n: int, where: str) -> np.ndarray:
    """Labels (n,), int64 or text. Raises OecalError, naming `where`, for another length or type."""
    if array.shape not in ((n,), (n, 1)):
        raise OecalError(f"{where}: found shape {array.shape}, expected ({n},), one for each image")
    values = np.asarray(array[()]).reshape(n)
    if values.dtype.kind in "SO":  # HDF5 gives texts as bytes
        values = np.array(
            [v.decode(errors="replace") if isinstance(v, bytes) else v for v in values.tolist()]
        )
    if values.dtype.kind not in "biuU":
        raise OecalError(f"{where}: found type {values.dtype}, expected integers or texts")
    return values if values.dtype.kind == "U" else values.astype(np.int64)


def numbered(
    labels: Mapping[str, np.ndarray], names: Sequence[str], where: str | Path
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """The labels of all parts as class numbers 0, 1, ..., and the classes: the values that occur, sorted. The integer -1 is no label.

    names: of the classes, if there is one for each value, or if the values are indices into them;
    else passed over.
    """
    values = np.concatenate([*labels.values()]) if labels else np.empty(0, np.int64)
    if values.dtype.kind == "U":
        known = np.unique(values)
        return {
            part: np.searchsorted(known, own.astype(values.dtype)) for part, own in labels.items()
        }, tuple(map(str, known))
    known = np.unique(values[values != UNLABELLED])
    if known.tolist() == [1] and UNLABELLED in values:
        raise OecalError(f"{where}: the labels are -1 and 1, but -1 means: no label; write 0 and 1")
    # Of classes without an image there are names only. As many names as images are rather the names
    # of the images.
    if len(known) and known[0] >= 0 and known[-1] < len(names) and len(names) != len(values):
        known = np.arange(len(names))
    if names and len(names) != len(known):
        logging.warning("%s: %d names for %d classes, passed over", where, len(names), len(known))
    classes = tuple(names) if len(names) == len(known) else tuple(map(str, known))
    return {
        part: np.where(own == UNLABELLED, UNLABELLED, np.searchsorted(known, own))
        for part, own in labels.items()
    }, classes


def from_arrays(
    arrays: Mapping[str, tuple[str, Any, Any]],
    names: Sequence[str],
    options: Any,
    path: Path,
    form: Format | None,
    report: Path,
) -> ImageSet:
    """The set of a file's arrays, {part: (name, images, labels or None)}.

    options: `path` as given and `on_bad`.
    """
    labels = {}
    for part, (name, images, own) in arrays.items():
        layout(images, f"{path}: {name}")
        if own is not None:
            labels[part] = labels_of(own, len(images), f"{path}: the labels of {name}")
    labels, classes = numbered(labels, names, path)
    parts, bad, n = {}, [], 0
    for part, (name, array, _) in arrays.items():
        images, usable = images_of(array, f"{path}: {name}", form)
        bad += [
            (part, f"{name}[{row}]", "not finite: NaN or infinity")
            for row in np.flatnonzero(~usable)
        ]
        parts[part] = (
            ImageSplit(images, labels[part][usable])
            if part in labels
            else ImageSplit.unlabelled(images)
        )
        n += len(array)
    removed = settled(bad, n, "images", path, report, options.on_bad)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return image_set(parts, classes, removed, options.path, path, sha256)
