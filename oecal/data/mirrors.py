"""One attempt to fetch a file from one mirror over HTTP, going on where the last one stopped."""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from tqdm import tqdm

from oecal.data.checksums import has_checksum

CHUNK = 1 << 18  # bytes read at a time
LONGEST_WAIT = 60.0  # seconds; a server's Retry-After can make us wait no longer


@dataclass(frozen=True)
class Target:
    """A file to be fetched."""

    path: Path
    """where it goes when it is whole and verified"""
    checksum: str
    """sha256:hex or md5:hex"""
    size: int = 0
    """bytes; 0: not known"""

    @property
    def part(self) -> Path:
        """The file that holds the bytes fetched so far."""
        return self.path.with_name(f"{self.path.name}.part")

    @property
    def bytes_so_far(self) -> int:
        """The number of bytes fetched so far."""
        return self.part.stat().st_size if self.part.exists() else 0


class MirrorFailed(Exception):
    """An attempt failed.

    final: the mirror need not be asked again; wait: the seconds it asks us to stay away.
    """

    def __init__(self, reason: str, final: bool = False, wait: float = 0) -> None:
        super().__init__(reason)
        self.final, self.wait = final, wait


def find_host(url: str) -> str:
    """Return the host of an http or https address, without a password; "" for any other."""
    try:
        parts = urlsplit(url)
        return (parts.hostname or "") if parts.scheme in ("http", "https") else ""
    except ValueError:
        return ""


def fetch_from(url: str, session: requests.Session, target: Target, timeout: float) -> None:
    """Fill the target's `part` until it has the checksum.

    timeout: seconds without an answer or a byte. Raise MirrorFailed if this mirror cannot do that.
    """
    part, size, start = target.part, target.size, target.bytes_so_far
    if 0 < size <= start:  # a run was killed between the last byte and the check
        if has_checksum(part, target.checksum):
            return
        part.unlink()
        start = 0
    for first in dict.fromkeys((start, 0)):  # from zero, if the server cannot go on where we stand
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={first}-"} if first else {})
        try:
            with session.get(url, headers=headers, stream=True, timeout=timeout) as response:
                status = response.status_code
                served = re.match(
                    r"bytes (\d+)-\d+/(\d*)", response.headers.get("Content-Range", "")
                )
                if first and status == 416:  # nothing comes after our last byte
                    if has_checksum(part, target.checksum):
                        return
                    part.unlink()
                    continue
                if first and status == 206 and not (served and int(served[1]) == first):
                    continue
                if status != 200 and not (first and status == 206):
                    raise explain_status(status, response.headers.get("Retry-After", ""))
                offset = first if status == 206 else 0
                length = response.headers.get("Content-Length", "")
                if offset and served and served[2]:
                    total = int(served[2])
                else:
                    total = offset + int(length) if length.isdigit() else size
                if size and total != size:
                    raise MirrorFailed(f"offers {total} bytes; expected {size}", final=True)
                receive_body(response, target, offset, total, find_host(url))
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            reason = f"{explain_error(error, timeout)} after {target.bytes_so_far} bytes"
            final = isinstance(error, ValueError | requests.TooManyRedirects)
            raise MirrorFailed(reason, final) from error
        if has_checksum(part, target.checksum):
            return
        part.unlink()
        # If resumed, the wrong bytes may be those of another mirror.
        raise MirrorFailed("checksum mismatch", final=offset == 0)


def receive_body(
    response: requests.Response, target: Target, offset: int, total: int, host: str
) -> None:
    """Append the body to the first `offset` bytes of the target's `part`.

    Raise MirrorFailed unless that makes `total` bytes (0: not known).
    """
    name, part, have = target.path.name, target.part, offset
    megabytes = f"{total / 1e6:.1f} MB" if total else "unknown size"
    resumed = f", from byte {offset}" if offset else ""
    logging.info("%s: fetching from %s, %s%s", name, host, megabytes, resumed)
    bar = tqdm(
        desc=name,
        total=total or None,
        initial=offset,
        unit="B",
        unit_scale=True,
        disable=None,
        leave=False,
    )
    # Unbuffered, and read1 hands over what has arrived: after kill -9 all of that is on disk. Not
    # decoded: with a Content-Encoding too, the checksum is that of the bytes as they are sent.
    with part.open("ab" if offset else "wb", buffering=0) as file, bar:
        while data := response.raw.read1(CHUNK, decode_content=False):
            have += len(data)
            if total and have > total:
                part.unlink()
                raise MirrorFailed(f"sent more than {total} bytes", final=True)
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) :]
            bar.update(len(data))
        os.fsync(file.fileno())
    if have < total:
        raise MirrorFailed(f"connection lost after {have} of {total} bytes")


def explain_status(status: int, retry_after: str) -> MirrorFailed:
    """Return the failure that an HTTP status means: final, unless the server is only busy."""
    busy = status in (408, 425, 429) or status >= 500
    return MirrorFailed(f"HTTP {status}", final=not busy, wait=parse_retry_after(retry_after))


def explain_error(error: Exception, timeout: float) -> str:
    """Return a few words: what requests says is long and holds the address with its password."""
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return f"no answer for {timeout:g} s"
    if isinstance(error, urllib3.exceptions.ProtocolError):
        return "connection lost"
    return type(getattr(error.args[0] if error.args else None, "reason", error)).__name__


def parse_retry_after(header: str) -> float:
    """Return the seconds of a Retry-After header (a number or a date), at most LONGEST_WAIT.

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
    return min(max(seconds, 0), LONGEST_WAIT)
