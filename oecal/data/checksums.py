"""Checksums of files, written as "sha256:hex" or "md5:hex"."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from oecal.core.errors import OecalError


def parse_checksum(checksum: str, path: Path) -> tuple[str, str]:
    """Return the algorithm and the digits, in lower case.

    Raise OecalError, naming the file `path`, if the text is no checksum.
    """
    if not re.fullmatch(r"sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}", checksum, re.IGNORECASE):
        raise OecalError(
            f"{path}: found the checksum {checksum!r}; expected sha256: and 64 hexadecimal digits, "
            "or md5: and 32"
        )
    algorithm, _, digits = checksum.lower().partition(":")
    return algorithm, digits


def has_checksum(path: Path, checksum: str) -> bool:
    """Tell whether the file has this checksum. Raise OecalError if the text is no checksum."""
    algorithm, digits = parse_checksum(checksum, path)
    return compute_digest(path, algorithm) == digits


def compute_digest(path: Path, algorithm: str) -> str:
    """Return the hexadecimal digest of a file."""
    with path.open("rb") as file:
        # MD5 names files here and protects nothing, so it is allowed on FIPS systems too.
        return hashlib.file_digest(
            file, lambda: hashlib.new(algorithm, usedforsecurity=False)
        ).hexdigest()
