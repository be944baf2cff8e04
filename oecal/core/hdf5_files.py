"""The HDF5 files of the workflow.

They are whole or not there, have the same bytes for the same content, and checksums, so that a
flipped bit is an error and not another number.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import h5py
import numpy as np

from oecal.core.errors import OecalError, summarize_error
from oecal.core.files import replacing

CHUNK = 2**20  # bytes that have a checksum of their own
# What h5py raises at a damaged file.
DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError)


@contextmanager
def creating(path: str | Path) -> Iterator[h5py.File]:
    """Open a new file, which takes the place of `path` if the block succeeds."""
    # From this version of the format on, headers have checksums.
    with replacing(path) as temporary, h5py.File(temporary, "w", libver=("v110", "v110")) as file:
        try:
            yield file
            file.flush()
        # On a full disk, HDF5 cannot write what is left either, and crashes as it closes: the null
        # device takes that.
        except BaseException:
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.dup2(nowhere, file.id.get_vfd_handle())
            os.close(nowhere)
            with suppress(RuntimeError):  # where the file was still to grow: the null device cannot
                file.close()
            raise


def put(group: h5py.Group, name: str, values: np.ndarray) -> h5py.Dataset:
    """Write a new dataset of these values, in chunks of rows that have checksums."""
    values, how = np.asarray(values), {}
    if values.ndim and values.size:
        rows = max(1, min(len(values), CHUNK // (values[0].size * values.itemsize or 1)))
        how = {"chunks": (rows, *values.shape[1:]), "fletcher32": True}
    dataset = group.create_dataset(name, data=values, track_times=False, **how)
    # Now, while a full disk can be raised: when a dataset closes, h5py only says so and goes on
    group.file.flush()
    return dataset


@contextmanager
def reading(path: str | Path) -> Iterator[h5py.File]:
    """Open a file to read.

    Raises OecalError if it is damaged, is none of ours or lacks what the block looks for.
    """
    try:
        with h5py.File(path) as file:
            yield file
    except DAMAGE as error:
        raise OecalError(
            f"{path}: is damaged, or was not written by this workflow ({summarize_error(error)}); "
            "delete it and run again"
        ) from None
