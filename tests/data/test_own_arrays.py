"""A user's own images as arrays of a NumPy or HDF5 file: forms, labels, what is refused."""

import hashlib

import h5py
import numpy as np
import pytest

from oecal.data import own_arrays, store
from oecal.data.preprocess import Format, adapt
from oecal.data.store import ImageSet, ImageSplit
from tests.data.own_images import (
    FORM,
    build_own,
    grey_levels,
    refuse_own,
    write_arrays,
)

BOTH = pytest.mark.parametrize("source", ["npz", "hdf5"])


@BOTH
def test_forms_of_arrays(tmp_path, rng, source, monkeypatch):
    monkeypatch.setattr(own_arrays, "BLOCK", 400)  # several blocks
    nchw = rng.integers(0, 256, (12, 3, 5, 6), np.uint8)
    forms = {
        "NCHW": nchw,
        "NHWC": nchw.transpose(0, 2, 3, 1),
        "16 bit": nchw.astype(np.uint16) * 257,
        "big": nchw.astype(">u2") * 257,
        "32 bit": nchw.astype(np.float32) / 255,
        "64 bit": nchw / 255,
        "half": (nchw / 255).astype(np.float16),
    }
    for images in forms.values():
        name = write_arrays(tmp_path / f"x.{source}", images=images)
        data = build_own(tmp_path, source, path=name, splits="test")
        np.testing.assert_array_equal(data.splits["test"].images, nchw)
        assert data.sha256 == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        assert (data.classes, data.source, set(data.splits["test"].labels)) == ((), name, {-1})
        resized = (
            build_own(
                tmp_path, source, Format((1, 4, 4), "bicubic", "pad"), path=name, splits="test"
            )
            .splits["test"]
            .images
        )
        np.testing.assert_array_equal(resized, adapt(nchw, (1, 4, 4), "bicubic", "pad"))
    for grey in (nchw[:, 0], nchw[:, :1], nchw[:, 0, :, :, None]):
        name = write_arrays(tmp_path / f"x.{source}", images=grey)
        np.testing.assert_array_equal(
            build_own(tmp_path, source, path=name, splits="test").splits["test"].images, nchw[:, :1]
        )


@BOTH
@pytest.mark.parametrize(
    "labels, names, classes, numbers",
    [
        ([0, 2, 2, 7], None, ("0", "2", "7"), [0, 1, 1, 2]),
        ([0, 2, 2, 7], ["a", "b", "c"], ("a", "b", "c"), [0, 1, 1, 2]),
        ([0, 2, 2, 3], ["a", "b", "c", "d", "e"], ("a", "b", "c", "d", "e"), [0, 2, 2, 3]),
        ([0, 2, 2, 7], ["a", "b"], ("0", "2", "7"), [0, 1, 1, 2]),
        ([0, 1, 1, 2], ["1.png", "2.png", "3.png", "4.png"], ("0", "1", "2"), [0, 1, 1, 2]),
        ([[5], [3], [5], [-1]], None, ("3", "5"), [1, 0, 1, -1]),
        ([-1, -1, -1, -1], ["a"], (), [-1, -1, -1, -1]),
        (["dog", "cat", "dog", "é"], ["x"], ("cat", "dog", "é"), [1, 0, 1, 2]),
        ([True, False, True, True], None, ("0", "1"), [1, 0, 1, 1]),
    ],
)
def test_labels_and_class_names(tmp_path, source, labels, names, classes, numbers):
    arrays = {"images": np.zeros((4, 5, 5), np.uint8), "labels": np.array(labels)} | (
        {"names": np.array(names)} if names else {}
    )
    data = build_own(
        tmp_path, source, path=write_arrays(tmp_path / f"x.{source}", **arrays), splits="train"
    )
    assert data.classes == classes
    assert data.splits["train"].labels.tolist() == numbers


@BOTH
def test_given_splits_of_a_file(tmp_path, source):
    images = np.arange(60, dtype=np.uint8).reshape(-1, 1, 1) * np.ones((5, 5), np.uint8)
    name = write_arrays(
        tmp_path / f"x.{source}",
        train_images=images[:40],
        train_labels=np.arange(40) % 3 + 1,
        val_images=images[40:50],
        val_labels=np.array([9] * 10),
        test_images=images[50:],
    )
    data = build_own(tmp_path, source, path=name, splits="given")
    assert data.classes == ("1", "2", "3", "9")
    assert {name: len(split.images) for name, split in data.splits.items()} == {
        "train": 40,
        "val": 10,
        "test": 10,
    }
    assert data.splits["train"].labels.tolist()[:4] == [0, 1, 2, 0]
    assert set(data.splits["val"].labels) == {3}
    assert set(data.splits["test"].labels) == {-1}
    between = "_" if source == "npz" else "/"
    assert (
        len(
            build_own(tmp_path, source, path=name, images=f"test{between}images", splits="train")
            .splits["train"]
            .images
        )
        == 10
    )
    message = refuse_own(tmp_path, source, path=name)
    assert "images: unknown name 'images'; " in message
    assert f"Known names: test{between}images, " in message
    assert (
        f"names before '{between}x': found nothing; with splits: given, expected at least one of "
        "train, val and test" in refuse_own(tmp_path, source, path=name, splits="given", images="x")
    )
    assert "labels: unknown name 'y'" in refuse_own(
        tmp_path, source, path=name, splits="given", labels="y"
    )
    name = write_arrays(tmp_path / f"y.{source}", train_images=images, test_images=images[:, :4])
    assert (
        "found images of (1, 4, 5) and (1, 5, 5) (channels, height, width); give them one size with"
        ", for example, format:" in refuse_own(tmp_path, source, path=name, splits="given")
    )
    assert build_own(tmp_path, source, FORM, path=name, splits="given").splits[
        "test"
    ].images.shape == (
        60,
        3,
        4,
        4,
    )


def test_an_image_store_is_an_hdf5_file(tmp_path, rng):
    splits = {
        name: ImageSplit(
            rng.integers(0, 256, (6, 3, 5, 5), np.uint8), np.array([0, 2, 2, -1, 0, 2])
        )
        for name in ("train", "val", "test")
    }
    store.write_store(tmp_path / "x.h5", ImageSet(splits, "", "", "", ("a", "none", "c")))
    data = build_own(tmp_path, "hdf5", path="x.h5", splits="given")
    assert data.classes == ("a", "none", "c")
    for name, split in splits.items():
        np.testing.assert_array_equal(data.splits[name].images, split.images)
        np.testing.assert_array_equal(data.splits[name].labels, split.labels)


def test_attributes_of_an_hdf5_file_as_class_names(tmp_path):
    for names, classes in (
        (["a", "b"], ("a", "b")),
        ('["a", "b"]', ("a", "b")),
        ("a and b", ("0", "1")),
    ):
        name = write_arrays(
            tmp_path / "x.hdf5", images=np.zeros((4, 5, 5), np.uint8), labels=np.array([0, 1, 1, 0])
        )
        with h5py.File(tmp_path / name, "a") as file:
            file.attrs["classes"] = names
        assert build_own(tmp_path, "hdf5", path=name, splits="test").classes == classes


@BOTH
def test_images_that_are_not_finite(tmp_path, rng, source, monkeypatch):
    monkeypatch.setattr(own_arrays, "BLOCK", 1000)
    images = rng.random((40, 5, 5))
    images[3, 0, 0], images[39, 4, 4] = np.nan, np.inf
    name = write_arrays(tmp_path / f"x.{source}", images=images, labels=np.arange(40))
    assert refuse_own(tmp_path, source, path=name) == (
        f"{tmp_path}/{name}: 2 of 40 images cannot be used, first images[3]: "
        f"not finite: NaN or infinity; all are listed in {tmp_path}/report.csv;"
        " repair them, or leave them out with on_bad: skip"
    )
    assert (tmp_path / "report.csv").read_text().splitlines()[1:] == [
        f"images[{n}],not finite: NaN or infinity" for n in (3, 39)
    ]
    data = build_own(tmp_path, source, path=name, on_bad="skip", splits="train")
    assert data.removed == {"train": {"not finite": 2}}
    assert data.splits["train"].labels.tolist() == [n for n in range(40) if n not in (3, 39)]
    np.testing.assert_array_equal(data.splits["train"].images[3, 0], np.rint(255 * images[4]))
    assert len(data.classes) == 40


GREY = np.zeros((12, 5, 5), np.uint8)


@BOTH
@pytest.mark.parametrize(
    "arrays, message",
    [
        (
            {"images": GREY.astype(np.int64)},
            "images: found type int64; expected uint8, uint16, or floats from 0 to 1",
        ),
        (
            {"images": GREY.astype(float) + np.arange(12)[:, None, None] - 2.5},
            "images: found floats from -2.5 to 8.5; expected 0 to 1",
        ),
        (
            {"images": GREY[0]},
            r"images: found shape (5, 5); expected (N, H, W), (N, H, W, C) or (N, C, H, W)",
        ),
        ({"images": GREY[:, :, :3]}, "images: found shape (12, 5, 3); expected"),
        ({"images": np.uint8(3)}, "images: found shape (); expected"),
        ({"images": GREY[:0]}, "images: found shape (0, 5, 5); expected"),
        (
            {"images": np.zeros((12, 3, 5, 3), np.uint8)},
            "images: found shape (12, 3, 5, 3), which could be (N, H, W, C) or (N, C, H, W)",
        ),
        (
            {"images": np.zeros((12, 4, 5, 5), np.uint8)},
            "images: found shape (12, 4, 5, 5); expected",
        ),
        (
            {"images": GREY, "labels": np.arange(11)},
            "the labels of images: found shape (11,); expected (12,), one for each image",
        ),
        (
            {"images": GREY, "labels": np.eye(12)},
            "the labels of images: found shape (12, 12); expected (12,)",
        ),
        (
            {"images": GREY, "labels": np.arange(12.0)},
            "the labels of images: found type float64; expected integers or strings",
        ),
        (
            {"images": GREY, "labels": np.array([-1, 1] * 6)},
            "the labels are -1 and 1, but -1 means no label; use 0 and 1",
        ),
        ({"pictures": GREY}, "images: unknown name 'images'. "),
    ],
)
def test_wrong_arrays(tmp_path, source, arrays, message):
    name = write_arrays(tmp_path / f"x.{source}", **arrays)
    refusal = refuse_own(tmp_path, source, path=name)
    assert refusal.startswith(f"{tmp_path}/{name}: ")
    assert message in refusal


def test_files_of_another_kind(tmp_path):
    np.save(tmp_path / "x.npy", np.tile(np.arange(10, dtype=np.uint8)[:, None, None], (1, 5, 5)))
    assert grey_levels(build_own(tmp_path, "npz", path="x.npy", splits="test").splits["test"]) == [
        *range(10)
    ]
    assert build_own(tmp_path, "npz", path="x.npy", images="whatever").classes == ()
    assert "labels: unknown name 'y'. Known names: images" in refuse_own(
        tmp_path, "npz", path="x.npy", labels="y"
    )
    np.save(tmp_path / "o.npy", np.array([{}, 1], object), allow_pickle=True)
    np.savez(tmp_path / "o.npz", images=GREY, labels=np.array(["a"] * 12, object))
    for name in ("o.npy", "o.npz"):
        assert "holds Python objects, which are not read" in refuse_own(tmp_path, "npz", path=name)
    for name, content in {
        "text": b"dear diary",
        "empty": b"",
        "cut.npz": (tmp_path / "o.npz").read_bytes()[:-40],
    }.items():
        (tmp_path / name).write_bytes(content)
        assert any(
            words in refuse_own(tmp_path, "npz", path=name)
            for words in ("is not a complete NumPy file", "holds Python objects")
        )
        assert "is not a complete HDF5 file" in refuse_own(tmp_path, "hdf5", path=name)
