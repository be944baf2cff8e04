"""One NumPy array of unlabelled images, (N, H, W, 3) uint8, such as 300K Random Images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from oecal.core.errors import OecalError, summarize_error
from oecal.data.npz import DAMAGE
from oecal.data.preprocess import Format
from oecal.data.store import ImageSplit
from oecal.data.table import PublishedSet


def read(
    files: Mapping[str, Path], row: PublishedSet, splits: Sequence[str], form: Format | None
) -> tuple[dict[str, ImageSplit], tuple[str, ...]]:
    """Read the array. Nothing is unpickled: an array of objects is refused."""
    (path,) = files.values()
    (split,) = row["images"]
    try:
        images = np.load(path, allow_pickle=False)
        return {
            split: ImageSplit.unlabelled(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
        }, ()
    except DAMAGE as error:
        raise OecalError(
            f"{path}: is not an array of images ({summarize_error(error)}); replace it with a good "
            "copy"
        ) from None
