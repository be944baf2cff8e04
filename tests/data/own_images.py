"""Builds a user's own images from small files, for tests."""

import h5py
import numpy as np
import pytest
from PIL import Image

from oecal.core.components import read_constant
from oecal.core.errors import OecalError
from oecal.core.options import check_options
from oecal.data import folder, hdf5, npz
from oecal.data.preprocess import Format

FORM = Format((3, 4, 4))
SOURCES = {"folder": folder, "npz": npz, "hdf5": hdf5}


def build_own(root, source, form=None, **options):
    """What the source builds; also says that its options pass the configuration's check."""
    assert read_constant("data", source, "FROM_FILES") is True
    given = check_options("data", source, options, "x")
    return SOURCES[source].build(given, root, form, root / "report.csv")


def refuse_own(root, source, form=None, error=OecalError, **options):
    with pytest.raises(error) as caught:
        build_own(root, source, form, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def write_pictures(folder, n, start=0, size=(4, 4), mode="L", ending="png"):
    """n files of one grey level each: start, start + 1, ..."""
    folder.mkdir(parents=True, exist_ok=True)
    for level in range(start, start + n):
        Image.new(mode, size, (level,) * 3 if mode == "RGB" else level).save(
            folder / f"{level:03}.{ending}"
        )


def grey_levels(split):
    return split.images[:, 0, 0, 0].tolist()


def assert_same(one, two):
    assert (one.classes, one.sha256, one.removed, list(one.splits)) == (
        two.classes,
        two.sha256,
        two.removed,
        list(two.splits),
    )
    for name in one.splits:
        np.testing.assert_array_equal(one.splits[name].images, two.splits[name].images)
        np.testing.assert_array_equal(one.splits[name].labels, two.splits[name].labels)


def write_arrays(path, **arrays):
    """The arrays as the file's ending says; of HDF5, train_images as train/images."""
    if path.suffix == ".npz":
        np.savez(path, **arrays)
    else:
        with h5py.File(path, "w") as file:
            for name, array in arrays.items():
                text = np.asarray(array).dtype.kind == "U"
                file[name.replace("_", "/")] = (
                    np.asarray(array).astype(h5py.string_dtype()) if text else array
                )
    return path.name
