"""Logging of a job: to its log file and to standard error, uncaught exceptions and warnings included."""

from __future__ import annotations

import errno
import logging
import sys
from pathlib import Path
from types import TracebackType

from oecal.core.errors import OecalError

# What the system refuses, and what to do about it.
REFUSED = {
    errno.ENOSPC: "the disk is full; make room, then run again",
    errno.EDQUOT: "your share of the disk is used up; make room, then run again",
    errno.EFBIG: "is larger than is allowed here; raise the limit (ulimit -f)",
    errno.EROFS: "the file system is read-only; write elsewhere, or have it mounted for writing",
    errno.EACCES: "is not allowed; see to the permissions",
    errno.EPERM: "is not allowed; see to the permissions",
}
SHOWN: set[str] = (
    set()
)  # what the system refused and was shown: HDF5 says it once for each dataset that it then closes


class _LogFile(logging.FileHandler):
    """A log file.

    What cannot be written to it, on a full disk, stands on standard error all the same.
    """

    def handleError(self, record: logging.LogRecord) -> None:
        """Passes over what logging would print a traceback of."""


def start(path: str | Path) -> None:
    """Sends log records, warnings and uncaught exceptions to the file `path` and, with the name of the job, to standard error.

    An OecalError, and what the system refuses, is shown as one line; anything else with its
    traceback.
    """
    sys.excepthook = log_exception  # first: the log itself may be what cannot be written
    sys.unraisablehook = log_ignored
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    job = Path(path).with_suffix("").as_posix().rpartition("/logs/")[2]
    whose = f"{job}: ".replace("%", "%%") if job else ""  # several jobs share a terminal
    file, terminal = _LogFile(path, mode="w"), logging.StreamHandler()
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    terminal.setFormatter(
        logging.Formatter(f"%(asctime)s %(levelname)s {whose}%(message)s", "%H:%M:%S")
    )
    logging.basicConfig(level=logging.INFO, handlers=[file, terminal], force=True)
    logging.captureWarnings(True)
    logging.getLogger("fontTools").setLevel(
        logging.WARNING
    )  # a line for each table of each font in a PDF


def log_exception(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """An excepthook that writes to the log."""
    if issubclass(kind, OecalError):
        logging.error("%s", error)
    elif line := describe_refusal(error):
        if line not in SHOWN:
            logging.error("%s", line)
        SHOWN.add(line)
    else:
        logging.critical("%s", kind.__name__, exc_info=(kind, error, traceback))


def log_ignored(ignored: sys.UnraisableHookArgs) -> None:
    """An unraisablehook: h5py cannot raise what goes wrong when it closes a dataset."""
    if ignored.exc_value is not None and describe_refusal(ignored.exc_value):
        log_exception(ignored.exc_type, ignored.exc_value, ignored.exc_traceback)
    else:
        sys.__unraisablehook__(ignored)


def describe_refusal(error: BaseException) -> str:
    """One line about what the system refuses; empty about any other error.

    HDF5 and safetensors have the system's number in their message only; HDF5 in a RuntimeError
    where it finds out when a file is closed.
    """
    found, path = getattr(error, "errno", None), getattr(error, "filename", None)
    number = next(
        (
            n
            for n in REFUSED
            if found == n or f"errno = {n}," in str(error) or f"(os error {n})" in str(error)
        ),
        None,
    )
    return "" if number is None else f"{path or 'a file could not be written'}: {REFUSED[number]}"
