"""Logging of a job: to its log file and to standard error, uncaught exceptions and warnings included."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from types import TracebackType

from oecal.errors import OecalError


def start(path: str | Path) -> None:
    """Sends log records, warnings and uncaught exceptions to the file `path` and to standard error.

    An OecalError is shown as its one line; anything else with its traceback.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        datefmt="%H:%M:%S",
        handlers=[logging.FileHandler(path, mode="w"), logging.StreamHandler()],
        force=True,
    )
    logging.captureWarnings(True)
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # a line for each table of each font in a PDF
    sys.excepthook = report


def report(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """An excepthook that writes to the log."""
    if issubclass(kind, OecalError):
        logging.error("%s", error)
    else:
        logging.critical("%s", kind.__name__, exc_info=(kind, error, traceback))
