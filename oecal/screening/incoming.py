"""Lists the files to screen and reads their images, in threads while the network is busy."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from oecal.core.errors import OecalError
from oecal.data.decode import BadImage, decode
from oecal.data.folder import list_image_files
from oecal.data.preprocess import Format

BATCH = 256  # images that are judged at a time
PORTION = 32  # files that a thread takes at a time
AHEAD = 2  # batches that are read while the network works: what bounds the memory
LARGEST_FILE = 2**28  # bytes; more than an uncompressed image of the most pixels that are decoded
READ = 2**16  # bytes of names taken from a stream at a time


class Loaded(NamedTuple):
    """A file's image, uint8 (C, H, W) in the model's format, or why there is none."""

    path: str
    image: np.ndarray | BadImage


def list_files(places: Sequence[str]) -> list[str]:
    """List files as given; in a folder, sorted, all that may be images by their names.

    Raises OecalError if a place does not exist or is empty.
    """
    files: list[str] = []
    for place in places:
        if Path(place).is_dir():
            inside = [os.path.join(place, name) for name in list_image_files(Path(place))]  # noqa: PTH118, keeps "./" and non-UTF-8 as given
            if not inside:
                raise OecalError(
                    f"{place}: found no images in this folder; use another folder, or files"
                )
            files += inside
        elif Path(place).exists():
            files.append(place)
        else:
            raise OecalError(
                f"{place}: does not exist; expected a folder, files, or - for names on standard "
                "input"
            )
    return files


def read_names(stream: BinaryIO) -> Iterator[list[str]]:
    """Yield the file names of a stream, one a line, as many at a time as have arrived.

    Blank lines are skipped.
    """
    rest = b""
    while block := stream.read1(READ):  # type: ignore[attr-defined]  # standard input has it, its type does not say so
        *lines, rest = (rest + block).split(b"\n")
        if names := [os.fsdecode(line.rstrip(b"\r")) for line in lines if line.strip()]:
            yield names
    if rest.strip():
        yield [os.fsdecode(rest.rstrip(b"\r"))]


def read_bytes(path: str) -> bytes:
    """Read the bytes of a file.

    Raises BadImage if it cannot be read, is no ordinary file (a pipe would never end) or is too
    large.
    """
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise BadImage("cannot be opened: not a regular file")
            if about.st_size > LARGEST_FILE:
                raise BadImage(
                    f"too large or empty: found {about.st_size:,} bytes; expected at most "
                    f"{LARGEST_FILE:,}"
                )
            return file.read(LARGEST_FILE)
    except OSError as error:
        raise BadImage(f"cannot be opened: {error.strerror}") from None
    except ValueError as error:
        if isinstance(error, BadImage):
            raise
        raise BadImage(f"cannot be opened: {error}") from None  # a name with a zero byte


def load_images(paths: Sequence[str], form: Format) -> list[Loaded]:
    """Load the images of some files."""

    def one(path: str) -> np.ndarray | BadImage:
        try:
            image: np.ndarray = form(decode(read_bytes(path))[None])[0]
            return image
        except BadImage as error:
            return error
        except MemoryError:
            return BadImage("too large or empty: out of memory")

    return [Loaded(path, one(path)) for path in paths]


def iterate_batches(
    groups: Iterable[Sequence[str]], form: Format, threads: int
) -> Iterator[list[Loaded]]:
    """Yield all files of all groups in their order, at most BATCH at a time.

    Within a group, the next batches are read ahead. A group ends a batch: of a stream it is what
    has arrived, and no name waits for those that come after it.
    """

    def finished(jobs: list[Future[list[Loaded]]]) -> list[Loaded]:
        return [loaded for job in jobs for loaded in job.result()]

    with ThreadPoolExecutor(threads) as pool:
        for names in groups:
            waiting: deque[list[Future[list[Loaded]]]] = deque()
            for start in range(0, len(names), BATCH):
                batch = names[start : start + BATCH]
                waiting.append(
                    [
                        pool.submit(load_images, batch[n : n + PORTION], form)
                        for n in range(0, len(batch), PORTION)
                    ]
                )
                if len(waiting) > AHEAD:
                    yield finished(waiting.popleft())
            while waiting:
                yield finished(waiting.popleft())
