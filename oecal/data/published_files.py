"""The raw files of a published set: found below the data root or fetched, and verified.

A file may be there as it was published, unpacked, or in another version that the table knows.
"""

from __future__ import annotations

import hashlib
import logging
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from oecal.core.errors import OecalError, Unavailable
from oecal.data.archives import read_members
from oecal.data.checksums import compute_digest, has_checksum
from oecal.data.download import download
from oecal.data.table import PublishedFile, PublishedSet


@dataclass(frozen=True)
class RawFile:
    """Where the content of a file of the table is, packed or unpacked, and its SHA-256."""

    path: Path
    sha256: str


def find_checksum(about: PublishedFile) -> str:
    """Return the pinned checksum of a file, `sha256:...` or `md5:...`; empty if none is known."""
    if "sha256" in about:
        return f"sha256:{about['sha256']}"
    return f"md5:{about['md5']}" if "md5" in about else ""


def check_file(path: Path, about: PublishedFile) -> None:
    """Raise OecalError unless the file has its pinned checksum, if there is one."""
    pinned = find_checksum(about)
    try:
        matches = not pinned or has_checksum(path, pinned)
    except OSError as error:
        raise OecalError(
            f"{path}: cannot be read ({error.strerror or error}); check its permissions"
        ) from None
    if not matches:
        raise OecalError(
            f"{path}: checksum mismatch (its {pinned.split(':')[0]} differs from the pinned one); "
            "delete it and run again"
        )


def serves_splits(about: PublishedFile, splits: Sequence[str]) -> bool:
    """Tell whether any of these splits needs the file."""
    return about.get("split", "") in ("", *splits)


def is_needed(about: PublishedFile, row: PublishedSet, splits: Sequence[str]) -> bool:
    """Tell whether these splits and the options, which are in the row, need the file."""
    options: Mapping[str, object] = {"attribute": row.get("attribute")}
    return serves_splits(about, splits) and (
        "needs" not in about or bool(options.get(about["needs"]))
    )


def locate_files(row: PublishedSet, root: Path, splits: Sequence[str]) -> dict[str, RawFile]:
    """Return every needed file of the set by its name in the table, verified.

    Raise Unavailable if a file is neither there nor to be had, OecalError if one is damaged.
    """
    return {
        file: locate_file(row, root, file, splits)
        for file, about in row["files"].items()
        if is_needed(about, row, splits)
    }


def locate_file(row: PublishedSet, root: Path, file: str, splits: Sequence[str]) -> RawFile:
    """Return one file: packed, unpacked or in another version, else downloaded; verified.

    Raise as `locate_files`.
    """
    about, folder = row["files"][file], root / row["folder"]
    unpacked = find_unpacked(row, root, file, splits)
    is_packed = (folder / file).exists()
    if unpacked:
        place, inside = unpacked
        pinned = bool(inside) and all("sha256" in known for known in inside.values())
        if pinned or not is_packed:
            return take_unpacked(place, inside)
    if is_packed:
        return take_packed(folder / file, about)
    for name, other in about.get("instead", {}).items():
        if (folder / name).exists():
            return take_packed(folder / name, other)
        if (folder / other["unpacked"]).exists():
            return take_unpacked(folder / other["unpacked"], {})
    fetch_file(row, file, folder / file)
    return take_packed(folder / file, about)


def find_unpacked(
    row: PublishedSet, root: Path, file: str, splits: Sequence[str]
) -> tuple[Path, dict[Path, PublishedFile]] | None:
    """Return where the content of `file` lies unpacked, and what the table says of files there.

    None if it does not, or not all that these splits need.
    """
    folder = root / row["folder"]
    place = folder / row["files"][file].get(
        "unpacked", file.removesuffix(".gz").removesuffix(".xz")
    )
    if place == folder / file or not place.exists():
        return None
    known = {
        root / name: about
        for name, about in row.get("unpacked", {}).items()
        if serves_splits(about, splits)
    }
    inside = {
        path: about for path, about in known.items() if path == place or place in path.parents
    }
    return (place, inside) if all(path.is_file() for path in inside) else None


def take_packed(path: Path, about: PublishedFile) -> RawFile:
    """Return an archive as it was published, once its checksum is that of the table.

    Raise OecalError if it is not.
    """
    check_file(path, about)
    return RawFile(path, about.get("sha256") or hash_content(path))


def take_unpacked(place: Path, inside: Mapping[Path, PublishedFile]) -> RawFile:
    """Return an unpacked file or folder; `inside` are those of its files that the table knows.

    Raise OecalError if one of them is damaged.
    """
    # Hashing is most of the work, and runs beside other Python code.
    with ThreadPoolExecutor() as pool:
        list(pool.map(check_file, inside, inside.values()))
    if not inside or not all(map(find_checksum, inside.values())):
        logging.info(
            "%s: used without a check; not all checksums of the unpacked files are known", place
        )
    digests = [inside[path].get("sha256") or hash_content(path) for path in sorted(inside)]
    return RawFile(place, combine_digests(digests) if inside else hash_content(place))


def fetch_file(row: PublishedSet, file: str, path: Path) -> None:
    """Download one file. Raise Unavailable, with what to do by hand, if it cannot be had."""
    about = row["files"][file]
    urls = [*about.get("urls", []), *(mirror + file for mirror in row.get("mirrors", []))]
    if not urls:
        raise Unavailable(
            f"{path}: does not exist and cannot be downloaded automatically; {row['get']}, below "
            f"{path.parent}"
        )
    if not find_checksum(about):
        raise Unavailable(
            f"{path}: does not exist, and is not downloaded because its checksum is not known; "
            f"fetch {urls[0]} and put it there"
        )
    download(urls, path, find_checksum(about), about.get("size", 0))


def hash_content(path: Path) -> str:
    """Return the SHA-256 of a file, or of the names and contents of the files in a folder."""
    if path.is_file():
        return compute_digest(path, "sha256")
    total = hashlib.sha256()
    # Of any size: a folder is no bomb.
    for name, content in read_members(path, lambda name: True, limit=sys.maxsize):
        total.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return total.hexdigest()


def combine_digests(digests: Sequence[str]) -> str:
    """Return one SHA-256 of several; of one, itself."""
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("".join(digests).encode()).hexdigest()
