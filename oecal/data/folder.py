"""Your own images from a folder, in any format that Pillow reads; subfolders may be the classes."""

from __future__ import annotations

import hashlib
import logging
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal, NamedTuple

import numpy as np
from tqdm import tqdm

from oecal.core.errors import OecalError
from oecal.data import own
from oecal.data.decode import BadImage, decode
from oecal.data.preprocess import Format
from oecal.data.store import UNLABELLED, ImageSet, ImageSplit

FROM_FILES = True
CHUNK = 1024  # files given to the threads at a time
NO_IMAGE = {"thumbs.db", "desktop.ini", "readme", "license", "licence", "copying"}
NO_IMAGE_ENDINGS = {
    ".txt",
    ".md",
    ".rst",
    ".csv",
    ".tsv",
    ".json",
    ".jsonl",
    ".xml",
    ".yaml",
    ".yml",
    ".toml",
    ".ini",
    ".log",
    ".html",
    ".htm",
    ".pdf",
    ".py",
    ".ipynb",
    ".sh",
    ".mat",
    ".npy",
    ".npz",
    ".h5",
    ".hdf5",
    ".pkl",
    ".zip",
    ".tar",
    ".gz",
    ".tgz",
    ".db",
    ".doc",
    ".docx",
    ".xls",
    ".xlsx",
}


@dataclass(frozen=True)
class Options:
    """Images anywhere below the folder.

    Hidden files and those that are no images by their names (*.txt, Thumbs.db) are passed over.
    """

    path: str
    """the folder: absolute, from ~, or relative to the data root"""
    splits: Literal["divide", "train", "test", "given"] = "divide"
    """divide: 80/10/10, each class alike; train, test: all into this split; given: subfolders train, val (or valid, validation), test"""
    labels: Literal["auto", "folders", "none"] = "auto"
    """folders: each subfolder is a class; none: unlabelled; auto: folders, if all images are in subfolders"""
    on_bad: Literal["stop", "skip"] = "stop"
    """what happens at files that cannot be used"""

    def __post_init__(self) -> None:
        if not self.path:
            raise ValueError("path is empty; write that of the folder")


class Row(NamedTuple):
    """A file of the set: its split, its path below the folder, its class."""

    part: str
    name: PurePath
    label: int


def hidden(name: str) -> bool:
    """Whether a file or folder is left out without a word: names with a leading dot, and what macOS packs beside the files."""
    return name.startswith(".") or name == "__MACOSX"


def no_image(name: str) -> bool:
    """Whether a file is plainly no image by its name."""
    return (
        hidden(name)
        or name.lower() in NO_IMAGE
        or PurePath(name).suffix.lower() in NO_IMAGE_ENDINGS
    )


def subfolders(folder: Path) -> list[str]:
    """The names of a folder's own subfolders, sorted, without the hidden ones."""
    return sorted(
        entry.name for entry in folder.iterdir() if entry.is_dir() and not hidden(entry.name)
    )


def refuse(error: OSError) -> None:
    """For `os.walk`, which would skip a folder that it cannot read: raises OecalError instead."""
    raise OecalError(
        f"{error.filename}: the folder cannot be read ({error.strerror}); see to its permissions"
    )


def list_image_files(top: Path) -> list[PurePath]:
    """The files anywhere below `top` that may be images by their names, relative to it, sorted.

    Links are followed.
    """
    found, seen = [], set()
    for folder, folders, files in os.walk(top, onerror=refuse, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:  # a link back up would never end
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not hidden(name))
        found += [
            PurePath(os.path.relpath(folder, top), name) for name in files if not no_image(name)
        ]
    return sorted(found)


def are_classes(names: Mapping[str, list[PurePath]], labels: str, top: Path) -> bool:
    """Whether subfolders are classes, by the option `labels`.

    Raises OecalError if they must be and cannot, or if only some can.
    """
    loose = {
        part: [name for name in inside if len(name.parts) == 1] for part, inside in names.items()
    }
    if labels == "folders" and (flat := [name for inside in loose.values() for name in inside]):
        raise OecalError(
            f"{top}: labels is folders, but {len(flat):,} images are in no class folder, first {flat[0]}; write labels: none"
        )
    if labels == "auto" and any(loose.values()) and not all(loose.values()):
        flat_parts = ", ".join(part for part, inside in loose.items() if inside)
        raise OecalError(
            f"{top}: the images in {flat_parts} are in no class folders, unlike the others; move them, or write labels: none"
        )
    if labels == "auto" and any(0 < len(loose[part]) < len(names[part]) for part in names):
        logging.warning(
            "%s: has images beside its subfolders of images, so no labels: write labels: none, or move them",
            top,
        )
    return labels == "folders" or (labels == "auto" and not any(loose.values()))


def listed(top: Path, options: Options) -> tuple[list[Row], list[str]]:
    """All files of all splits, and the classes, sorted by name.

    Raises OecalError if a split has no files.
    """
    tops = (
        own.given(subfolders(top), top)
        if options.splits == "given"
        else {own.part(options.splits): ""}
    )
    names = {part: list_image_files(top / folder) for part, folder in tops.items()}
    if empty := [part for part in names if not names[part]]:
        raise OecalError(
            f"path: there are no images below {top / tops[empty[0]]}; put some there, or write another folder"
        )
    if not are_classes(names, options.labels, top):
        return [
            Row(part, tops[part] / name, UNLABELLED) for part in names for name in names[part]
        ], []
    classes = sorted({name.parts[0] for part in names for name in names[part]})
    number = {name: n for n, name in enumerate(classes)}
    return [
        Row(part, tops[part] / name, number[name.parts[0]])
        for part in names
        for name in names[part]
    ], classes


def loaded(
    paths: Sequence[Path], form: Format | None
) -> Iterator[tuple[str, np.ndarray] | BadImage]:
    """Each file's SHA-256 and its image uint8 (C, H, W), in the format if there is one, or why not; in the order of the paths."""

    def one(path: Path) -> tuple[str, np.ndarray] | BadImage:
        try:
            content = path.read_bytes()
            image = decode(content)
        except OSError as error:
            return BadImage(f"cannot be opened: {error.strerror}")
        except BadImage as error:
            return error
        return hashlib.sha256(content).hexdigest(), form(image[None])[0] if form else image

    with ThreadPoolExecutor() as pool:
        for start in range(0, len(paths), CHUNK):
            yield from pool.map(one, paths[start : start + CHUNK])


def build(options: Options, root: Path, form: Format | None, report: Path) -> ImageSet:
    """The images sorted by path.

    The SHA-256 is that of the lines that the tool sha256sum would print for them, so sorted.

    Without `form` those of another size than most cannot be used; they are RGB if one of them is.
    Raises OecalError, in one line, for whatever is wrong.
    """
    top = own.located(options.path, root, folder=True)
    rows, classes = listed(top, options)
    results = list(
        tqdm(
            loaded([top / row.name for row in rows], form),
            desc="images",
            total=len(rows),
            leave=False,
            disable=None,
        )
    )
    sizes = Counter(result[1].shape[1:] for result in results if not isinstance(result, BadImage))
    height, width = max(sizes, key=lambda size: (sizes[size], size), default=(0, 0))
    good: list[tuple[Row, str, np.ndarray]] = []
    bad = []
    for row, result in zip(rows, results, strict=True):
        if isinstance(result, BadImage):
            reason = str(result)
        elif (size := result[1].shape[1:]) != (height, width):
            reason = f"another size: {size[0]} x {size[1]}, most have {height} x {width}; if that is meant, write {own.EXAMPLE}"
        else:
            good.append((row, *result))
            continue
        name = os.fsencode(row.name.as_posix()).decode(
            errors="backslashreplace"
        )  # Linux allows names that are no text
        bad.append((row.part, name, reason))
    removed = own.settled(bad, len(rows), "files", top, report, options.on_bad)
    same = form or Format((max(len(image) for *_, image in good), height, width))
    parts = {}
    for part in dict.fromkeys(row.part for row in rows):
        own_rows = [(row.label, image) for row, _, image in good if row.part == part]
        stacked = np.array([same(image[None])[0] for _, image in own_rows], np.uint8).reshape(
            -1, *same.shape
        )
        parts[part] = ImageSplit(stacked, np.array([label for label, _ in own_rows], np.int64))
    hashes = sorted((row.name, sha256) for row, sha256, _ in good)
    lines = b"".join(
        sha256.encode() + b"  " + os.fsencode(name.as_posix()) + b"\n" for name, sha256 in hashes
    )
    return own.image_set(
        parts, classes, removed, options.path, top, hashlib.sha256(lines).hexdigest()
    )
