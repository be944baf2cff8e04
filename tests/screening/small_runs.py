"""The models of the small runs, and an image that is too large."""

import struct
import zlib

from oecal.scores.score_run import score_run as score_run

RUNS = {
    "wrn": {"architecture": "wrn", "options": {"depth": 10, "width": 1, "dropout": 0.0}},
    "pixelcnn": {
        "architecture": "pixelcnn",
        "options": {"blocks": 1, "channels": 4, "mixtures": 2, "levels": 2},
    },
}
SHAPE = (1, 8, 8)


def huge_png():
    """A valid PNG of 20,000 x 20,000 pixels, 1 bit each."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    lines = zlib.compress(bytes(20_000 * 2_501), 1)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", lines) + chunk(b"IEND", b"")
