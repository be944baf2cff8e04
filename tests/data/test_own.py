"""A user's own images: folders, NumPy and HDF5 files, and what is said about those that cannot be used."""

import csv
import hashlib
import logging
import os
import time

import h5py
import numpy as np
import pytest
from PIL import Image

from oecal.core.components import check_options, read_constant
from oecal.core.errors import OecalError, Unavailable
from oecal.data import decode, folder, hdf5, npz, own, store
from oecal.data.preprocess import Format, adapt
from oecal.data.store import ImageSet, ImageSplit

FORM = Format((3, 4, 4))
SOURCES = {"folder": folder, "npz": npz, "hdf5": hdf5}


def made(root, source, form=None, **options):
    """What the source builds; also says that its options pass the configuration's check."""
    assert read_constant("data", source, "FROM_FILES") is True
    given = SOURCES[source].Options(**check_options("data", source, options, "x"))
    return SOURCES[source].build(given, root, form, root / "report.csv")


def refused(root, source, form=None, error=OecalError, **options):
    with pytest.raises(error) as caught:
        made(root, source, form, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def pictures(folder, n, start=0, size=(4, 4), mode="L", ending="png"):
    """n files of one grey level each: start, start + 1, ..."""
    folder.mkdir(parents=True, exist_ok=True)
    for level in range(start, start + n):
        Image.new(mode, size, (level,) * 3 if mode == "RGB" else level).save(
            folder / f"{level:03}.{ending}"
        )


def values(split):
    return split.images[:, 0, 0, 0].tolist()


def same(one, two):
    assert (one.classes, one.sha256, one.removed, list(one.splits)) == (
        two.classes,
        two.sha256,
        two.removed,
        list(two.splits),
    )
    for name in one.splits:
        np.testing.assert_array_equal(one.splits[name].images, two.splits[name].images)
        np.testing.assert_array_equal(one.splits[name].labels, two.splits[name].labels)


def test_classes_splits_and_provenance(tmp_path):
    pictures(tmp_path / "mine/zebra", 20)
    pictures(tmp_path / "mine/ape/young", 30, 100)
    (tmp_path / "mine/none").mkdir()
    data = made(tmp_path, "folder", path="mine")
    assert data.classes == ("ape", "zebra")  # a folder without images is no class
    assert (data.source, data.licence, data.removed) == ("mine", "your own images", {})
    for name, n in (("train", (24, 16)), ("val", (3, 2)), ("test", (3, 2))):
        split = data.splits[name]
        assert tuple(np.bincount(split.labels, minlength=2)) == n
        assert (np.array(values(split)) >= 100).tolist() == (split.labels == 0).tolist()
    assert sorted(level for split in data.splits.values() for level in values(split)) == [
        *range(20),
        *range(100, 130),
    ]
    lines = [
        f"{hashlib.sha256((tmp_path / 'mine' / n).read_bytes()).hexdigest()}  {n}\n"
        for n in [
            *(f"ape/young/{i}.png" for i in range(100, 130)),
            *(f"zebra/{i:03}.png" for i in range(20)),
        ]
    ]
    assert data.sha256 == hashlib.sha256("".join(lines).encode()).hexdigest()
    assert (tmp_path / "report.csv").read_text() == "path,reason\n"
    same(data, made(tmp_path / "elsewhere", "folder", path=str(tmp_path / "mine")))


def test_labels_and_whole_splits(tmp_path, caplog):
    pictures(tmp_path / "mine/a", 3)
    pictures(tmp_path / "mine/b", 3, 10)
    for name in ("train", "test"):
        assert list(made(tmp_path, "folder", path="mine", splits=name).splits) == [name]
    none = made(tmp_path, "folder", path="mine", splits="test", labels="none")
    assert (none.classes, set(none.splits["test"].labels)) == ((), {-1})
    assert made(tmp_path, "folder", path="mine/a", splits="test").classes == ()
    assert "labels is folders, but 3 images are in no class folder, first 000.png" in refused(
        tmp_path, "folder", path="mine/a", labels="folders"
    )
    assert not caplog.records
    pictures(tmp_path / "mine", 1, 200)
    mixed = made(tmp_path, "folder", path="mine", splits="train")
    assert values(mixed.splits["train"]) == [200, 0, 1, 2, 10, 11, 12]
    assert mixed.classes == ()
    assert "no labels" in caplog.text
    assert "7 images are too few to divide; write splits: train or test" in refused(
        tmp_path, "folder", path="mine"
    )


def test_given_splits_of_a_folder(tmp_path, caplog):
    for n, name in enumerate(("train", "Validation", "test")):
        pictures(tmp_path / "mine" / name / "b", 2, 10 * n)
        pictures(tmp_path / "mine" / name / f"only in {name}", 1, 10 * n + 5)
    data = made(tmp_path, "folder", path="mine", splits="given")
    assert {name: values(split) for name, split in data.splits.items()} == {
        "train": [0, 1, 5],
        "val": [10, 11, 15],
        "test": [20, 21, 25],
    }
    assert data.classes == ("b", "only in Validation", "only in test", "only in train")
    assert data.splits["val"].labels.tolist() == [0, 0, 1]
    pictures(tmp_path / "mine/extra", 1)
    made(tmp_path, "folder", path="mine", splits="given")
    assert "no split, passed over: extra" in caplog.text
    pictures(tmp_path / "mine/valid", 1)
    assert "Validation and valid are the same split" in refused(
        tmp_path, "folder", path="mine", splits="given"
    )
    assert "none is named train, val or test: found b, only in test" in refused(
        tmp_path, "folder", path="mine/test", splits="given"
    )
    pictures(tmp_path / "two/train/a", 1)
    pictures(tmp_path / "two/test", 1)
    assert "the images in test are in no class folders, unlike the others" in refused(
        tmp_path, "folder", path="two", splits="given"
    )
    assert set(made(tmp_path, "folder", path="two", splits="given", labels="none").splits) == {
        "train",
        "test",
    }
    (tmp_path / "two/val").mkdir()
    assert f"there are no images below {tmp_path}/two/val" in refused(
        tmp_path, "folder", path="two", splits="given"
    )


@pytest.fixture
def spoilt(tmp_path):
    """12 good images, 3 bad ones, and files that are passed over."""
    pictures(tmp_path / "mine/good", 12)
    Image.effect_noise((40, 40), 50).save(tmp_path / "noise.png")
    for name, content in {
        "a,b.png": b"",
        "näh é.jpg": b"text",
        "z": (tmp_path / "noise.png").read_bytes()[:500],
        "Thumbs.db": b"x",
        ".DS_Store": b"x",
        "notes.TXT": b"x",
        "labels.csv": b"x",
        "x.json": b"{}",
        "README.md": b"#",
        "LICENSE": b"",
    }.items():
        (tmp_path / "mine/good" / name).write_bytes(content)
    pictures(tmp_path / "mine/.hidden", 1)
    pictures(tmp_path / "mine/__MACOSX", 1)
    return tmp_path


def test_bad_files_stop(spoilt):
    message = refused(spoilt, "folder", path="mine")
    assert message == (
        f"{spoilt}/mine: 3 of 15 files cannot be used, first good/a,b.png: empty file; all in {spoilt}/report.csv;"
        " mend them or write on_bad: skip"
    )
    with open(spoilt / "report.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[:3] == [
        ["path", "reason"],
        ["good/a,b.png", "empty file"],
        ["good/näh é.jpg", "no image: of no known format or cut off in its header"],
    ]
    assert rows[3][0] == "good/z"
    assert rows[3][1].startswith("cut off or damaged: ")


def test_bad_files_skipped(spoilt, caplog):
    data = made(spoilt, "folder", path="mine", on_bad="skip")
    assert data.removed == {"all": {"empty file": 1, "no image": 1, "cut off or damaged": 1}}
    assert [len(split.images) for split in data.splits.values()] == [10, 1, 1]
    assert data.classes == ("good",)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "3 of 15 files cannot be used" in record.message
    assert "report.csv" in record.message
    assert list(made(spoilt, "folder", path="mine", on_bad="skip", splits="test").removed) == [
        "test"
    ]


def test_nothing_usable(tmp_path):
    (tmp_path / "mine").mkdir()
    assert f"path: there are no images below {tmp_path}/mine" in refused(
        tmp_path, "folder", path="mine"
    )
    (tmp_path / "mine/a.png").write_bytes(b"no")
    assert refused(tmp_path, "folder", path="mine", on_bad="skip").endswith("report.csv; mend them")
    for split in ("train", "test"):
        pictures(tmp_path / "two" / split, 1)
    (tmp_path / "two/train/000.png").write_bytes(b"")
    assert "the split 'train' has no image that can be used" in refused(
        tmp_path, "folder", path="two", splits="given", on_bad="skip"
    )
    message = refused(tmp_path, "folder", error=Unavailable, path="elsewhere")
    assert message.startswith(
        f"path: there is nothing at {tmp_path}/elsewhere; write an absolute path, or one relative to the data root"
    )
    refused(tmp_path, "folder", error=Unavailable, path="~nobody-of-this-name/x")
    assert "is a file; write a folder, or source: npz or source: hdf5" in refused(
        tmp_path, "folder", path="mine/a.png"
    )
    assert "is a folder; write a file, or source: folder" in refused(tmp_path, "npz", path="mine")


def test_formats(tmp_path, monkeypatch):
    pictures(tmp_path / "mine", 2)
    pictures(tmp_path / "mine", 2, 5, mode="RGB", ending="bmp")
    one_size = made(tmp_path, "folder", path="mine", splits="test").splits["test"]
    assert one_size.images.shape == (4, 3, 4, 4)
    assert made(tmp_path, "folder", Format((1, 4, 4)), path="mine", splits="test").splits[
        "test"
    ].images.shape == (4, 1, 4, 4)
    picture = Image.radial_gradient("L").resize((9, 6))
    picture.save(tmp_path / "mine/wide.png")
    message = refused(tmp_path, "folder", path="mine", splits="test")
    assert (
        "mine: 1 of 5 files cannot be used, first wide.png: another size: 6 x 9, most have 4 x 4; if that is meant, write format"
        in message
    )
    few = made(tmp_path, "folder", path="mine", splits="test", on_bad="skip")
    np.testing.assert_array_equal(few.splits["test"].images, one_size.images)
    assert few.removed == {"test": {"another size": 1}}
    for fit in ("stretch", "crop", "pad"):
        images = (
            made(tmp_path, "folder", Format((1, 5, 5), "lanczos", fit), path="mine", splits="test")
            .splits["test"]
            .images
        )
        np.testing.assert_array_equal(
            images[-1], adapt(np.asarray(picture)[None, None], (1, 5, 5), "lanczos", fit)[0]
        )
    monkeypatch.setenv("HOME", str(tmp_path))
    assert made(tmp_path / "x", "folder", FORM, path="~/mine", splits="test").source == "~/mine"


def test_the_order_is_that_of_the_paths_whichever_thread_is_first(tmp_path, monkeypatch):
    pictures(tmp_path / "mine/a b", 8)
    pictures(tmp_path / "mine/a", 8, 20)
    pictures(tmp_path / "mine/ä\u2603", 8, 40)
    expected = made(tmp_path, "folder", path="mine", splits="train")
    assert expected.classes == ("a", "a b", "ä\u2603")
    assert values(expected.splits["train"]) == [*range(20, 28), *range(8), *range(40, 48)]

    def slow(content):
        image = decode.decode(content)
        time.sleep((50 - image[0, 0, 0]) / 5000)  # the last are ready first
        return image

    monkeypatch.setattr(folder, "decode", slow)
    monkeypatch.setattr(folder, "CHUNK", 10)
    same(made(tmp_path, "folder", path="mine", splits="train"), expected)


def test_names_that_are_no_text_and_folders_that_cannot_be_read(tmp_path, monkeypatch):
    pictures(tmp_path / "mine", 1)
    (tmp_path / "mine/000.png").rename(tmp_path / os.fsdecode(b"mine/\xff.png"))
    (tmp_path / os.fsdecode(b"mine/\xfe.png")).write_bytes(b"no")
    assert (
        len(
            made(tmp_path, "folder", path="mine", splits="test", on_bad="skip")
            .splits["test"]
            .images
        )
        == 1
    )
    assert (tmp_path / "report.csv").read_text().splitlines()[1].startswith("\\xfe.png,no image")

    def scandir(folder):
        raise PermissionError(13, "Permission denied", folder)

    monkeypatch.setattr(os, "scandir", scandir)
    expected = (
        f"{tmp_path}/mine: the folder cannot be read (Permission denied); see to its permissions"
    )
    assert refused(tmp_path, "folder", path="mine") == expected


def test_links_are_followed_but_not_in_circles(tmp_path):
    pictures(tmp_path / "far", 3)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/linked").symlink_to(tmp_path / "far")
    (tmp_path / "far/back").symlink_to(tmp_path / "mine")
    (tmp_path / "far/broken.png").symlink_to(tmp_path / "nowhere")
    data = made(tmp_path, "folder", path="mine", splits="test", on_bad="skip")
    assert data.classes == ("linked",)
    assert len(data.splits["test"].images) == 3
    assert data.removed == {"test": {"cannot be opened": 1}}


@pytest.mark.parametrize("sizes", [(10,), (13, 9, 28), (1,) * 25, (500, 3)])
def test_divided_sets_are_disjoint_and_stratified(sizes):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    numbers = np.arange(len(labels))
    images = np.stack([numbers % 256, numbers // 256], 1).astype(np.uint8)[:, None, None]
    splits = own.divide(ImageSplit(images, labels), "x")
    found = {
        name: split.images[:, 0, 0, 0] + 256 * split.images[:, 0, 0, 1].astype(int)
        for name, split in splits.items()
    }
    np.testing.assert_array_equal(np.sort(np.concatenate([*found.values()])), numbers)
    for name, share in (("train", 0.8), ("val", 0.1), ("test", 0.1)):
        np.testing.assert_array_equal(splits[name].labels, labels[found[name]])
        assert abs(len(found[name]) - share * len(labels)) < 2
        assert (
            np.abs(np.bincount(splits[name].labels, minlength=len(sizes)) - share * np.array(sizes))
            < 2
        ).all()


def saved(path, **arrays):
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


BOTH = pytest.mark.parametrize("source", ["npz", "hdf5"])


@BOTH
def test_forms_of_arrays(tmp_path, rng, source, monkeypatch):
    monkeypatch.setattr(own, "BLOCK", 400)  # several blocks
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
        name = saved(tmp_path / f"x.{source}", images=images)
        data = made(tmp_path, source, path=name, splits="test")
        np.testing.assert_array_equal(data.splits["test"].images, nchw)
        assert data.sha256 == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        assert (data.classes, data.source, set(data.splits["test"].labels)) == ((), name, {-1})
        resized = (
            made(tmp_path, source, Format((1, 4, 4), "bicubic", "pad"), path=name, splits="test")
            .splits["test"]
            .images
        )
        np.testing.assert_array_equal(resized, adapt(nchw, (1, 4, 4), "bicubic", "pad"))
    for grey in (nchw[:, 0], nchw[:, :1], nchw[:, 0, :, :, None]):
        name = saved(tmp_path / f"x.{source}", images=grey)
        np.testing.assert_array_equal(
            made(tmp_path, source, path=name, splits="test").splits["test"].images, nchw[:, :1]
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
)  # fmt: skip
def test_labels_and_class_names(tmp_path, source, labels, names, classes, numbers):
    arrays = {"images": np.zeros((4, 5, 5), np.uint8), "labels": np.array(labels)} | (
        {"names": np.array(names)} if names else {}
    )
    data = made(tmp_path, source, path=saved(tmp_path / f"x.{source}", **arrays), splits="train")
    assert data.classes == classes
    assert data.splits["train"].labels.tolist() == numbers


@BOTH
def test_given_splits_of_a_file(tmp_path, source):
    images = np.arange(60, dtype=np.uint8).reshape(-1, 1, 1) * np.ones((5, 5), np.uint8)
    name = saved(
        tmp_path / f"x.{source}",
        train_images=images[:40],
        train_labels=np.arange(40) % 3 + 1,
        val_images=images[40:50],
        val_labels=np.array([9] * 10),
        test_images=images[50:],
    )
    data = made(tmp_path, source, path=name, splits="given")
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
            made(tmp_path, source, path=name, images=f"test{between}images", splits="train")
            .splits["train"]
            .images
        )
        == 10
    )
    message = refused(tmp_path, source, path=name)
    assert "images: unknown name 'images'; " in message
    assert f"write one of: test{between}images, " in message
    assert f"names before '{between}x': splits is given, but none" in refused(
        tmp_path, source, path=name, splits="given", images="x"
    )
    assert "labels: unknown name 'y'" in refused(
        tmp_path, source, path=name, splits="given", labels="y"
    )
    name = saved(tmp_path / f"y.{source}", train_images=images, test_images=images[:, :4])
    assert "images of (1, 4, 5) and (1, 5, 5) (channels, height, width); write format:" in refused(
        tmp_path, source, path=name, splits="given"
    )
    assert made(tmp_path, source, FORM, path=name, splits="given").splits["test"].images.shape == (
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
    data = made(tmp_path, "hdf5", path="x.h5", splits="given")
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
        name = saved(
            tmp_path / "x.hdf5", images=np.zeros((4, 5, 5), np.uint8), labels=np.array([0, 1, 1, 0])
        )
        with h5py.File(tmp_path / name, "a") as file:
            file.attrs["classes"] = names
        assert made(tmp_path, "hdf5", path=name, splits="test").classes == classes


@BOTH
def test_images_that_are_not_finite(tmp_path, rng, source, monkeypatch):
    monkeypatch.setattr(own, "BLOCK", 1000)
    images = rng.random((40, 5, 5))
    images[3, 0, 0], images[39, 4, 4] = np.nan, np.inf
    name = saved(tmp_path / f"x.{source}", images=images, labels=np.arange(40))
    assert refused(tmp_path, source, path=name) == (
        f"{tmp_path}/{name}: 2 of 40 images cannot be used, first images[3]: not finite: NaN or infinity; all in {tmp_path}/report.csv;"
        " mend them or write on_bad: skip"
    )
    assert (tmp_path / "report.csv").read_text().splitlines()[1:] == [
        f"images[{n}],not finite: NaN or infinity" for n in (3, 39)
    ]
    data = made(tmp_path, source, path=name, on_bad="skip", splits="train")
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
            "images: found type int64, expected uint8, uint16, or floats from 0 to 1",
        ),
        (
            {"images": GREY.astype(float) + np.arange(12)[:, None, None] - 2.5},
            "images: found floats from -2.5 to 8.5, expected 0 to 1",
        ),
        (
            {"images": GREY[0]},
            r"images: found shape (5, 5), expected (N, H, W), (N, H, W, C) or (N, C, H, W)",
        ),
        ({"images": GREY[:, :, :3]}, "images: found shape (12, 5, 3), expected"),
        ({"images": np.uint8(3)}, "images: found shape (), expected"),
        ({"images": GREY[:0]}, "images: found shape (0, 5, 5), expected"),
        (
            {"images": np.zeros((12, 3, 5, 3), np.uint8)},
            "images: found shape (12, 3, 5, 3), which is (N, H, W, C) as well as (N, C, H, W)",
        ),
        (
            {"images": np.zeros((12, 4, 5, 5), np.uint8)},
            "images: found shape (12, 4, 5, 5), expected",
        ),
        (
            {"images": GREY, "labels": np.arange(11)},
            "the labels of images: found shape (11,), expected (12,), one for each image",
        ),
        (
            {"images": GREY, "labels": np.eye(12)},
            "the labels of images: found shape (12, 12), expected (12,)",
        ),
        (
            {"images": GREY, "labels": np.arange(12.0)},
            "the labels of images: found type float64, expected integers or texts",
        ),
        (
            {"images": GREY, "labels": np.array([-1, 1] * 6)},
            "the labels are -1 and 1, but -1 means: no label; write 0 and 1",
        ),
        ({"pictures": GREY}, "images: unknown name 'images'; "),
    ],
)
def test_wrong_arrays(tmp_path, source, arrays, message):
    name = saved(tmp_path / f"x.{source}", **arrays)
    found = refused(tmp_path, source, path=name)
    assert found.startswith(f"{tmp_path}/{name}: ")
    assert message in found


def test_files_of_another_kind(tmp_path):
    np.save(tmp_path / "x.npy", np.tile(np.arange(10, dtype=np.uint8)[:, None, None], (1, 5, 5)))
    assert values(made(tmp_path, "npz", path="x.npy", splits="test").splits["test"]) == [*range(10)]
    assert made(tmp_path, "npz", path="x.npy", images="whatever").classes == ()
    assert "labels: unknown name 'y'; write one of: images" in refused(
        tmp_path, "npz", path="x.npy", labels="y"
    )
    np.save(tmp_path / "o.npy", np.array([{}, 1], object), allow_pickle=True)
    np.savez(tmp_path / "o.npz", images=GREY, labels=np.array(["a"] * 12, object))
    for name in ("o.npy", "o.npz"):
        assert "holds Python objects, which are not read" in refused(tmp_path, "npz", path=name)
    for name, content in {
        "text": b"dear diary",
        "empty": b"",
        "cut.npz": (tmp_path / "o.npz").read_bytes()[:-40],
    }.items():
        (tmp_path / name).write_bytes(content)
        assert any(
            words in refused(tmp_path, "npz", path=name)
            for words in ("is no whole NumPy file", "holds Python objects")
        )
        assert "is no whole HDF5 file" in refused(tmp_path, "hdf5", path=name)


@pytest.mark.parametrize("source", SOURCES)
def test_an_empty_path(source):
    with pytest.raises(OecalError, match="x: path is empty; write"):
        check_options("data", source, {"path": ""}, "x")
