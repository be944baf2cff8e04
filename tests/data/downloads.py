"""A file to download in tests, and short names for doing so."""

import hashlib
import random

from oecal.data.download import Patience, download

BODY = random.Random(0).randbytes(2_000_000)
CHECKSUM = "sha256:" + hashlib.sha256(BODY).hexdigest()


def part(path):
    return path.with_name("file.bin.part")


def bytes_so_far(path):
    return part(path).stat().st_size if part(path).exists() else 0


def get(path, *urls, size=0, **patience):
    patience = Patience(**{"timeout": 0.3, "backoff": 0.001, **patience})
    download(urls, path, CHECKSUM, size, patience)
