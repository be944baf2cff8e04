"""Fetching files: from mirrors in turn, resumed after any break, verified, and whole under their final name."""

from __future__ import annotations

import hashlib
import logging
import os
import random
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from filelock import FileLock, Timeout
from tqdm import tqdm

from oecal.core.errors import OecalError, Unavailable

CHUNK = 1 << 18
PATIENCE = 60.0  # seconds; the longest wait a server's Retry-After can make us take


class _Failed(Exception):
    """One try at one mirror.

    `final`: it need not be asked again; `wait`: the seconds it asks us to stay away.
    """

    def __init__(self, reason: str, final: bool = False, wait: float = 0) -> None:
        super().__init__(reason)
        self.final, self.wait = final, wait


def download(
    urls: Sequence[str],
    path: Path,
    checksum: str,
    size: int = 0,
    tries: int = 4,
    timeout: float = 30,
    backoff: float = 1.0,
) -> None:
    """Makes sure that the file with this `checksum` stands under `path`.

    What stands there is whole and verified at any moment.

    urls: mirrors (http, https), asked in turn in up to `tries` rounds; between rounds a pause of
    `backoff` * 2^n seconds. checksum: "sha256:hex" or "md5:hex". size: bytes, 0 if not known.
    timeout: seconds without an answer or a byte. The bytes so far stand in `path`.part and are
    never fetched twice, unless they turn out to be wrong.

    Raises Unavailable if all mirrors fail or nothing can be written, OecalError if another file
    stands under `path`.
    """
    _parsed(path, checksum)  # before anything is fetched
    for url in urls:
        if not _host(url):
            raise OecalError(
                f"{path}: the address {url!r} cannot be used; write one that begins with http:// or https://"
            )
    part = path.with_name(f"{path.name}.part")
    try:
        if _present(path, checksum):
            return
        with locked(path):
            if _present(path, checksum):  # the other process, which we waited for, has fetched it
                return
            _fetch(urls, part, path, checksum, size, tries, timeout, backoff)
            if _present(path, checksum):  # the user has put it there meanwhile
                part.unlink()
            else:
                part.replace(path)
        logging.info("%s: fetched and verified", path.name)
    except OSError as error:
        raise Unavailable(
            f"{path}: cannot be read or written ({error.strerror or error}); see that its folder is writable and has room, and try again"
        ) from error


def _present(path: Path, checksum: str) -> bool:
    """Whether the file stands there.

    Raises OecalError if it is another file: it may be the user's, so it is not touched.
    """
    if not path.exists():
        return False
    if not verify(path, checksum):
        found = digest(path, _parsed(path, checksum)[0])
        raise OecalError(
            f"{path}: is another file (found {found}, expected {checksum}); delete it and run again"
        )
    return True


def _parsed(path: Path, checksum: str) -> tuple[str, str]:
    """Algorithm and digits."""
    if not re.fullmatch(r"sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}", checksum, re.IGNORECASE):
        raise OecalError(
            f"{path}: the checksum {checksum!r} cannot be used; write sha256: or md5: and the hexadecimal digits"
        )
    algorithm, _, digits = checksum.lower().partition(":")
    return algorithm, digits


def verify(path: Path, checksum: str) -> bool:
    """Whether the file has the checksum "sha256:hex" or "md5:hex".

    Raises OecalError if that is no checksum.
    """
    algorithm, digits = _parsed(path, checksum)
    return digest(path, algorithm) == digits


def digest(path: Path, algorithm: str) -> str:
    """Hexadecimal digest of the file."""
    with path.open(
        "rb"
    ) as file:  # md5 names files here, it protects nothing: allowed on FIPS systems too
        return hashlib.file_digest(
            file, lambda: hashlib.new(algorithm, usedforsecurity=False)
        ).hexdigest()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time makes `path`.

    A lock of the kernel: that of a killed process is free at once.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        logging.info("%s: waits for another process that makes it", path.name)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _fetch(
    urls: Sequence[str],
    part: Path,
    path: Path,
    checksum: str,
    size: int,
    tries: int,
    timeout: float,
    backoff: float,
) -> None:
    """Fills `part` until it has the checksum. Raises Unavailable if no mirror can do that."""
    failures: dict[str, _Failed] = {}
    with requests.Session() as session:
        session.max_redirects = 10
        for n in range(tries):
            left = [url for url in urls if url not in failures or not failures[url].final]
            if not left:
                break
            if n:  # SystemRandom: a pause must not move the generator that others use
                pause = backoff * 2 ** (n - 1) * random.SystemRandom().uniform(1, 1.25)
                time.sleep(max(pause, *(failures[url].wait for url in left)))
            for url in left:
                try:
                    return _fetch_from(url, session, part, checksum, size, timeout)
                except _Failed as failure:
                    failures[url] = failure
                    logging.warning("%s: %s: %s", path.name, _host(url), failure)
    reasons = (
        "; ".join(f"{_host(url)}: {failure}" for url, failure in failures.items())
        or "no address is known"
    )
    raise Unavailable(
        f"{path}: could not be fetched ({reasons}); put the file at {path} yourself or try again; what was fetched is kept"
    )


def _fetch_from(
    url: str, session: requests.Session, part: Path, checksum: str, size: int, timeout: float
) -> None:
    """The same from one mirror, once. Raises _Failed."""
    have = _length(part)
    if 0 < size <= have:  # a run was killed between the last byte and the check
        if verify(part, checksum):
            return
        part.unlink()
        have = 0
    for start in dict.fromkeys((have, 0)):  # from zero, if the server cannot go on where we stand
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        try:
            with session.get(url, headers=headers, stream=True, timeout=timeout) as response:
                status, content = (
                    response.status_code,
                    re.match(r"bytes (\d+)-\d+/(\d*)", response.headers.get("Content-Range", "")),
                )
                if start and status == 416:  # nothing comes after our last byte
                    if verify(part, checksum):
                        return
                    part.unlink()
                    continue
                if start and status == 206 and not (content and int(content[1]) == start):
                    continue
                if status != 200 and not (start and status == 206):
                    again = status in (408, 425, 429) or status >= 500
                    raise _Failed(
                        f"HTTP {status}",
                        final=not again,
                        wait=_wait(response.headers.get("Retry-After", "")),
                    )
                offset = start if status == 206 else 0
                length = response.headers.get("Content-Length", "")
                total = (
                    int(content[2])
                    if offset and content and content[2]
                    else offset + int(length)
                    if length.isdigit()
                    else size
                )
                if size and total != size:
                    raise _Failed(f"offers a file of {total} bytes instead of {size}", final=True)
                _receive(response, part, offset, total, _host(url))
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            reason = f"{_reason(error, timeout)}, with {_length(part)} bytes so far"
            raise _Failed(
                reason, final=isinstance(error, ValueError | requests.TooManyRedirects)
            ) from error
        if verify(part, checksum):
            return
        part.unlink()
        raise _Failed(
            "wrong checksum", final=offset == 0
        )  # if resumed, the wrong bytes may be those of another mirror


def _receive(response: requests.Response, part: Path, offset: int, total: int, host: str) -> None:
    """Appends the body to the first `offset` bytes of `part`.

    Raises _Failed unless that makes `total` bytes (0: not known).
    """
    name, have = part.name.removesuffix(".part"), offset
    megabytes = f"{total / 1e6:.1f} MB" if total else "unknown size"
    logging.info(
        "%s: fetching from %s, %s%s",
        name,
        host,
        megabytes,
        f", from byte {offset}" if offset else "",
    )
    # Unbuffered, and read1 hands over what has arrived: after kill -9 all of that is on disk. Not
    # decoded: with a Content-Encoding too, the checksum is that of the bytes as they are sent.
    with (
        part.open("ab" if offset else "wb", buffering=0) as file,
        tqdm(
            desc=name,
            total=total or None,
            initial=offset,
            unit="B",
            unit_scale=True,
            disable=None,
            leave=False,
        ) as bar,
    ):
        while data := response.raw.read1(CHUNK, decode_content=False):
            have += len(data)
            if total and have > total:
                part.unlink()
                raise _Failed(f"sends more than {total} bytes", final=True)
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) :]
            bar.update(len(data))
        os.fsync(file.fileno())
    if have < total:
        raise _Failed(f"broke off, with {have} of {total} bytes so far")


def _host(url: str) -> str:
    """The host of an http or https address, without a password; "" if it is no such address."""
    try:
        parts = urlsplit(url)
        return (parts.hostname or "") if parts.scheme in ("http", "https") else ""
    except ValueError:
        return ""


def _length(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _reason(error: Exception, timeout: float) -> str:
    """A few words: the messages of requests are long and hold the whole address, passwords included."""
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return f"silent for {timeout:g} s"
    if isinstance(error, urllib3.exceptions.ProtocolError):
        return "broke off"
    return type(getattr(error.args[0] if error.args else None, "reason", error)).__name__


def _wait(header: str) -> float:
    """Seconds of a Retry-After header (a number or a date), at most PATIENCE.

    0 if there is none.
    """
    try:
        seconds = (
            float(header)
            if header.isdigit()
            else (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds()
        )
    except (TypeError, ValueError):
        return 0
    return min(max(seconds, 0), PATIENCE)
