"""SVHN, cropped digits: MATLAB files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from oecal.core.errors import OecalError
from oecal.data.preprocess import Format
from oecal.data.store import ImageSplit
from oecal.data.table import PublishedSet


def read(
    files: Mapping[str, Path], row: PublishedSet, splits: Sequence[str], form: Format | None
) -> tuple[dict[str, ImageSplit], tuple[str, ...]]:
    """Read `X` (32, 32, 3, N) and `y` (N, 1) of each split; the label 10 means the digit 0."""
    from scipy.io import loadmat

    data = {}
    for name, path in files.items():
        try:
            content = loadmat(path, variable_names=("X", "y"))
            images, labels = (
                content["X"].transpose(3, 2, 0, 1),
                content["y"].astype(np.int64).reshape(-1),
            )
        except Exception as error:  # SciPy raises many kinds for a file that is no MATLAB file
            raise OecalError(
                f"{path}: is not an SVHN file ({error}); delete it and run again"
            ) from None
        data[row["files"][name]["split"]] = ImageSplit(np.ascontiguousarray(images), labels % 10)
    return data, tuple(row["classes"])
