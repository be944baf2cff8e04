"""LSUN scenes: an LMDB database of encoded photographs, in a zip archive."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from oecal.data.archives import extract
from oecal.data.formats.images import collect
from oecal.data.preprocess import Format
from oecal.data.store import Split
from oecal.errors import OecalError


def photographs(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Key and content of each value. Raises OecalError if the folder holds no such database."""
    import lmdb

    try:
        with lmdb.open(str(folder), readonly=True, lock=False, readahead=False) as database, database.begin() as transaction:
            for key, value in transaction.cursor():
                yield key.hex(), value
    except lmdb.Error as error:
        raise OecalError(f"{folder}: is no LSUN database ({error})") from None


def read(files: Mapping[str, Path], row: Mapping[str, Any], splits: Sequence[str],
         form: Format | None) -> tuple[dict[str, Split], tuple[str, ...]]:  # fmt: skip
    """The database maps its file into memory, so an archive is unpacked into a temporary folder first. The test images have no labels."""
    (path,) = files.values()
    with tempfile.TemporaryDirectory() as temporary:
        if path.is_file():
            extract(path, Path(temporary) / "lsun")
            path = Path(temporary) / "lsun"
        (database,) = path.rglob("data.mdb")
        return {"test": Split.unlabelled(collect(photographs(database.parent), form)[1])}, ()
