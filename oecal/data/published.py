"""Published data sets: files that are there already or are fetched, verified, and read by the reader of their format.

Each set is an entry of the table `published.yaml`. In a configuration its name stands as the
source: `{source: fashion_mnist}`. Files lie below the data root as torchvision lays them out, so
that a root made by torchvision serves, and the other way round.
"""

from __future__ import annotations

import hashlib
import logging
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from oecal.core.component_imports import import_component
from oecal.core.errors import OecalError, Unavailable, summarize_error
from oecal.core.seeds import make_generator
from oecal.data.archives import DAMAGE, members
from oecal.data.checksums import compute_digest, has_checksum
from oecal.data.download import download
from oecal.data.preprocess import Format
from oecal.data.store import ImageSet, ImageSplit
from oecal.data.table import load_published_sets

FROM_FILES = True


@dataclass(frozen=True)
class Options:
    """An entry of published.yaml, in whole or in part."""

    name: str
    """the entry; as a rule written as the source itself"""
    splits: tuple[Literal["train", "val", "test"], ...] = ()
    """the splits to have, by default all: only their files are needed"""
    val_share: float = 0.1
    """share of the training images of each class that is held out as `val` where the set has no such split; 0: none"""
    attribute: str = ""
    """CelebA only: the attribute that is the label, such as Smiling; without it the images have no labels"""

    def __post_init__(self) -> None:
        if not 0 <= self.val_share <= 0.5:
            raise ValueError(f"val_share is {self.val_share}; write 0 to 0.5")
        if self.attribute and self.name != "celeba":
            raise ValueError(
                f"attribute is {self.attribute}, but {self.name} has none; leave it out"
            )


def checksum(about: Mapping[str, Any]) -> str:
    """The pinned checksum of a file, `sha256:...` or `md5:...`; empty if none is known."""
    return next((f"{kind}:{about[kind]}" for kind in ("sha256", "md5") if kind in about), "")


def check(path: Path, about: Mapping[str, Any]) -> None:
    """Raises OecalError unless the file has its pinned checksum."""
    pinned = checksum(about)
    try:
        same = not pinned or has_checksum(path, pinned)
    except OSError as error:
        raise OecalError(
            f"{path}: cannot be read ({error.strerror or error}); see to its permissions"
        ) from None
    if not same:
        raise OecalError(
            f"{path}: is damaged or another file (its {pinned.split(':')[0]} is not the pinned one); delete it and run again"
        )


def wanted(about: Mapping[str, Any], splits: Sequence[str]) -> bool:
    """Whether these splits need the file."""
    return about.get("split", "") in ("", *splits)


@dataclass(frozen=True)
class Raw:
    """Where the content of a file of the table lies, packed or unpacked, and its SHA-256."""

    path: Path
    sha256: str


def unpacked(
    row: Mapping[str, Any], root: Path, file: str, splits: Sequence[str]
) -> tuple[Path, dict[Path, dict[str, Any]]] | None:
    """Where the content of `file` lies unpacked, if it does, and what the table says of the files there."""
    folder = root / row["folder"]
    place = folder / row["files"][file].get(
        "unpacked", file.removesuffix(".gz").removesuffix(".xz")
    )
    if place == folder / file or not place.exists():
        return None
    listed = {
        root / name: about
        for name, about in row.get("unpacked", {}).items()
        if wanted(about, splits)
    }
    inside = {
        path: about for path, about in listed.items() if path == place or place in path.parents
    }
    return (place, inside) if all(path.is_file() for path in inside) else None


def locate(row: Mapping[str, Any], root: Path, splits: Sequence[str]) -> dict[str, Raw]:
    """Every needed file of the set by its name in the table, verified: packed, or unpacked, or another version, or else downloaded.

    Raises Unavailable if a file is neither there nor to be had, OecalError if one is damaged.
    """
    needed = [
        file
        for file, about in row["files"].items()
        if wanted(about, splits) and row.get(about.get("needs", "files"))
    ]
    return {file: located(row, root, file, splits) for file in needed}


def located(row: Mapping[str, Any], root: Path, file: str, splits: Sequence[str]) -> Raw:
    """The same for one file."""
    about, folder = row["files"][file], root / row["folder"]
    place, inside = unpacked(row, root, file, splits) or (None, {})
    sure = inside and all("sha256" in pinned for pinned in inside.values())
    if place and (sure or not (folder / file).exists()):
        return loose(place, inside)
    if (folder / file).exists():
        return packed(folder / file, about)
    for name, other in about.get("instead", {}).items():
        if (folder / name).exists():
            return packed(folder / name, other)
        if (folder / other["unpacked"]).exists():
            return loose(folder / other["unpacked"], {})
    fetch(row, file, folder / file)
    return packed(folder / file, about)


def packed(path: Path, about: Mapping[str, Any]) -> Raw:
    """An archive as it was published, once its size and checksum are those of the table.

    Its SHA-256 is computed if the table has none.

    Raises OecalError if they are not.
    """
    check(path, about)
    return Raw(path, about.get("sha256") or content_sha256(path))


def loose(place: Path, inside: Mapping[Path, Mapping[str, Any]]) -> Raw:
    """An unpacked file or folder; `inside` are those of its files that the table knows."""
    with (
        ThreadPoolExecutor() as pool
    ):  # hashing is most of the work, and runs beside other Python code
        list(pool.map(check, inside, inside.values()))
    if not inside or not all(map(checksum, inside.values())):
        logging.info("%s: taken as it is; not all checksums of the unpacked files are known", place)
    digests = [inside[path].get("sha256") or content_sha256(path) for path in sorted(inside)]
    return Raw(place, combined(digests) if inside else content_sha256(place))


def fetch(row: Mapping[str, Any], file: str, path: Path) -> None:
    """Downloads one file. Raises Unavailable, with what to do by hand, if it cannot be had."""
    about = row["files"][file]
    urls = [*about.get("urls", []), *(mirror + file for mirror in row.get("mirrors", []))]
    if not urls:
        raise Unavailable(
            f"{path}: is not there, and cannot be downloaded; {row['get']}, below {path.parent}"
        )
    if not checksum(about):
        raise Unavailable(
            f"{path}: is not there, and is not downloaded, as no checksum of it is known; fetch {urls[0]} and put it there"
        )
    download(urls, path, checksum(about), about.get("size", 0))


def content_sha256(path: Path) -> str:
    """Of a file; of a folder, over the names and contents of its files."""
    if path.is_file():
        return compute_digest(path, "sha256")
    total = hashlib.sha256()
    for name, content in members(
        path, lambda name: True, limit=sys.maxsize
    ):  # of any size: a folder is no bomb
        total.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return total.hexdigest()


def combined(digests: Sequence[str]) -> str:
    """One SHA-256 of several; of one, itself."""
    return (
        digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
    )


def hold_out(train: ImageSplit, share: float) -> tuple[ImageSplit, ImageSplit]:
    """Training and validation images: `share` of each class, at random, always the same ones."""
    order = make_generator("val").permutation(len(train.images))
    by_class = [order[train.labels[order] == label] for label in np.unique(train.labels)]
    held = np.zeros(len(order), bool)
    held[np.concatenate([own[: round(share * len(own))] for own in by_class])] = True
    return ImageSplit(train.images[~held], train.labels[~held]), ImageSplit(
        train.images[held], train.labels[held]
    )


def build(options: Options, root: Path, form: Format | None, report: Path) -> ImageSet:
    """The set, with a validation split held out of the training images where it has none of its own.

    Raises OecalError if it has no such split, or if its files or their number of images are not
    those of the table.
    """
    row = {**load_published_sets()[options.name], "attribute": options.attribute}
    form = form or (Format(tuple(row["shape"])) if "shape" in row else None)
    holds_out = "train" in row["images"] and "val" not in row["images"] and options.val_share > 0
    known = [*row["images"], *["val"] * holds_out]
    if strange := [name for name in options.splits if name not in known]:
        raise OecalError(
            f"splits: {options.name} has no split '{strange[0]}'; write one or more of: {', '.join(known)}"
        )
    splits = tuple(
        dict.fromkeys(
            name if name in row["images"] else "train" for name in options.splits or row["images"]
        )
    )
    files = locate(row, root, splits)
    reader = import_component("data.formats", row["format"])
    try:
        found, classes = reader.read(
            {name: raw.path for name, raw in files.items()}, row, splits, form
        )
    except (*DAMAGE, TypeError) as error:
        paths = ", ".join(str(raw.path) for raw in files.values())
        reason = f"{type(error).__name__}: {summarize_error(error)}"
        raise OecalError(
            f"{options.name}: cannot be read ({reason}); put a good copy in place of {paths}"
        ) from error
    for name, split in found.items():
        n, expected = len(split.images), row["images"][name]
        if not n or (expected and n != expected):
            paths = ", ".join(
                str(raw.path) for file, raw in files.items() if wanted(row["files"][file], [name])
            )
            raise OecalError(
                f"{options.name}: has {n} images in {name} instead of {expected or 'some'}; put a whole copy in place of {paths}"
            )
    if "train" in found and holds_out:
        found["train"], found["val"] = hold_out(found["train"], options.val_share)
    kept = {
        name: split for name, split in found.items() if not options.splits or name in options.splits
    }
    total = combined([files[name].sha256 for name in sorted(files)])
    return ImageSet(
        kept,
        source=f"{row['title']}: {row['citation']}",
        licence=row["licence"],
        sha256=total,
        classes=classes,
    )
