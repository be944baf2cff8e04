"""A user's own images in a folder: classes, splits, files that cannot be used."""

import csv
import hashlib
import logging
import os
import time

import numpy as np
import pytest
from PIL import Image

from oecal.core.errors import Unavailable
from oecal.data import decode, folder
from oecal.data.preprocess import Format, adapt
from tests.data.own_images import (
    FORM,
    assert_same,
    build_own,
    grey_levels,
    refuse_own,
    write_pictures,
)


def test_classes_splits_and_provenance(tmp_path):
    write_pictures(tmp_path / "mine/zebra", 20)
    write_pictures(tmp_path / "mine/ape/young", 30, 100)
    (tmp_path / "mine/none").mkdir()
    data = build_own(tmp_path, "folder", path="mine")
    assert data.classes == ("ape", "zebra")  # a folder without images is no class
    assert (data.source, data.licence, data.removed) == ("mine", "your own images", {})
    for name, n in (("train", (24, 16)), ("val", (3, 2)), ("test", (3, 2))):
        split = data.splits[name]
        assert tuple(np.bincount(split.labels, minlength=2)) == n
        assert (np.array(grey_levels(split)) >= 100).tolist() == (split.labels == 0).tolist()
    assert sorted(level for split in data.splits.values() for level in grey_levels(split)) == [
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
    assert_same(data, build_own(tmp_path / "elsewhere", "folder", path=str(tmp_path / "mine")))


def test_labels_and_whole_splits(tmp_path, caplog):
    write_pictures(tmp_path / "mine/a", 3)
    write_pictures(tmp_path / "mine/b", 3, 10)
    for name in ("train", "test"):
        assert list(build_own(tmp_path, "folder", path="mine", splits=name).splits) == [name]
    none = build_own(tmp_path, "folder", path="mine", splits="test", labels="none")
    assert (none.classes, set(none.splits["test"].labels)) == ((), {-1})
    assert build_own(tmp_path, "folder", path="mine/a", splits="test").classes == ()
    assert "every image must be in a class folder, but 3 are not, first 000.png" in refuse_own(
        tmp_path, "folder", path="mine/a", labels="folders"
    )
    assert not caplog.records
    write_pictures(tmp_path / "mine", 1, 200)
    mixed = build_own(tmp_path, "folder", path="mine", splits="train")
    assert grey_levels(mixed.splits["train"]) == [200, 0, 1, 2, 10, 11, 12]
    assert mixed.classes == ()
    assert "so no image gets a label" in caplog.text
    assert (
        "found 7 images; splits: divide needs at least 10 (or use splits: train or splits: test)"
        in refuse_own(tmp_path, "folder", path="mine")
    )


def test_given_splits_of_a_folder(tmp_path, caplog):
    for n, name in enumerate(("train", "Validation", "test")):
        write_pictures(tmp_path / "mine" / name / "b", 2, 10 * n)
        write_pictures(tmp_path / "mine" / name / f"only in {name}", 1, 10 * n + 5)
    data = build_own(tmp_path, "folder", path="mine", splits="given")
    assert {name: grey_levels(split) for name, split in data.splits.items()} == {
        "train": [0, 1, 5],
        "val": [10, 11, 15],
        "test": [20, 21, 25],
    }
    assert data.classes == ("b", "only in Validation", "only in test", "only in train")
    assert data.splits["val"].labels.tolist() == [0, 0, 1]
    write_pictures(tmp_path / "mine/extra", 1)
    build_own(tmp_path, "folder", path="mine", splits="given")
    assert "ignored, as these are not splits: extra" in caplog.text
    write_pictures(tmp_path / "mine/valid", 1)
    assert "Validation and valid are the same split" in refuse_own(
        tmp_path, "folder", path="mine", splits="given"
    )
    assert (
        "found b, only in test; with splits: given, expected at least one of train, val and test"
        in refuse_own(tmp_path, "folder", path="mine/test", splits="given")
    )
    write_pictures(tmp_path / "two/train/a", 1)
    write_pictures(tmp_path / "two/test", 1)
    assert "the images in test are not in class folders, unlike the others" in refuse_own(
        tmp_path, "folder", path="two", splits="given"
    )
    assert set(build_own(tmp_path, "folder", path="two", splits="given", labels="none").splits) == {
        "train",
        "test",
    }
    (tmp_path / "two/val").mkdir()
    assert f"found no images below {tmp_path}/two/val" in refuse_own(
        tmp_path, "folder", path="two", splits="given"
    )


@pytest.fixture
def spoilt(tmp_path):
    """12 good images, 3 bad ones, and files that are passed over."""
    write_pictures(tmp_path / "mine/good", 12)
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
    write_pictures(tmp_path / "mine/.hidden", 1)
    write_pictures(tmp_path / "mine/__MACOSX", 1)
    return tmp_path


def test_bad_files_stop(spoilt):
    message = refuse_own(spoilt, "folder", path="mine")
    assert message == (
        f"{spoilt}/mine: 3 of 15 files cannot be used, first good/a,b.png: empty file; all are "
        f"listed in {spoilt}/report.csv;"
        " repair them, or leave them out with on_bad: skip"
    )
    with open(spoilt / "report.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[:3] == [
        ["path", "reason"],
        ["good/a,b.png", "empty file"],
        ["good/näh é.jpg", "no image: unknown format or truncated header"],
    ]
    assert rows[3][0] == "good/z"
    assert rows[3][1].startswith("cut off or damaged: ")


def test_bad_files_skipped(spoilt, caplog):
    data = build_own(spoilt, "folder", path="mine", on_bad="skip")
    assert data.removed == {"all": {"empty file": 1, "no image": 1, "cut off or damaged": 1}}
    assert [len(split.images) for split in data.splits.values()] == [10, 1, 1]
    assert data.classes == ("good",)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "3 of 15 files cannot be used" in record.message
    assert "report.csv" in record.message
    assert list(build_own(spoilt, "folder", path="mine", on_bad="skip", splits="test").removed) == [
        "test"
    ]


def test_nothing_usable(tmp_path):
    (tmp_path / "mine").mkdir()
    assert f"path: found no images below {tmp_path}/mine" in refuse_own(
        tmp_path, "folder", path="mine"
    )
    (tmp_path / "mine/a.png").write_bytes(b"no")
    assert refuse_own(tmp_path, "folder", path="mine", on_bad="skip").endswith(
        "report.csv; repair or replace them"
    )
    for split in ("train", "test"):
        write_pictures(tmp_path / "two" / split, 1)
    (tmp_path / "two/train/000.png").write_bytes(b"")
    assert "the split 'train' has no usable image" in refuse_own(
        tmp_path, "folder", path="two", splits="given", on_bad="skip"
    )
    message = refuse_own(tmp_path, "folder", error=Unavailable, path="elsewhere")
    assert message.startswith(
        f"path: {tmp_path}/elsewhere does not exist; use a path that is absolute or "
        f"relative to the data root {tmp_path}"
    )
    refuse_own(tmp_path, "folder", error=Unavailable, path="~nobody-of-this-name/x")
    assert "is a file, not a folder; use source: npz or source: hdf5" in refuse_own(
        tmp_path, "folder", path="mine/a.png"
    )
    assert "is a folder, not a file; use source: folder" in refuse_own(tmp_path, "npz", path="mine")


def test_formats(tmp_path, monkeypatch):
    write_pictures(tmp_path / "mine", 2)
    write_pictures(tmp_path / "mine", 2, 5, mode="RGB", ending="bmp")
    one_size = build_own(tmp_path, "folder", path="mine", splits="test").splits["test"]
    assert one_size.images.shape == (4, 3, 4, 4)
    assert build_own(tmp_path, "folder", Format((1, 4, 4)), path="mine", splits="test").splits[
        "test"
    ].images.shape == (4, 1, 4, 4)
    picture = Image.radial_gradient("L").resize((9, 6))
    picture.save(tmp_path / "mine/wide.png")
    message = refuse_own(tmp_path, "folder", path="mine", splits="test")
    assert (
        "mine: 1 of 5 files cannot be used, first wide.png: another size: 6 x 9, most have 4 x 4; "
        "if that is intended, set format" in message
    )
    few = build_own(tmp_path, "folder", path="mine", splits="test", on_bad="skip")
    np.testing.assert_array_equal(few.splits["test"].images, one_size.images)
    assert few.removed == {"test": {"another size": 1}}
    for fit in ("stretch", "crop", "pad"):
        images = (
            build_own(
                tmp_path, "folder", Format((1, 5, 5), "lanczos", fit), path="mine", splits="test"
            )
            .splits["test"]
            .images
        )
        np.testing.assert_array_equal(
            images[-1], adapt(np.asarray(picture)[None, None], (1, 5, 5), "lanczos", fit)[0]
        )
    monkeypatch.setenv("HOME", str(tmp_path))
    assert (
        build_own(tmp_path / "x", "folder", FORM, path="~/mine", splits="test").source == "~/mine"
    )


def test_the_order_is_that_of_the_paths_whichever_thread_is_first(tmp_path, monkeypatch):
    write_pictures(tmp_path / "mine/a b", 8)
    write_pictures(tmp_path / "mine/a", 8, 20)
    write_pictures(tmp_path / "mine/ä\u2603", 8, 40)
    expected = build_own(tmp_path, "folder", path="mine", splits="train")
    assert expected.classes == ("a", "a b", "ä\u2603")
    assert grey_levels(expected.splits["train"]) == [*range(20, 28), *range(8), *range(40, 48)]

    def slow(content):
        image = decode.decode(content)
        time.sleep((50 - image[0, 0, 0]) / 5000)  # the last are ready first
        return image

    monkeypatch.setattr(folder, "decode", slow)
    monkeypatch.setattr(folder, "CHUNK", 10)
    assert_same(build_own(tmp_path, "folder", path="mine", splits="train"), expected)


def test_names_that_are_no_text_and_folders_that_cannot_be_read(tmp_path, monkeypatch):
    write_pictures(tmp_path / "mine", 1)
    (tmp_path / "mine/000.png").rename(tmp_path / os.fsdecode(b"mine/\xff.png"))
    (tmp_path / os.fsdecode(b"mine/\xfe.png")).write_bytes(b"no")
    assert (
        len(
            build_own(tmp_path, "folder", path="mine", splits="test", on_bad="skip")
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
        f"{tmp_path}/mine: the folder cannot be read (Permission denied); check its permissions"
    )
    assert refuse_own(tmp_path, "folder", path="mine") == expected


def test_links_are_followed_but_not_in_circles(tmp_path):
    write_pictures(tmp_path / "far", 3)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/linked").symlink_to(tmp_path / "far")
    (tmp_path / "far/back").symlink_to(tmp_path / "mine")
    (tmp_path / "far/broken.png").symlink_to(tmp_path / "nowhere")
    data = build_own(tmp_path, "folder", path="mine", splits="test", on_bad="skip")
    assert data.classes == ("linked",)
    assert len(data.splits["test"].images) == 3
    assert data.removed == {"test": {"cannot be opened": 1}}
