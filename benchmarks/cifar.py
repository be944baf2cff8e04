"""Preparing CIFAR-10, beside reading its raw files and writing their images once.

On random images in the real format, side by side in one process; medians. Only the ratio carries
over to another machine.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import statistics
import struct
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import h5py
import numpy as np
from tqdm import tqdm

from oecal.data.build_set import build
from oecal.data.table import load_published_sets

BATCHES = [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]
RECIPE = {"source": "published", "options": {"name": "cifar10", "splits": [], "val_share": 0.1}}


class OldPickler(pickle._Pickler):
    """Write bytes as Python 2 wrote strings, as in the original files; they load much faster."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def save_string(self, value: bytes) -> None:
        self.write(pickle.BINSTRING + struct.pack("<i", len(value)) + value)

    dispatch[bytes] = save_string


def old_pickle(value: object) -> bytes:
    buffer = io.BytesIO()
    OldPickler(buffer, protocol=2).dump(value)
    # The module's name when the original files were written.
    return buffer.getvalue().replace(b"numpy._core", b"numpy.core")


def write_raw_files(root: Path) -> None:
    """Six batches of 10,000 random images; the table takes their checksums."""
    rng = np.random.default_rng(0)
    row = load_published_sets()["cifar10"]
    (root / "cifar-10-batches-py").mkdir()
    for name in [*BATCHES, "batches.meta"]:
        batch = {
            b"batch_label": name.encode(),
            b"labels": rng.integers(0, 10, 10_000).tolist(),
            b"data": rng.integers(0, 256, (10_000, 3072), np.uint8),
            b"filenames": [
                f"leptodactylus_pentadactylus_s_{n:06}.png".encode() for n in range(10_000)
            ],
        }
        content = old_pickle(batch if name in BATCHES else {})
        (root / "cifar-10-batches-py" / name).write_bytes(content)
        row["unpacked"][f"cifar-10-batches-py/{name}"]["sha256"] = hashlib.sha256(
            content
        ).hexdigest()


def read_and_write(root: Path) -> None:
    """The least that has to be done: no checksum, no split, nothing recorded."""
    batches = [
        pickle.loads((root / "cifar-10-batches-py" / name).read_bytes(), encoding="bytes")
        for name in BATCHES
    ]
    with h5py.File(root / "least.h5", "w") as file:
        file["train/images"] = np.concatenate([batch[b"data"] for batch in batches[:5]]).reshape(
            -1, 3, 32, 32
        )
        file["test/images"] = batches[5][b"data"].reshape(-1, 3, 32, 32)
        file["train/labels"] = np.concatenate([batch[b"labels"] for batch in batches[:5]])
        file["test/labels"] = np.array(batches[5][b"labels"])


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_raw_files(root)
        ours, least = [], []
        for _ in tqdm(range(9), leave=False, disable=None):  # in turn, so that noise meets both
            for store in root.glob("*.h5"):
                store.unlink()  # freeing an old file's pages would count too
            least.append(seconds(lambda: read_and_write(root)))
            ours.append(seconds(lambda: build(RECIPE, root / "ours.h5", root=root)))
        ratio = statistics.median(a / b for a, b in zip(ours, least, strict=True))
        print("\nCIFAR-10 from raw files to HDF5")
        print(f"  read and write once  {statistics.median(least):6.2f} s")
        print(f"  ours                 {statistics.median(ours):6.2f} s  {ratio:6.2f} x")


if __name__ == "__main__":
    main()
