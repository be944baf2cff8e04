"""Your own images from a folder, in any format that Pillow reads; subfolders may be the classes."""

from __future__ import annotations

import hashlib
import logging
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from typing import Literal, NamedTuple

import numpy as np
from tqdm import tqdm

from oecal.core.errors import OecalError
from oecal.data import own_splits
from oecal.data.decode import BadImage, decode
from oecal.data.preprocess import Format
from oecal.data.store import UNLABELLED, ImageSet, ImageSplit

FROM_FILES = True
CHUNK = 1024  # files given to the threads at a time
NOT_IMAGES = {"thumbs.db", "desktop.ini", "readme", "license", "licence", "copying"}
NOT_IMAGE_SUFFIXES = {
    *(".txt", ".md", ".rst", ".html", ".htm", ".pdf", ".doc", ".docx", ".log"),
    *(".csv", ".tsv", ".xls", ".xlsx", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".toml", ".ini"),
    *(".mat", ".npy", ".npz", ".h5", ".hdf5", ".pkl", ".db"),
    *(".zip", ".tar", ".gz", ".tgz"),
    *(".py", ".ipynb", ".sh"),
}


@dataclass(frozen=True)
class Options:
    """Images anywhere below the folder.

    Hidden files and those that are no images by their names (*.txt, Thumbs.db) are ignored.
    """

    path: str
    """the folder: absolute, from ~, or relative to the data root"""
    splits: Literal["divide", "train", "test", "given"] = "divide"
    """divide: 80/10/10, each class alike; train, test: all into this split; given: subfolders
    train, val (or valid, validation), test"""
    labels: Literal["auto", "folders", "none"] = "auto"
    """folders: each subfolder is a class; none: unlabelled; auto: folders, if all images are in
    subfolders"""
    on_bad: Literal["stop", "skip"] = "stop"
    """what happens at files that cannot be used"""

    def __post_init__(self) -> None:
        if not self.path:
            raise ValueError("path is empty; set it to the folder with the images")


class ImageFile(NamedTuple):
    """A file of the set: its part (split), its path below the folder, the number of its class."""

    part: str
    name: PurePath
    label: int


def is_hidden(name: str) -> bool:
    """Tell whether a file or folder is hidden, or is what macOS packs beside the files."""
    return name.startswith(".") or name == "__MACOSX"


def may_be_image(name: str) -> bool:
    """Tell whether a file's name leaves it open that it is an image."""
    return not (
        is_hidden(name)
        or name.lower() in NOT_IMAGES
        or PurePath(name).suffix.lower() in NOT_IMAGE_SUFFIXES
    )


def list_subfolders(folder: Path) -> list[str]:
    """Return the names of a folder's own subfolders, sorted, without the hidden ones."""
    return sorted(
        entry.name for entry in folder.iterdir() if entry.is_dir() and not is_hidden(entry.name)
    )


def raise_unreadable(error: OSError) -> None:
    """Raise OecalError for a folder that cannot be read, which `os.walk` would skip."""
    raise OecalError(
        f"{error.filename}: the folder cannot be read ({error.strerror}); check its permissions"
    )


def list_image_files(top: Path) -> list[PurePath]:
    """Return the files anywhere below `top` that may be images, relative to it, sorted.

    Links are followed.
    """
    names, visited = [], set()
    for folder, folders, files in os.walk(top, onerror=raise_unreadable, followlinks=True):
        real = os.path.realpath(folder)
        if real in visited:  # a link back up would never end
            folders.clear()
            continue
        visited.add(real)
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        names += [
            PurePath(os.path.relpath(folder, top), name) for name in files if may_be_image(name)
        ]
    return sorted(names)


def decide_classes(names: Mapping[str, list[PurePath]], labels: str, top: Path) -> bool:
    """Decide by the option `labels` whether subfolders are classes. `names`: {part: files}.

    Raise OecalError if they must be but some images are in none, or if they are classes in some
    parts only.
    """
    loose = {
        part: [name for name in files if len(name.parts) == 1] for part, files in names.items()
    }
    if labels == "folders" and (flat := [name for files in loose.values() for name in files]):
        raise OecalError(
            f"{top}: with labels: folders, every image must be in a class folder, but "
            f"{len(flat):,} are not, first {flat[0]}; move them into one, or use labels: none"
        )
    if labels == "auto" and any(loose.values()) and not all(loose.values()):
        flat_parts = ", ".join(part for part, files in loose.items() if files)
        raise OecalError(
            f"{top}: the images in {flat_parts} are not in class folders, unlike the others; move "
            "them into class folders, or use labels: none"
        )
    if labels == "auto" and any(0 < len(loose[part]) < len(names[part]) for part in names):
        logging.warning(
            "%s: some images are in subfolders and some are not, so no image gets a label; move "
            "them, or confirm this with labels: none",
            top,
        )
    return labels == "folders" or (labels == "auto" and not any(loose.values()))


def list_rows(top: Path, options: Options) -> tuple[list[ImageFile], list[str]]:
    """Return the files of all parts, and the classes, sorted by name.

    Raise OecalError if a part has no files.
    """
    if options.splits == "given":
        folders = own_splits.match_splits(list_subfolders(top), top)
    else:
        folders = {own_splits.name_single_part(options.splits): ""}
    names = {part: list_image_files(top / folder) for part, folder in folders.items()}
    if empty := [part for part in names if not names[part]]:
        raise OecalError(
            f"path: found no images below {top / folders[empty[0]]}; add some, or set path to "
            "another folder"
        )
    if not decide_classes(names, options.labels, top):
        rows = [
            ImageFile(part, folders[part] / name, UNLABELLED)
            for part in names
            for name in names[part]
        ]
        return rows, []
    classes = sorted({name.parts[0] for part in names for name in names[part]})
    number = {name: n for n, name in enumerate(classes)}
    rows = [
        ImageFile(part, folders[part] / name, number[name.parts[0]])
        for part in names
        for name in names[part]
    ]
    return rows, classes


class LoadedFile(NamedTuple):
    """A decoded file."""

    sha256: str
    image: np.ndarray
    """uint8 (C, H, W)"""


def load_file(path: Path, form: Format | None) -> LoadedFile | BadImage:
    """Read and decode a file, and bring it to the format if there is one; return why not."""
    try:
        content = path.read_bytes()
        image = decode(content)
    except OSError as error:
        return BadImage(f"cannot be opened: {error.strerror}")
    except BadImage as error:
        return error
    sha256 = hashlib.sha256(content).hexdigest()
    return LoadedFile(sha256, form(image[None])[0] if form else image)


def load_files(paths: Sequence[Path], form: Format | None) -> Iterator[LoadedFile | BadImage]:
    """Yield the result of `load_file` for each path, in their order, from several threads."""
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(paths), CHUNK):
            yield from pool.map(partial(load_file, form=form), paths[start : start + CHUNK])


def spell_name(name: PurePath) -> str:
    """Return a path as text, with what is no text escaped: Linux allows such names."""
    return os.fsencode(name.as_posix()).decode(errors="backslashreplace")


def hash_listing(hashes: Mapping[PurePath, str]) -> str:
    """Return the SHA-256 of what the tool sha256sum would print for the files, sorted by path."""
    lines = b"".join(
        sha256.encode() + b"  " + os.fsencode(name.as_posix()) + b"\n"
        for name, sha256 in sorted(hashes.items())
    )
    return hashlib.sha256(lines).hexdigest()


def build(options: Options, root: Path, form: Format | None, report: Path) -> ImageSet:
    """Return the set of a folder's images, sorted by path; its SHA-256 is that of `hash_listing`.

    Without `form`, images of another size than most of them cannot be used, and all are RGB if one
    of them is. Raise OecalError for whatever is wrong.
    """
    top = own_splits.find_path(options.path, root, folder=True)
    rows, classes = list_rows(top, options)
    files = load_files([top / row.name for row in rows], form)
    results = list(tqdm(files, desc="images", total=len(rows), leave=False, disable=None))
    sizes = Counter(file.image.shape[1:] for file in results if isinstance(file, LoadedFile))
    height, width = max(sizes, key=lambda size: (sizes[size], size), default=(0, 0))
    usable: list[tuple[ImageFile, LoadedFile]] = []
    unusable: list[own_splits.Unusable] = []
    for row, result in zip(rows, results, strict=True):
        if isinstance(result, BadImage):
            reason = str(result)
        elif (size := result.image.shape[1:]) != (height, width):
            reason = (
                f"another size: {size[0]} x {size[1]}, most have {height} x {width}; if that is "
                f"intended, set {own_splits.FORMAT_EXAMPLE}"
            )
        else:
            usable.append((row, result))
            continue
        unusable.append(own_splits.Unusable(row.part, spell_name(row.name), reason))
    removed = own_splits.report_unusable(unusable, len(rows), "files", top, report, options.on_bad)
    same = form or Format((max(len(file.image) for _, file in usable), height, width))
    parts = {}
    for part in dict.fromkeys(row.part for row in rows):
        own = [(row.label, file.image) for row, file in usable if row.part == part]
        images = np.array([same(image[None])[0] for _, image in own], np.uint8)
        labels = np.array([label for label, _ in own], np.int64)
        parts[part] = ImageSplit(images.reshape(-1, *same.shape), labels)
    sha256 = hash_listing({row.name: file.sha256 for row, file in usable})
    return own_splits.assemble_set(parts, classes, removed, options.path, top, sha256)
