"""What every data set can have: classes, overlap with others, a number of images, a format."""

import json

import h5py
import numpy as np
import pytest

from oecal.core.errors import OecalError, Unavailable
from oecal.data import store
from oecal.data.build_set import (
    build,
    choose_classes,
    drop_duplicates,
    drop_repeated,
    sample_at_most,
)
from oecal.data.store import ImageSet, ImageSplit
from oecal.tables import datasets

CLASSES = ("n01234567 sandal, flip-flop", "n02234567 tabby", "n03234567 maple")


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (30, 3, 12, 12), np.uint8)


@pytest.fixture
def data(images):
    labels = np.arange(30) % 3
    return ImageSet(
        {
            "train": ImageSplit(images[:20], labels[:20]),
            "test": ImageSplit(images[20:], labels[20:]),
        },
        "s",
        "l",
        "h",
        CLASSES,
    )


@pytest.fixture
def own(tmp_path, images):
    """A data root with an npz file of these images."""
    np.savez(tmp_path / "own.npz", images=images, labels=np.arange(30) % 3, names=np.array(CLASSES))
    return tmp_path


def recipe(**more):
    options = {
        "path": "own.npz",
        "images": "images",
        "labels": "labels",
        "splits": "test",
        "on_bad": "stop",
    }
    return {"source": "npz", "options": options, **more}


def test_keep_classes_by_name(data):
    kept = choose_classes(data, ["maple", 0], [])
    assert kept.classes == (CLASSES[2], CLASSES[0])
    np.testing.assert_array_equal(kept.splits["test"].labels, [0, 1, 0, 1, 0, 1, 0])


def test_a_planted_class_is_dropped_and_counted(data):
    kept = choose_classes(data, [], ["tabby"])
    assert kept.classes == (CLASSES[0], CLASSES[2])
    assert set(kept.splits["train"].labels) == {0, 1}
    np.testing.assert_array_equal(
        kept.splits["train"].images, data.splits["train"].images[data.splits["train"].labels != 1]
    )
    assert kept.removed == {
        "train": {"class n02234567 tabby": 7},
        "test": {"class n02234567 tabby": 3},
    }


def test_a_class_is_kept_once(data):
    with pytest.raises(
        OecalError, match="classes: lists the class n02234567 tabby twice; list it once"
    ):
        choose_classes(data, [1, "tabby"], [])
    assert choose_classes(data, [], [1, "tabby"]).classes == (CLASSES[0], CLASSES[2])


def test_keep_and_drop_together_count_in_the_whole_set(data):
    kept = choose_classes(data, [2, 1, 0], [1])
    assert kept.classes == (CLASSES[2], CLASSES[0])
    assert choose_classes(data, [0], [1]).removed == {}  # it was not kept anyway


def test_images_without_a_label_stay_unless_classes_are_chosen(images):
    data = ImageSet(
        {"test": ImageSplit(images[:6], np.array([0, 1, -1, 0, 1, -1]))}, "", "", "", ("a", "b")
    )
    assert choose_classes(data, [], ["a"]).splits["test"].labels.tolist() == [0, -1, 0, -1]
    assert choose_classes(data, ["b"], []).splits["test"].labels.tolist() == [0, 0]


def test_a_planted_duplicate_is_dropped_and_counted(tmp_path, data, rng):
    others = rng.integers(0, 256, (9, 3, 12, 12), np.uint8)
    others[4] = data.splits["train"].images[3]
    others[5] = np.clip(data.splits["test"].images[2].astype(int) + 3, 0, 255)  # nearly the same
    other = tmp_path / "other.h5"
    store.write_store(
        other,
        ImageSet(
            {"val": ImageSplit.unlabelled(others[:5]), "test": ImageSplit.unlabelled(others[5:])},
            "",
            "",
            "",
        ),
    )
    exact, near = (
        drop_duplicates(data, other, "exact", None),
        drop_duplicates(data, other, "near", None),
    )
    assert exact.removed == {"train": {"exact duplicates of other": 1}}
    assert near.removed == {
        "train": {"near duplicates of other": 1},
        "test": {"near duplicates of other": 1},
    }
    np.testing.assert_array_equal(
        exact.splits["train"].images, np.delete(data.splits["train"].images, 3, axis=0)
    )
    np.testing.assert_array_equal(
        near.splits["test"].images, np.delete(data.splits["test"].images, 2, axis=0)
    )


def test_repeated_images_are_dropped_across_splits_and_test_keeps_its_own(data):
    images, labels = data.splits["train"].images, data.splits["train"].labels
    splits = {
        "train": ImageSplit(images[[0, 1, 0, 2, 3]], labels[[0, 1, 0, 2, 3]]),
        "test": ImageSplit(images[[3, 4, 4]], labels[[3, 4, 4]]),
    }
    kept = drop_repeated(ImageSet(splits, "", "", "", CLASSES))
    assert kept.removed == {
        "train": {"duplicates of itself": 2},
        "test": {"duplicates of itself": 1},
    }
    np.testing.assert_array_equal(kept.splits["train"].images, images[:3])
    np.testing.assert_array_equal(kept.splits["test"].images, images[3:5])


def test_at_most_takes_classes_in_equal_shares_and_keeps_the_order(rng):
    labels = np.repeat([0, 1, 2], [50, 30, 2])
    split = ImageSplit(np.arange(82, dtype=np.uint8).reshape(-1, 1, 1, 1), labels)
    few = sample_at_most(split, 22, "test")
    np.testing.assert_array_equal(np.bincount(few.labels), [10, 10, 2])
    assert (np.diff(few.images.ravel().astype(int)) > 0).all()
    assert sample_at_most(split, 100, "test") is split
    np.testing.assert_array_equal(sample_at_most(split, 22, "test").images, few.images)
    assert len(sample_at_most(ImageSplit.unlabelled(split.images), 5, "test").images) == 5


def test_all_at_once_and_what_the_store_says(own, tmp_path):
    store.write_store(
        tmp_path / "other.h5",
        ImageSet(
            {"test": store.ImageSplit.unlabelled(np.load(own / "own.npz")["images"][[0, 3]])},
            "",
            "",
            "",
        ),
    )
    form = {"size": 8, "channels": 1, "fit": "stretch", "interpolation": "box"}
    built = build(
        recipe(
            drop_classes=["tabby"],
            drop_duplicates_of=["itself", "other"],
            duplicates="exact",
            at_most={"test": 10},
            format=form,
        ),
        tmp_path / "x.h5",
        against=[tmp_path / "other.h5"],
        root=own,
    )
    assert built.splits["test"].images.shape == (10, 1, 8, 8)
    with h5py.File(tmp_path / "x.h5") as file:
        assert json.loads(file.attrs["removed"]) == {
            "test": {"class n02234567 tabby": 10, "exact duplicates of other": 2}
        }
        assert json.loads(file.attrs["format"]) == form
        assert file["test/images"].shape == (10, 1, 8, 8)
    row = datasets.compute_table([tmp_path / "x.h5"]).iloc[0]
    assert (row["name"], row["split"], row["n"], row["shape"]) == ("x", "test", 10, "1x8x8")
    assert "10 class n02234567 tabby" in row["removed"]


def test_the_table_of_data_sets_has_the_moments(tmp_path):
    images = np.zeros((4, 3, 2, 2), np.uint8)
    images[:2, 0] = 255
    images[:, 1] = 51
    store.write_store(
        tmp_path / "a.h5",
        ImageSet(
            {"test": ImageSplit.unlabelled(images)},
            "from",
            "MIT",
            "ab",
            removed={"test": {"class x": 2}},
        ),
    )
    store.write_store(tmp_path / "b.h5", ImageSet({}, "b", "", "", missing="no mirror gives it"))
    table = datasets.compute_table([tmp_path / "a.h5", tmp_path / "b.h5"])
    assert table["mean"][0] == "0.5000 0.2000 0.0000"
    assert table["sd"][0] == "0.5000 0.0000 0.0000"
    assert (table["sha256"][0], table["licence"][0], table["removed"][0]) == (
        "ab",
        "MIT",
        "2 class x",
    )
    assert (table["n"][1], table["missing"][1]) == (0, "no mirror gives it")


def test_nothing_is_left(own, tmp_path):
    with pytest.raises(
        OecalError,
        match="no image is left in the split 'test'; choose other classes, or drop fewer with",
    ):
        build(recipe(drop_classes=["tabby", "maple", "sandal"]), tmp_path / "x.h5", root=own)


def test_a_set_that_cannot_be_had(own, tmp_path, caplog):
    lost = recipe()
    lost["options"] = {**lost["options"], "path": "nothing.npz"}
    with pytest.raises(Unavailable, match="does not exist; use a path"):
        build(lost, tmp_path / "x.h5", root=own)
    assert not (tmp_path / "x.h5").exists()
    build(lost, tmp_path / "x.h5", root=own, may_be_missing=True)
    assert "data set left out: path: " in caplog.text
    assert store.list_splits(tmp_path / "x.h5") == []
    with pytest.raises(
        OecalError, match=r"the data set is missing .* delete this file to try again"
    ):
        store.read_split(tmp_path / "x.h5", "test")
    made = {"source": "altered", "options": {"how": "jigsaw", "of": "x", "n": 0, "seed": 0}}
    with pytest.raises(Unavailable, match="made of x, which is missing"):
        build(made, tmp_path / "y.h5", of=tmp_path / "x.h5")
    build(made, tmp_path / "y.h5", of=tmp_path / "x.h5", may_be_missing=True)
    with pytest.raises(Unavailable, match="compared with x, which is missing"):
        build(
            recipe(drop_duplicates_of=["x"]),
            tmp_path / "z.h5",
            against=[tmp_path / "x.h5"],
            root=own,
        )
    assert store.list_available([tmp_path / "x.h5"], ["x"]) == []
    with pytest.raises(OecalError, match="set missing: skip in its entry"):
        store.list_available([tmp_path / "x.h5"], ["y"])


def test_altered_training_images_are_outliers(own, tmp_path, rng):
    splits = {
        name: ImageSplit.unlabelled(rng.integers(0, 256, (6, 1, 4, 4), np.uint8))
        for name in ("train", "test")
    }
    store.write_store(tmp_path / "x.h5", ImageSet(splits, "", "", ""))
    made = {
        "source": "altered",
        "options": {"how": "inverted", "of": "x", "n": 0, "seed": 0, "split": "train"},
    }
    build(made, tmp_path / "y.h5", of=tmp_path / "x.h5")
    assert store.list_splits(tmp_path / "y.h5") == ["train"]
    np.testing.assert_array_equal(
        store.read_split(tmp_path / "y.h5", "train").images, 255 - splits["train"].images
    )
