"""CIFAR-10 and CIFAR-100: the Python version, pickles of uint8 rows, and the binary version."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from oecal.core.errors import OecalError, summarize_error
from oecal.data.archives import members
from oecal.data.preprocess import Format
from oecal.data.store import ImageSplit

ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}
SPLITS = {
    **{f"data_batch_{n}": "train" for n in range(1, 6)},
    "test_batch": "test",
    "train": "train",
    "test": "test",
}


def batch_of(member: str) -> str:
    """Its last part without an extension: data_batch_1 of cifar-10-batches-py/data_batch_1 and of cifar-10-batches-bin/data_batch_1.bin."""
    return Path(member).name.removesuffix(".bin")


class ArraysOnly(pickle.Unpickler):
    """Loads plain values and NumPy arrays, nothing else.

    The checksum has matched before; this is the second lock.
    """

    def find_class(self, module: str, name: str) -> Any:
        """The few NumPy names that these files need.

        Raises UnpicklingError for any other: a pickle can run code.
        """
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no such file needs")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def pickled(content: bytes) -> tuple[np.ndarray, list[int]]:
    """Images and labels of a batch of the Python version."""
    batch = ArraysOnly(io.BytesIO(content), encoding="bytes").load()
    return batch[b"data"].reshape(-1, 3, 32, 32), batch[b"labels"] if b"labels" in batch else batch[
        b"fine_labels"
    ]


def binary(content: bytes, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """The same of the binary version: rows of a label (CIFAR-100: a coarse and a fine one) and 3072 pixels."""
    labels = 2 if classes == 100 else 1
    rows = np.frombuffer(content, np.uint8).reshape(-1, labels + 3072)
    return rows[:, labels:].reshape(-1, 3, 32, 32), rows[:, labels - 1]


def read(
    files: Mapping[str, Path], row: Mapping[str, Any], splits: Sequence[str], form: Format | None
) -> tuple[dict[str, ImageSplit], tuple[str, ...]]:
    """Batches, pickled or binary, from the archive or from its unpacked folder."""
    (path,) = files.values()
    parts = {}
    for member, content in members(path, lambda member: SPLITS.get(batch_of(member)) in splits):
        try:
            parts[batch_of(member)] = (
                binary(content, len(row["classes"]))
                if member.endswith(".bin")
                else pickled(content)
            )
        except (
            Exception
        ) as error:  # bytes that are no batch make an unpickler raise nearly everything
            raise OecalError(
                f"{path}: {member} is no CIFAR batch ({summarize_error(error)}); put a good copy in its place"
            ) from None
    found = {}
    for split in splits:
        own = [part for batch, part in sorted(parts.items()) if SPLITS[batch] == split]
        found[split] = ImageSplit(
            np.concatenate([images for images, _ in own]),
            np.concatenate([labels for _, labels in own]).astype(np.int64),
        )
    return found, tuple(row["classes"])
