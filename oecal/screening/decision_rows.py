"""Writes the decision on each image as a row of CSV or JSON lines."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable
from typing import NamedTuple, TextIO


class DecisionRow(NamedTuple):
    """The decision on an image: accept, reject, alarm or unreadable.

    Fields are None where there is nothing to say: all but path and reason of an unreadable image,
    the class of a density model.
    """

    path: str
    prediction: str | None
    confidence: float | None
    uncertainty: float | None
    p_value: float | None
    decision: str
    reason: str | None


class RowWriter:
    """Writes rows as `csv` (with a header) or `jsonl`.

    It flushes after each batch, so that whoever reads along does not wait.
    """

    def __init__(self, file: TextIO, form: str) -> None:
        self.file, self.form = file, form
        self.csv = csv.writer(file, lineterminator="\n")
        if form == "csv":
            self.csv.writerow(DecisionRow._fields)

    def __call__(self, rows: Iterable[DecisionRow]) -> None:
        """Write these rows and flush once."""
        for row in rows:
            row = row._replace(path=make_printable(row.path))
            if self.form == "csv":
                self.csv.writerow(row)
            else:
                self.file.write(json.dumps(row._asdict(), ensure_ascii=False) + "\n")
        self.file.flush()


def make_printable(path: str) -> str:
    r"""Make a path valid UTF-8: bytes that are not become \xNN, since Linux allows such names."""
    return os.fsencode(path).decode(errors="backslashreplace")
