import h5py
import numpy as np
import pytest
from PIL import Image

from oecal.core.errors import OecalError
from oecal.data import store
from oecal.data.preprocess import adapt, resize, to_grey
from oecal.data.store import ImageSet, ImageSplit


def test_store_attributes(tmp_path):
    split = ImageSplit(np.zeros((2, 1, 3, 3), np.uint8), np.array([1, 0]))
    store.write_store(
        tmp_path / "x.h5",
        ImageSet({"test": split, "train": split}, "somewhere", "CC0", "ab", ("cat", "dog")),
    )
    with h5py.File(tmp_path / "x.h5") as file:
        assert list(file) == ["test", "train"]
        assert (file.attrs["source"], file.attrs["licence"], file.attrs["sha256"]) == (
            "somewhere",
            "CC0",
            "ab",
        )
        assert file["test/images"].dtype == np.uint8
        assert file["test/labels"].dtype == np.int64
    assert store.read_metadata(tmp_path / "x.h5").classes == ("cat", "dog")
    assert store.list_splits(tmp_path / "x.h5") == ["train", "test"]
    with pytest.raises(OecalError, match="has no split 'val', only: test, train"):
        store.read_split(tmp_path / "x.h5", "val")


def test_damaged_store(tmp_path):
    (tmp_path / "x.h5").write_bytes(b"no HDF5")
    with pytest.raises(
        OecalError, match="x.h5: is damaged, or was not written .* delete it and run again"
    ):
        store.read_split(tmp_path / "x.h5", "test")


@pytest.mark.parametrize(
    "images, labels",
    [
        (np.zeros((2, 3, 3), np.uint8), [0, 0]),
        (np.zeros((2, 1, 3, 3)), [0, 0]),
        (np.zeros((2, 1, 3, 3), np.uint8), [0]),
    ],
)
def test_a_split_has_one_form(images, labels):
    with pytest.raises((TypeError, ValueError)):
        ImageSplit(images, np.array(labels))


def test_grey_is_pillows_luma(rng):
    rgb = rng.integers(0, 256, (4, 3, 5, 6), np.uint8)
    expected = np.stack(
        [np.asarray(Image.fromarray(i.transpose(1, 2, 0)).convert("L")) for i in rgb]
    )[:, None]
    assert np.abs(to_grey(rgb).astype(int) - expected).max() <= 1


@pytest.mark.parametrize("interpolation", ["nearest", "box", "bilinear", "bicubic"])
def test_adapt_gives_the_shape_and_keeps_constants(interpolation):
    flat = np.full((2, 3, 9, 7), 77, np.uint8)
    for shape in ((1, 28, 28), (3, 4, 4), (3, 9, 7)):
        out = adapt(flat, shape, interpolation)
        assert out.shape == (2, *shape)
        assert out.dtype == np.uint8
        assert (out == 77).all()


def test_adapt_repeats_grey_and_leaves_a_fitting_image_alone(rng):
    grey = rng.integers(0, 256, (3, 1, 8, 8), np.uint8)
    np.testing.assert_array_equal(adapt(grey, (3, 8, 8)), np.repeat(grey, 3, axis=1))
    assert adapt(grey, (1, 8, 8)) is grey
    assert adapt(grey[:0], (1, 4, 4)).shape == (0, 1, 4, 4)


def test_shrinking_is_antialiased():
    stripes = np.zeros((1, 1, 32, 32), np.uint8)
    stripes[..., ::2] = 255
    assert np.abs(resize(stripes, 8, 8).astype(int) - 127).max() < 20
