"""LSUN scenes: an LMDB database of encoded photographs, in a zip archive."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import lmdb

from oecal.core.errors import OecalError
from oecal.data.archives import extract
from oecal.data.formats.images import collect
from oecal.data.preprocess import Format
from oecal.data.store import ImageSplit
from oecal.data.table import PublishedSet


def read_photographs(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield key and content of each photograph."""
    with (
        lmdb.open(str(folder), readonly=True, lock=False, readahead=False) as database,
        database.begin() as transaction,
    ):
        for key, value in transaction.cursor():
            yield key.hex(), value


def read(
    files: Mapping[str, Path], row: PublishedSet, splits: Sequence[str], form: Format | None
) -> tuple[dict[str, ImageSplit], tuple[str, ...]]:
    """Read the test images, which have no labels.

    The database maps its file into memory, so an archive is unpacked into a temporary folder first.
    """
    (path,) = files.values()
    with tempfile.TemporaryDirectory() as temporary:
        if path.is_file():
            extract(path, Path(temporary) / "lsun")
        databases = list((Path(temporary) if path.is_file() else path).rglob("data.mdb"))
        if len(databases) != 1:
            raise OecalError(
                f"{path}: found {len(databases)} files data.mdb; expected one; replace it with a "
                "good copy"
            )
        try:
            return {
                "test": ImageSplit.unlabelled(
                    collect(read_photographs(databases[0].parent), form)[1]
                )
            }, ()
        except lmdb.Error as error:
            raise OecalError(
                f"{path}: is not an LSUN database ({error}); replace it with a good copy"
            ) from None
