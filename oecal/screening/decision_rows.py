"""One row for each image: as CSV or JSON lines."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable
from typing import NamedTuple, TextIO


class Row(NamedTuple):
    """What is said of an image.

    Empty is what does not exist: all but path and reason of an unreadable one, the class of a
    density model.

    decision: accept, reject, alarm or unreadable.
    """

    path: str
    prediction: str | None
    confidence: float | None
    uncertainty: float | None
    p_value: float | None
    decision: str
    reason: str | None


class Writer:
    """Writes rows in the format `csv` (with a header) or `jsonl`, and flushes, so that whoever reads along waits for nothing."""

    def __init__(self, file: TextIO, form: str) -> None:
        self.file, self.form = file, form
        self.csv = csv.writer(file, lineterminator="\n")
        if form == "csv":
            self.csv.writerow(Row._fields)

    def __call__(self, rows: Iterable[Row]) -> None:
        """Writes these rows and flushes once."""
        for row in rows:
            row = row._replace(path=printable(row.path))
            if self.form == "csv":
                self.csv.writerow(row)
            else:
                self.file.write(json.dumps(row._asdict(), ensure_ascii=False) + "\n")
        self.file.flush()


def printable(path: str) -> str:
    r"""A path as UTF-8 has it; bytes that are no UTF-8 as \xNN: Linux allows such names."""
    return os.fsencode(path).decode(errors="backslashreplace")
