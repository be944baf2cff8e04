"""Fetching files: from mirrors in turn, resumed after any break, verified, never half there."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from filelock import FileLock, Timeout

from oecal.core.errors import OecalError, Unavailable
from oecal.data.checksums import compute_digest, has_checksum, parse_checksum
from oecal.data.mirrors import MirrorFailed, Target, fetch_from, find_host


@dataclass(frozen=True)
class Patience:
    """How long a download keeps trying."""

    tries: int = 4
    """how often a mirror is asked at most"""
    timeout: float = 30
    """seconds without an answer or a byte after which a mirror is given up for this round"""
    backoff: float = 1.0
    """seconds of the pause after the first round; each further pause is twice as long"""


DEFAULT_PATIENCE = Patience()


def download(
    urls: Sequence[str],
    path: Path,
    checksum: str,
    size: int = 0,
    patience: Patience = DEFAULT_PATIENCE,
) -> None:
    """Make sure that the file with this `checksum` is at `path`.

    What is there is whole and verified at any moment. The bytes fetched so far are in `path`.part
    and are never fetched twice, unless they turn out to be wrong.

    urls: mirrors (http, https), asked in turn, in rounds with pauses between them. checksum:
    "sha256:hex" or "md5:hex". size: bytes, 0 if not known.

    Raise Unavailable if all mirrors fail or nothing can be written, OecalError if another file is
    at `path`.
    """
    parse_checksum(checksum, path)  # before anything is fetched
    for url in urls:
        if not find_host(url):
            raise OecalError(
                f"{path}: found the address {url!r}; expected one that begins with http:// or "
                "https://"
            )
    target = Target(path, checksum, size)
    try:
        if is_present(path, checksum):
            return
        with locked(path):
            if is_present(path, checksum):  # the process that we waited for has fetched it
                return
            fetch_from_any(urls, target, patience)
            if is_present(path, checksum):  # the user has put it there meanwhile
                target.part.unlink()
            else:
                target.part.replace(path)
        logging.info("%s: fetched and verified", path.name)
    except OSError as error:
        raise Unavailable(
            f"{path}: cannot be read or written ({error.strerror or error}); check that its folder "
            "is writable and the disk not full, then try again"
        ) from error


def is_present(path: Path, checksum: str) -> bool:
    """Tell whether the file is there.

    Raise OecalError if it is another file: it may be the user's, so it is not touched.
    """
    if not path.exists():
        return False
    if not has_checksum(path, checksum):
        algorithm, _ = parse_checksum(checksum, path)
        raise OecalError(
            f"{path}: checksum mismatch (expected {checksum}, found "
            f"{compute_digest(path, algorithm)}); delete it and run again"
        )
    return True


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time make `path`.

    The kernel holds the lock, so that of a killed process is free at once.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        logging.info("%s: waiting for another process to finish it", path.name)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def fetch_from_any(urls: Sequence[str], target: Target, patience: Patience) -> None:
    """Fill the target's partial file until it has the checksum.

    Raise Unavailable if no mirror can do that.
    """
    path, failures = target.path, dict[str, MirrorFailed]()
    with requests.Session() as session:
        session.max_redirects = 10
        for n in range(patience.tries):
            left = [url for url in urls if url not in failures or not failures[url].final]
            if not left:
                break
            if n:
                # SystemRandom: a pause must not move the generator that others use.
                jitter = random.SystemRandom().uniform(1, 1.25)
                pause = patience.backoff * 2 ** (n - 1) * jitter
                time.sleep(max(pause, *(failures[url].wait for url in left)))
            for url in left:
                try:
                    return fetch_from(url, session, target, patience.timeout)
                except MirrorFailed as failure:
                    failures[url] = failure
                    logging.warning("%s: %s: %s", path.name, find_host(url), failure)
    reasons = "; ".join(f"{find_host(url)}: {failure}" for url, failure in failures.items())
    raise Unavailable(
        f"{path}: download failed ({reasons or 'no address is known'}); try again (the bytes "
        "fetched so far are kept), or put the file there yourself"
    )
