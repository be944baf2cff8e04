"""Reading archives and folders, without unpacking them to disk.

Nothing in an archive is trusted: names must stay inside it, only files and folders may be in it,
and its size is limited. `oecal.data.archive_readers` reads the formats.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TypeVar

from oecal.core.errors import OecalError, summarize_error
from oecal.data.archive_readers import (
    DAMAGE,
    MEMBER,
    ArchivedFile,
    Meter,
    open_inflated,
    read_any,
    read_chunks,
)
from oecal.data.download import locked

LIMIT = 64 << 30  # bytes of all members together
INFLATED = 16 << 30  # bytes of a single compressed file
T = TypeVar("T")


def read_members(
    path: Path, wanted: Callable[[str], bool], limit: int = LIMIT
) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of the files with a wanted name in an archive or folder.

    The archive is a tar (plain, gz, bz2, xz) or a zip, whatever its suffix. Names have "/" and no
    leading "./". A folder's come sorted, an archive's in its own order, in one pass. What macOS
    adds is left out.

    Raise OecalError (archive, member, what is wrong) for a name that leads out, for links and
    special files even if not wanted (a folder may hold links to inside itself), for an encrypted,
    damaged or cut-off archive, for more than `limit` bytes. An archive is checked as it is read: an
    error may come after the first members.
    """
    for name, size, content in read_checked(path, limit):
        if wanted(name):
            yield name, join_chunks(f"{path}: {name!r}", size, content, MEMBER)


def extract(path: Path, to: Path, limit: int = LIMIT) -> None:
    """Unpack an archive to the folder `to`, which is whole or absent at any moment.

    Do nothing if it holds files already. Raise as `read_members`.
    """
    temporary = to.with_name(f".{to.name}.tmp")
    try:
        with locked(to):
            if to.exists() and any(to.iterdir()):
                return
            # Left by a killed run: the lock says that no one else is at it.
            shutil.rmtree(temporary, ignore_errors=True)
            try:
                temporary.mkdir()
                for name, _, content in read_checked(path, limit):
                    (temporary / name).parent.mkdir(parents=True, exist_ok=True)
                    with (temporary / name).open("wb") as file:
                        file.writelines(content)
                temporary.rename(to)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise OecalError(
            f"{to}: {path} cannot be unpacked here ({error.strerror or error}); free some space, "
            "or move what is in the way"
        ) from error


def read_inflated(path: Path, limit: int = INFLATED) -> bytes:
    """Return the content of a file, inflated if its first bytes say gz, bz2 or xz.

    Raise OecalError if it is damaged or has more than `limit` bytes.
    """
    chunks = read_chunks(partial(open_inflated, path))
    return join_chunks(str(path), 0, explain_damage(str(path), chunks), limit)


def join_chunks(what: str, size: int, content: Iterator[bytes], limit: int) -> bytes:
    """Return all of the content.

    size: bytes it is declared to have. Raise OecalError if these, or those it has, are more than
    `limit`. what: file and member, for the message.
    """
    chunks, so_far = [], 0
    while max(size, so_far) <= limit and (chunk := next(content, None)) is not None:
        chunks.append(chunk)
        so_far += len(chunk)
    if max(size, so_far) > limit:
        raise OecalError(
            f"{what}: exceeds the limit of {limit} bytes that are held in memory; replace it with "
            "a good copy"
        )
    return b"".join(chunks)


def leads_out(name: str) -> bool:
    """Tell whether a member's name could lead out of the folder that it is unpacked to."""
    is_absolute = name.startswith("/") or name[1:2] == ":"
    return is_absolute or ".." in PurePosixPath(name).parts or "\\" in name or "\0" in name


def read_checked(path: Path, limit: int) -> Iterator[ArchivedFile]:
    """Yield the files of an archive or folder, without folders and what macOS adds.

    Raise OecalError for a name that leads out, and whatever is wrong with the archive.
    """
    meter = Meter(path, limit)
    for name, size, content in explain_damage(str(path), read_any(path, meter)):
        meter.member, clean = name, PurePosixPath(name)
        if leads_out(name):
            raise OecalError(
                f"{path}: {name!r}: this name leads out of the archive; use another archive"
            )
        from_macos = clean.parts[:1] == ("__MACOSX",) or clean.name.startswith("._")
        if not from_macos and not name.endswith("/"):
            yield ArchivedFile(str(clean), size, explain_damage(f"{path}: {name!r}", content))


def explain_damage(what: str, items: Iterator[T]) -> Iterator[T]:
    """Yield the items; turn whatever a damaged archive makes the readers raise into one line."""
    try:
        yield from items
    except DAMAGE as error:
        raise OecalError(
            f"{what}: is damaged or cannot be read ({summarize_error(error)}); replace it with a "
            "good copy"
        ) from error
