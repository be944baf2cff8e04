"""CIFAR-10 and CIFAR-100: the Python version (pickles of uint8 rows) and the binary version."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from oecal.core.errors import OecalError, summarize_error
from oecal.data.archives import read_members
from oecal.data.preprocess import Format
from oecal.data.store import ImageSplit
from oecal.data.table import PublishedSet

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


def name_batch(member: str) -> str:
    """Return the name of a batch, such as data_batch_1, without folder and extension."""
    return Path(member).name.removesuffix(".bin")


class ArraysOnly(pickle.Unpickler):
    """Loads plain values and NumPy arrays, nothing else.

    The checksum has matched before; this is a second safeguard.
    """

    def find_class(self, module: str, name: str) -> object:
        """Return one of the few NumPy objects that these files need.

        Raise UnpicklingError for any other: a pickle can run code.
        """
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it refers to {module}.{name}, which is not allowed")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def parse_pickle(content: bytes) -> tuple[np.ndarray, list[int]]:
    """Return images and labels of a batch of the Python version."""
    batch = ArraysOnly(io.BytesIO(content), encoding="bytes").load()
    labels: list[int] = batch[b"labels"] if b"labels" in batch else batch[b"fine_labels"]
    return batch[b"data"].reshape(-1, 3, 32, 32), labels


def parse_binary(content: bytes, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return images and labels of a batch of the binary version.

    Its rows are a label (CIFAR-100: a coarse and a fine one) and 3072 pixels.
    """
    labels = 2 if classes == 100 else 1
    rows = np.frombuffer(content, np.uint8).reshape(-1, labels + 3072)
    return rows[:, labels:].reshape(-1, 3, 32, 32), rows[:, labels - 1]


def read(
    files: Mapping[str, Path], row: PublishedSet, splits: Sequence[str], form: Format | None
) -> tuple[dict[str, ImageSplit], tuple[str, ...]]:
    """Read batches, pickled or binary, from the archive or its unpacked folder."""
    (path,) = files.values()
    batches: dict[str, tuple[np.ndarray, np.ndarray | list[int]]] = {}
    for member, content in read_members(
        path, lambda member: SPLITS.get(name_batch(member)) in splits
    ):
        try:
            batches[name_batch(member)] = (
                parse_binary(content, len(row["classes"]))
                if member.endswith(".bin")
                else parse_pickle(content)
            )
        except Exception as error:  # of bytes that are no batch, an unpickler raises anything
            raise OecalError(
                f"{path}: {member} is not a CIFAR batch ({summarize_error(error)}); replace it "
                "with a good copy"
            ) from None
    data = {}
    for split in splits:
        own = [batch for name, batch in sorted(batches.items()) if SPLITS[name] == split]
        data[split] = ImageSplit(
            np.concatenate([images for images, _ in own]),
            np.concatenate([labels for _, labels in own]).astype(np.int64),
        )
    return data, tuple(row["classes"])
