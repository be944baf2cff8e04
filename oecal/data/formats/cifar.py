"""CIFAR-10 and CIFAR-100: Python pickles of uint8 rows."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from oecal.data.archives import DAMAGE, members
from oecal.data.preprocess import Format
from oecal.data.store import Split
from oecal.errors import OecalError

ALLOWED = {("numpy.core.multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode")}
SPLITS = {**{f"data_batch_{n}": "train" for n in range(1, 6)}, "test_batch": "test", "train": "train", "test": "test"}


class ArraysOnly(pickle.Unpickler):
    """Loads plain values and NumPy arrays, nothing else. The checksum has matched before; this is the second lock."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no such file needs")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def read(files: Mapping[str, Path], row: Mapping[str, Any], splits: Sequence[str],
         form: Format | None) -> tuple[dict[str, Split], tuple[str, ...]]:  # fmt: skip
    """Batches from the archive or from its unpacked folder."""
    (path,) = files.values()
    parts: dict[str, tuple[np.ndarray, list[int]]] = {}
    for name, content in members(path, lambda member: SPLITS.get(Path(member).name) in splits):
        try:
            batch = ArraysOnly(io.BytesIO(content), encoding="bytes").load()
            labels = batch[b"labels"] if b"labels" in batch else batch[b"fine_labels"]
            parts[Path(name).name] = batch[b"data"].reshape(-1, 3, 32, 32), labels
        except (*DAMAGE, pickle.UnpicklingError, TypeError, AttributeError) as error:
            raise OecalError(f"{path}: {name} is no CIFAR batch ({error})") from None
    found = {}
    for split in splits:
        own = [part for name, part in sorted(parts.items()) if SPLITS[name] == split]
        found[split] = Split(np.concatenate([images for images, _ in own]), np.concatenate([labels for _, labels in own]).astype(np.int64))
    return found, tuple(row["classes"])
