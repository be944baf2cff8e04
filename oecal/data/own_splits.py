"""What the sources of a user's own images share: paths, splits, reports of unusable images."""

from __future__ import annotations

import csv
import logging
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from oecal.core.errors import OecalError, Unavailable
from oecal.core.files import replacing
from oecal.core.seeds import make_generator
from oecal.data.store import ImageSet, ImageSplit

ALL = "all"  # the one part of a set that has yet to be divided
SPLIT_NAMES = {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}
FORMAT_EXAMPLE = "format: {size: 32, channels: 3}"


class Unusable(NamedTuple):
    """An image that cannot be used."""

    part: str
    """the part of the set it belongs to: a split, or ALL"""
    name: str
    """its path, or its place in an array"""
    reason: str
    """why; the text before the first colon is the kind of reason, which is counted"""


def find_path(path: str, root: Path, folder: bool) -> Path:
    """Return the folder or file that the option `path` names, relative to the data root.

    Raise Unavailable if nothing is there, OecalError if it is a file where a folder is expected or
    the other way round.
    """
    full = (root / os.path.expanduser(path)).absolute()
    if not full.exists():
        raise Unavailable(
            f"path: {full} does not exist; use a path that is absolute or relative to the data "
            f"root {root.absolute()}"
        )
    if full.is_dir() != folder:
        hint = (
            "is a file, not a folder; use source: npz or source: hdf5 for it"
            if folder
            else "is a folder, not a file; use source: folder for it"
        )
        raise OecalError(f"path: {full} {hint} (data root: {root.absolute()})")
    return full


def name_single_part(splits: str) -> str:
    """Return the part that all images go to when the option `splits` is not given."""
    return ALL if splits == "divide" else splits


def match_splits(names: Collection[str], where: str | Path) -> dict[str, str]:
    """Return {split: its name} for the `names` that are names of splits, in any case.

    Other names are logged and ignored. Raise OecalError if no name is one of a split, or two mean
    the same split.
    """
    matches = {
        split: [name for name in sorted(names) if name.lower() in aliases]
        for split, aliases in SPLIT_NAMES.items()
    }
    if not any(matches.values()):
        raise OecalError(
            f"{where}: found {', '.join(sorted(names)) or 'nothing'}; with splits: given, expected "
            "at least one of train, val and test (or use splits: divide, train or test)"
        )
    if twice := next((same for same in matches.values() if len(same) > 1), None):
        raise OecalError(f"{where}: {' and '.join(twice)} are the same split; keep one of them")
    if others := sorted(set(names) - {name for same in matches.values() for name in same}):
        logging.warning("%s: ignored, as these are not splits: %s", where, ", ".join(others))
    return {split: same[0] for split, same in matches.items() if same}


def divide(data: ImageSplit, where: str | Path) -> dict[str, ImageSplit]:
    """Divide images 80/10/10 into train, val and test, at random but always in the same way.

    Each class is divided in these shares (val and test to within one image); the classes of a split
    are mixed. Raise OecalError for fewer than 10 images.
    """
    if len(data.images) < 10:
        raise OecalError(
            f"{where}: found {len(data.images)} images; splits: divide needs at least 10 (or use "
            "splits: train or splits: test)"
        )
    order = make_generator("own", "divide").permutation(len(data.images))
    # Class by class, so that every tenth image is a tenth of each class.
    order = order[np.argsort(data.labels[order], kind="stable")]
    turn = np.arange(len(order)) % 10
    mixed = make_generator("own", "mix")  # so that the first images of a split are of all classes
    indices = {
        "train": mixed.permutation(order[turn < 8]),
        "val": mixed.permutation(order[turn == 8]),
        "test": mixed.permutation(order[turn == 9]),
    }
    return {
        name: ImageSplit(data.images[index], data.labels[index]) for name, index in indices.items()
    }


def report_unusable(
    unusable: Sequence[Unusable], n: int, what: str, where: str | Path, report: Path, on_bad: str
) -> dict[str, dict[str, int]]:
    """Write the images that cannot be used to `report` (CSV) and count them.

    n: number of images, usable or not; what: "files" or "images", for messages; on_bad: stop or
    skip. Return {part: {kind of reason: number}}. Raise OecalError if any image is unusable and
    `on_bad` is stop, or if no usable image is left.
    """
    with replacing(report) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        rows = [(name, reason) for _, name, reason in unusable]
        csv.writer(file, lineterminator="\n").writerows([("path", "reason"), *rows])
    if unusable:
        _, name, reason = unusable[0]
        summary = (
            f"{where}: {len(unusable):,} of {n:,} {what} cannot be used, first {name}: {reason}; "
            f"all are listed in {report}"
        )
        if len(unusable) == n:
            raise OecalError(f"{summary}; repair or replace them")
        if on_bad == "stop":
            raise OecalError(f"{summary}; repair them, or leave them out with on_bad: skip")
        logging.warning("%s; left out", summary)
    removed: dict[str, dict[str, int]] = {}
    for part, _, reason in unusable:
        counts, kind = removed.setdefault(part, {}), reason.split(":")[0]
        counts[kind] = counts.get(kind, 0) + 1
    return removed


def assemble_set(
    parts: Mapping[str, ImageSplit],
    classes: Sequence[str],
    removed: dict[str, dict[str, int]],
    source: str,
    where: str | Path,
    sha256: str,
) -> ImageSet:
    """Return the image set made of the parts, dividing the part ALL into splits.

    Raise OecalError if a part has no images, or the parts differ in the shape of their images.
    """
    if empty := [name for name, part in parts.items() if not len(part.images)]:
        raise OecalError(
            f"{where}: the split '{empty[0]}' has no usable image; add images, or remove the split"
        )
    if len(shapes := sorted({part.images.shape[1:] for part in parts.values()})) > 1:
        raise OecalError(
            f"{where}: found images of {shapes[0]} and {shapes[1]} (channels, height, width); give "
            f"them one size with, for example, {FORMAT_EXAMPLE}"
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
