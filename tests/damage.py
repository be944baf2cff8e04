"""Files with a flipped bit, cut off, or of another kind, and what a reader gives of them."""

import random

import numpy as np

from oecal.core.errors import OecalError

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 3, 32, 32), np.uint8)
LABELS = np.arange(40) % 10


def spoiled(content, n, seed=0):
    """n damaged copies: a flipped bit, a few overwritten bytes, a cut, something behind the end."""
    for number in range(n):
        rng = random.Random(f"{seed} {number}")
        changed, at = bytearray(content), rng.randrange(len(content))
        match number % 4:
            case 0 | 1:
                changed[at] ^= 1 << rng.randrange(8)
            case 2:
                changed[at : at + 8] = rng.randbytes(8)
            case _:
                del changed[at:]
        yield bytes(changed)


def result(read, path):
    """What a reader gives, and the line with which it refuses."""
    try:
        return read(path), ""
    except OecalError as error:
        return None, str(error)
