"""Readers of tar, zip and folder, one pass each, that trust nothing they read.

Bytes are counted as they are inflated, in chunks, so that neither a bomb nor a wrong header can
fill memory or disk. Only files and folders may be in an archive.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol, cast

from oecal.core.errors import OecalError

CHUNK = 1 << 20
MEMBER = 4 << 30  # bytes of one member that may be held in memory
HEADER = 1 << 20  # bytes of a tar's extended header, held in memory; a path needs some hundreds
EXTENDED = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)


class Readable(Protocol):
    """A file opened for reading bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes, or all if it is negative."""


Opened = AbstractContextManager[Readable]
COMPRESSED: dict[bytes, Callable[[Path], Opened]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}
# What the standard library's readers raise at bytes that are not as they should be.
DAMAGE = (
    *(OSError, EOFError, ValueError, RuntimeError, LookupError),
    *(struct.error, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile),
)


class ArchivedFile(NamedTuple):
    """A file in an archive or folder."""

    name: str
    """with "/" at its end: a folder"""
    size: int
    """bytes, as declared"""
    content: Iterator[bytes]
    """to be read before the next file"""


class Meter:
    """Counts the bytes that come out of an archive."""

    def __init__(self, path: Path, limit: int) -> None:
        self.path, self.limit, self.left, self.member = path, limit, limit, ""

    def spend(self, data: bytes) -> bytes:
        """Return the bytes, counted. Raise OecalError at more than `limit` of them in all."""
        self.left -= len(data)
        if self.left < 0:
            raise OecalError(
                f"{self.path}: {self.member!r}: the archive unpacks to more than {self.limit} "
                "bytes; replace it with a good copy"
            )
        return data


def read_chunks(
    opener: Callable[[], Opened],
    spend: Callable[[bytes], bytes] = bytes,
    step: int = CHUNK,
) -> Iterator[bytes]:
    """Yield the content of what `opener` opens, which it does at the first chunk.

    So nothing is opened that nobody reads.
    """
    with opener() as file:
        while chunk := spend(file.read(step)):
            yield chunk


def open_plain(path: Path) -> Opened:
    """Open a file as it is."""
    return path.open("rb")


def open_inflated(path: Path) -> Opened:
    """Open a file, inflating it if its first bytes say gz, bz2 or xz."""
    with path.open("rb") as file:
        start = file.read(8)
    for magic, opener in COMPRESSED.items():
        if start.startswith(magic):
            return opener(path)
    return open_plain(path)


def read_any(path: Path, meter: Meter) -> Iterator[ArchivedFile]:
    """Yield the files of a folder or an archive, whatever its suffix, with unchecked names."""
    if path.is_dir():
        yield from read_folder(path, meter)
        return
    with path.open("rb") as file:
        start = file.read(tarfile.BLOCKSIZE)
    # is_zipfile comes last: it looks at the end of a file, where a tar may hold a zip.
    is_tar = (
        start[257:262] == b"ustar"
        or start.startswith(tuple(COMPRESSED))
        or not zipfile.is_zipfile(path)
    )
    yield from (read_tar if is_tar else read_zip)(path, meter)


class CheckedHeader(tarfile.TarInfo):
    """A tar's header.

    Tarfile itself takes a broken one for the archive's end, and reads an extended one of any size
    into memory.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> CheckedHeader:
        """Parse a header. Raise ReadError if it is broken or says an impossible size."""
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            # A block of zeros ends an archive.
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):
                raise
            raise tarfile.ReadError(f"not a tar or zip archive, or truncated: {error}") from error
        if header.size < 0 or (header.type in EXTENDED and header.size > HEADER):
            raise tarfile.ReadError(f"a header declares {header.size} bytes")
        return header


class MeteredStream:
    """What tarfile reads from: counts all that is inflated, also for members that no one wants."""

    def __init__(self, file: Readable, meter: Meter) -> None:
        self.file, self.meter = file, meter

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes, counted."""
        return self.meter.spend(self.file.read(size))


def describe_kind(header: tarfile.TarInfo) -> str:
    """Return what a member is that is neither file nor folder."""
    if header.issym():
        return "symbolic link"
    return "hard link" if header.islnk() else "special file"


def read_tar(path: Path, meter: Meter) -> Iterator[ArchivedFile]:
    """Yield the files of a tar, plain or compressed. Raise OecalError for links and the like."""
    with open_inflated(path) as file:
        stream = MeteredStream(file, meter)
        readable = cast("IO[bytes]", stream)  # of a stream, tarfile only reads
        tar: Any  # its list `members` is not in the type stubs
        with tarfile.open(fileobj=readable, mode="r|", tarinfo=CheckedHeader) as tar:
            while header := tar.next():
                # A stream is not read twice; millions of headers would stay in memory.
                tar.members.clear()
                if not (header.isfile() or header.isdir()) or header.issparse():
                    raise OecalError(
                        f"{path}: {header.name!r}: is a {describe_kind(header)}, which is not "
                        "unpacked; use an archive without it"
                    )
                yield ArchivedFile(
                    header.name + "/" * header.isdir(),
                    header.size,
                    read_chunks(partial(tar.extractfile, header)),
                )
        while stream.read(CHUNK):  # a gz keeps its checksum at the very end
            pass


def read_zip(path: Path, meter: Meter) -> Iterator[ArchivedFile]:
    """Yield the files of a zip. Raise OecalError for links and encrypted files."""
    with zipfile.ZipFile(path) as archive:
        if sum(info.file_size for info in archive.infolist()) > meter.limit:
            raise OecalError(
                f"{path}: the archive declares more than {meter.limit} bytes of content; replace "
                "it with a good copy"
            )
        for info in archive.infolist():
            if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise OecalError(
                    f"{path}: {info.filename!r}: is a link or special file, which is not unpacked; "
                    "use an archive without it"
                )
            if info.flag_bits & 1:
                raise OecalError(
                    f"{path}: {info.filename!r}: is encrypted; use an archive without a password"
                )
            content = read_chunks(partial(archive.open, info), meter.spend)
            yield ArchivedFile(info.filename, info.file_size, content)


def read_folder(root: Path, meter: Meter) -> Iterator[ArchivedFile]:
    """Yield the files anywhere in a folder, sorted.

    Links inside it are followed. Raise OecalError for one that leads out of it or in a circle.
    """
    files: list[tuple[str, Path]] = []
    # Each folder with the real folders that it lies in, itself too.
    folders: list[tuple[Path, tuple[Path, ...]]] = [(root, (root.resolve(),))]
    while folders:
        folder, above = folders.pop()
        for entry in folder.iterdir():
            if entry.is_symlink() and not entry.resolve(strict=True).is_relative_to(above[0]):
                raise OecalError(
                    f"{entry}: is a link that leads out of {root}; replace it with the file itself"
                )
            if entry.is_dir():
                if (real := entry.resolve()) in above:
                    raise OecalError(f"{entry}: is a link to a folder that contains it; delete it")
                folders.append((entry, (*above, real)))
            elif entry.is_file():
                files.append((entry.relative_to(root).as_posix(), entry))
    for name, file in sorted(files):
        size = file.stat().st_size
        # Nothing is inflated here, so a file may come in one piece, which saves a copy.
        step = min(max(size, CHUNK), MEMBER)
        yield ArchivedFile(name, size, read_chunks(partial(open_plain, file), meter.spend, step))
