"""Reading archives and folders, without unpacking them to disk.

Nothing in an archive is trusted: names must stay inside it, only files and folders may be in it,
and bytes are counted as they are inflated, in chunks, so that neither a bomb nor a wrong header can
fill memory or disk.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, TypeVar

from oecal.core.errors import OecalError, summarize_error
from oecal.data.download import locked

CHUNK = 1 << 20
LIMIT = 64 << 30  # bytes of all members together
MEMBER = 4 << 30  # bytes of one member, which `members` holds in memory
HEADER = (
    1 << 20
)  # bytes of a tar's extended header, which tarfile holds in memory; a path needs some hundreds
EXTENDED = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)
COMPRESSED: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}
DAMAGE = (  # what the standard library's readers raise at bytes that are not as they should be
    *(OSError, EOFError, ValueError, RuntimeError, LookupError),
    *(struct.error, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile),
)
T = TypeVar("T")
File = tuple[
    str, int, Iterator[bytes]
]  # name ("/" at its end: a folder), declared size, content (read it before the next file)


def members(
    path: Path, wanted: Callable[[str], bool], limit: int = LIMIT
) -> Iterator[tuple[str, bytes]]:
    """Yields (name, content) of the files with a wanted name in a tar (plain, gz, bz2, xz), a zip or a folder, whatever its suffix.

    Names have "/" and no leading "./". A folder's come sorted, an archive's in its own order, in
    one pass. What macOS adds is left out.

    Raises OecalError (archive, member, what is wrong) for a name that leads out, for links and
    special files even if not wanted (a folder may hold links to inside itself), for an encrypted,
    damaged or cut-off archive, for more than `limit` bytes. An archive is checked as it is read: an
    error may come after the first members.
    """
    for name, size, content in _files(path, limit):
        if wanted(name):
            yield name, _joined(f"{path}: {name!r}", size, content, MEMBER)


def extract(path: Path, to: Path, limit: int = LIMIT) -> None:
    """Unpacks the files to the folder `to`, which is whole or absent.

    Does nothing if it holds files already. Raises as `members`.
    """
    temporary = to.with_name(f".{to.name}.tmp")
    try:
        with locked(to):
            if to.exists() and any(to.iterdir()):
                return
            shutil.rmtree(
                temporary, ignore_errors=True
            )  # of a killed run: the lock says that no one else is at it
            try:
                temporary.mkdir()
                for name, _, content in _files(path, limit):
                    (temporary / name).parent.mkdir(parents=True, exist_ok=True)
                    with (temporary / name).open("wb") as file:
                        file.writelines(content)
                temporary.rename(to)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise OecalError(
            f"{to}: {path} cannot be unpacked there ({error.strerror or error}); make room or see what is there"
        ) from error


def opened(path: Path, limit: int = 16 << 30) -> bytes:
    """The content of a file, inflated if its first bytes say gz, bz2 or xz.

    Raises OecalError if damaged or of more than `limit` bytes.
    """
    return _joined(str(path), 0, _told(str(path), _chunks(partial(_inflated, path))), limit)


def _joined(what: str, size: int, content: Iterator[bytes], limit: int) -> bytes:
    """All of the content.

    Raises OecalError if it has, or is declared to have, more than `limit` bytes.
    """
    chunks, so_far = [], 0
    while max(size, so_far) <= limit and (chunk := next(content, None)) is not None:
        chunks.append(chunk)
        so_far += len(chunk)
    if max(size, so_far) > limit:
        raise OecalError(
            f"{what}: has more than {limit} bytes, too many to hold in memory; put a good copy in its place"
        )
    return b"".join(chunks)


def _files(path: Path, limit: int) -> Iterator[File]:
    """The files of an archive or a folder, their names checked. Raises OecalError."""
    meter = _Meter(path, limit)
    for name, size, content in _told(str(path), _read(path, meter)):
        meter.member, clean = name, PurePosixPath(name)
        if (
            name.startswith("/")
            or name[1:2] == ":"
            or ".." in clean.parts
            or "\\" in name
            or "\0" in name
        ):
            raise OecalError(
                f"{path}: {name!r}: a name that leads out of the archive; put another archive in its place"
            )
        if (
            clean.parts[:1] != ("__MACOSX",)
            and not clean.name.startswith("._")
            and not name.endswith("/")
        ):
            yield str(clean), size, _told(f"{path}: {name!r}", content)


def _told(what: str, items: Iterator[T]) -> Iterator[T]:
    """The items; whatever a damaged archive makes the readers raise becomes one line."""
    try:
        yield from items
    except DAMAGE as error:
        raise OecalError(
            f"{what}: is damaged or cannot be read ({summarize_error(error)}); put a good copy in its place"
        ) from error


class _Meter:
    """Counts the bytes that come out of an archive. Raises OecalError at more than `limit`."""

    def __init__(self, path: Path, limit: int) -> None:
        self.path, self.limit, self.left, self.member = path, limit, limit, ""

    def spend(self, data: bytes) -> bytes:
        self.left -= len(data)
        if self.left < 0:
            raise OecalError(
                f"{self.path}: {self.member!r}: more than {self.limit} bytes come out of the archive up to here; "
                "put a good copy in its place"
            )
        return data


def _chunks(
    opener: Callable[[], Any], spend: Callable[[bytes], bytes] = bytes, step: int = CHUNK
) -> Iterator[bytes]:
    """The content of what `opener` opens, at the first chunk: not everything is wanted."""
    with opener() as file:
        while chunk := spend(file.read(step)):
            yield chunk


def _inflated(path: Path) -> Any:
    with path.open("rb") as file:
        start = file.read(8)
    return next((opener for magic, opener in COMPRESSED.items() if start.startswith(magic)), open)(
        path, "rb"
    )


def _read(path: Path, meter: _Meter) -> Iterator[File]:
    if path.is_dir():
        yield from _folder(path, meter)
        return
    with path.open("rb") as file:
        start = file.read(tarfile.BLOCKSIZE)
    # is_zipfile comes last: it looks at the end of a file, where a tar may hold a zip.
    tar = (
        start[257:262] == b"ustar"
        or start.startswith(tuple(COMPRESSED))
        or not zipfile.is_zipfile(path)
    )
    yield from (_tar if tar else _zip)(path, meter)


class _Header(tarfile.TarInfo):
    """A tar's header.

    Tarfile itself takes a broken one for the archive's end, and reads an extended one of any size
    into memory.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Header:
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if len(buf) == tarfile.BLOCKSIZE and not any(
                buf
            ):  # the block of zeros that ends an archive
                raise
            raise tarfile.ReadError(f"neither tar nor zip, or cut off: {error}") from error
        if header.size < 0 or (header.type in EXTENDED and header.size > HEADER):
            raise tarfile.ReadError(f"a header says {header.size} bytes")
        return header


class _Stream:
    """What tarfile reads from: counts all that is inflated, also for members that no one wants."""

    def __init__(self, file: IO[bytes], meter: _Meter) -> None:
        self.file, self.meter = file, meter

    def read(self, size: int) -> bytes:
        return self.meter.spend(self.file.read(size))


def _tar(path: Path, meter: _Meter) -> Iterator[File]:
    with _inflated(path) as file:
        stream: Any = _Stream(file, meter)
        tar: Any
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Header) as tar:
            while header := tar.next():
                # A stream is not read twice; millions of headers would stay in memory
                tar.members.clear()
                if not (header.isfile() or header.isdir()) or header.issparse():
                    kind = (
                        "symbolic link"
                        if header.issym()
                        else "hard link"
                        if header.islnk()
                        else "special file"
                    )
                    raise OecalError(
                        f"{path}: {header.name!r}: a {kind}, which no archive of data needs; put another archive in its place"
                    )
                yield (
                    header.name + "/" * header.isdir(),
                    header.size,
                    _chunks(partial(tar.extractfile, header)),
                )
        while stream.read(CHUNK):  # a gz keeps its checksum at the very end
            pass


def _zip(path: Path, meter: _Meter) -> Iterator[File]:
    with zipfile.ZipFile(path) as archive:
        if sum(info.file_size for info in archive.infolist()) > meter.limit:
            raise OecalError(
                f"{path}: more than {meter.limit} bytes come out of the archive, by its own account; "
                "put a good copy in its place"
            )
        for info in archive.infolist():
            if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise OecalError(
                    f"{path}: {info.filename!r}: a link or special file, which no archive of data needs; "
                    "put another archive in its place"
                )
            if info.flag_bits & 1:
                raise OecalError(
                    f"{path}: {info.filename!r}: is encrypted; put an archive without a password in its place"
                )
            yield info.filename, info.file_size, _chunks(partial(archive.open, info), meter.spend)


def _folder(root: Path, meter: _Meter) -> Iterator[File]:
    found = []
    folders: list[tuple[Path, tuple[Path, ...]]] = [
        (root, (root.resolve(),))
    ]  # and the real folders that each lies in, itself too
    while folders:
        folder, above = folders.pop()
        for entry in folder.iterdir():
            if entry.is_symlink() and not entry.resolve(strict=True).is_relative_to(above[0]):
                raise OecalError(
                    f"{entry}: a link that leads out of {root}; put the file itself there"
                )
            if entry.is_dir():
                if (real := entry.resolve()) in above:
                    raise OecalError(f"{entry}: a link to a folder that it lies in; delete it")
                folders.append((entry, (*above, real)))
            elif entry.is_file():
                found.append((entry.relative_to(root).as_posix(), entry))
    for name, file in sorted(found):
        size = file.stat().st_size
        step = min(
            max(size, CHUNK), MEMBER
        )  # nothing is inflated here, so a file may come in one piece, which saves a copy
        yield name, size, _chunks(partial(open, file, "rb"), meter.spend, step)
