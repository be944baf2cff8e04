"""Logging of a job, to its log file and to standard error.

Uncaught exceptions and warnings are logged, too.
"""

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
    errno.EDQUOT: "your disk quota is used up; make room, then run again",
    errno.EFBIG: "the file exceeds the size limit; raise it with ulimit -f",
    errno.EROFS: "the file system is read-only; use another folder, or mount it for writing",
    errno.EACCES: "permission denied; check the permissions of the file and its folder",
    errno.EPERM: "permission denied; check the permissions of the file and its folder",
}
# What the system refused and was shown: HDF5 says it once for each dataset that it then closes.
SHOWN: set[str] = set()


class _LogFile(logging.FileHandler):
    """A log file; on a full disk, what it cannot take still stands on standard error."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Pass over what logging would print a traceback of."""


def start(path: str | Path) -> None:
    """Send log records, warnings and uncaught exceptions to a file and to standard error.

    Standard error also gets the name of the job, but only the time of day. An OecalError, and what
    the system refuses, is shown as one line; anything else with its traceback.
    """
    sys.excepthook = log_exception  # first: the log itself may be what cannot be written
    sys.unraisablehook = log_ignored
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    job = Path(path).with_suffix("").as_posix().rpartition("/logs/")[2]
    whose = f"{job}: ".replace("%", "%%") if job else ""  # several jobs share a terminal
    file, terminal = _LogFile(path, mode="w"), logging.StreamHandler()
    line = "%(asctime)s %(levelname)s {}%(message)s"
    # With the date, so that oecal.core.provenance can tell how long a job took.
    file.setFormatter(logging.Formatter(line.format(""), "%Y-%m-%d %H:%M:%S"))
    terminal.setFormatter(logging.Formatter(line.format(whose), "%H:%M:%S"))
    logging.basicConfig(level=logging.INFO, handlers=[file, terminal], force=True)
    logging.captureWarnings(True)
    # Else a line for each table of each font in a PDF.
    logging.getLogger("fontTools").setLevel(logging.WARNING)


def log_exception(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """Log an uncaught exception: an excepthook."""
    if issubclass(kind, OecalError):
        logging.error("%s", error)
    elif line := describe_refusal(error):
        if line not in SHOWN:
            logging.error("%s", line)
        SHOWN.add(line)
    else:
        logging.critical("%s", kind.__name__, exc_info=(kind, error, traceback))


def log_ignored(ignored: sys.UnraisableHookArgs) -> None:
    """Log what could not be raised, as where h5py closes a dataset: an unraisablehook."""
    if ignored.exc_value is not None and describe_refusal(ignored.exc_value):
        log_exception(ignored.exc_type, ignored.exc_value, ignored.exc_traceback)
    else:
        sys.__unraisablehook__(ignored)


def describe_refusal(error: BaseException) -> str:
    """Return one line about what the system refuses; empty for any other error.

    HDF5 and safetensors have the system's number in their message only; HDF5 in a RuntimeError
    where it finds out when a file is closed.
    """
    code, path, text = getattr(error, "errno", None), getattr(error, "filename", None), str(error)
    for number, advice in REFUSED.items():
        if code == number or f"errno = {number}," in text or f"(os error {number})" in text:
            return f"{path or 'a file could not be written'}: {advice}"
    return ""
