"""What every data set can have: classes, overlap with others, a number of images, a format. Things planted must be found and removed."""

import json

import h5py
import numpy as np
import pytest

from oecal.data import store
from oecal.data.build import at_most, build, class_number, drop_classes, drop_duplicates, keep_classes
from oecal.data.store import ImageSet, Split
from oecal.errors import OecalError, Unavailable
from oecal.tables import datasets

CLASSES = ("n01 sandal, flip-flop", "n02 tabby", "n03 maple")


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (30, 3, 12, 12), np.uint8)


@pytest.fixture
def data(images):
    labels = np.arange(30) % 3
    return ImageSet({"train": Split(images[:20], labels[:20]), "test": Split(images[20:], labels[20:])}, "s", "l", "h", CLASSES)


@pytest.fixture
def own(tmp_path, images):
    """A data root with an npz file of these images."""
    np.savez(tmp_path / "own.npz", images=images, labels=np.arange(30) % 3, names=np.array(CLASSES))
    return tmp_path


def recipe(**more):
    options = {"path": "own.npz", "images": "images", "labels": "labels", "splits": "test", "on_bad": "stop"}
    return {"source": "npz", "options": options, **more}


@pytest.mark.parametrize("name", [0, "n01 sandal, flip-flop", "n01 sandal", "n01", "sandal"])
def test_names_of_a_class(name):
    assert class_number(name, CLASSES, "classes") == 0


def test_classes_that_are_not_there():
    with pytest.raises(OecalError, match=r"drop_classes: unknown name 'tabbi'; .*write one of: n01 sandal, flip-flop, n02 tabby"):
        class_number("tabbi", CLASSES, "drop_classes")
    with pytest.raises(OecalError, match="classes: the set has no class 'x'"):
        class_number("x", [str(n) for n in range(1000)], "classes")
    with pytest.raises(OecalError, match="classes: the set has no class 7; write numbers from 0 to 2"):
        class_number(7, CLASSES, "classes")


def test_keep_classes_by_name(data):
    kept = keep_classes(data, ["maple", 0])
    assert kept.classes == (CLASSES[2], CLASSES[0])
    np.testing.assert_array_equal(kept.splits["test"].labels, [0, 1, 0, 1, 0, 1, 0])


def test_a_planted_class_is_dropped_and_counted(data):
    kept = drop_classes(data, ["tabby"])
    assert kept.classes == (CLASSES[0], CLASSES[2])
    assert set(kept.splits["train"].labels) == {0, 1}
    np.testing.assert_array_equal(kept.splits["train"].images, data.splits["train"].images[data.splits["train"].labels != 1])
    assert kept.removed == {"train": {"class n02 tabby": 7}, "test": {"class n02 tabby": 3}}


def test_a_planted_duplicate_is_dropped_and_counted(tmp_path, data, rng):
    others = rng.integers(0, 256, (9, 3, 12, 12), np.uint8)
    others[4] = data.splits["train"].images[3]
    others[5] = np.clip(data.splits["test"].images[2].astype(int) + 3, 0, 255)  # nearly the same
    store.write(tmp_path / "other.h5", ImageSet({"val": Split.unlabelled(others[:5]), "test": Split.unlabelled(others[5:])}, "", "", ""))
    of = {"other": tmp_path / "other.h5"}
    exact, near = drop_duplicates(data, of, "exact"), drop_duplicates(data, of, "near")
    assert exact.removed == {"train": {"exact duplicates of other": 1}}
    assert near.removed == {"train": {"near duplicates of other": 1}, "test": {"near duplicates of other": 1}}
    np.testing.assert_array_equal(exact.splits["train"].images, np.delete(data.splits["train"].images, 3, axis=0))
    np.testing.assert_array_equal(near.splits["test"].images, np.delete(data.splits["test"].images, 2, axis=0))


def test_repeated_images_are_dropped(data):
    train = data.splits["train"]
    twice = ImageSet({"train": Split(train.images[[0, 1, 0, 2]], train.labels[[0, 1, 0, 2]])}, "", "", "", CLASSES)
    kept = drop_duplicates(twice, {"itself": None}, "near")
    assert kept.removed == {"train": {"duplicates of itself": 1}}
    np.testing.assert_array_equal(kept.splits["train"].images, train.images[:3])


def test_at_most_takes_classes_in_equal_shares_and_keeps_the_order(rng):
    labels = np.repeat([0, 1, 2], [50, 30, 2])
    split = Split(np.arange(82, dtype=np.uint8).reshape(-1, 1, 1, 1), labels)
    few = at_most(split, 22, "test")
    np.testing.assert_array_equal(np.bincount(few.labels), [10, 10, 2])
    assert (np.diff(few.images.ravel().astype(int)) > 0).all()
    assert at_most(split, 100, "test") is split
    np.testing.assert_array_equal(at_most(split, 22, "test").images, few.images)
    assert len(at_most(Split.unlabelled(split.images), 5, "test").images) == 5


def test_all_at_once_and_what_the_store_says(own, tmp_path):
    store.write(tmp_path / "other.h5", ImageSet({"test": store.Split.unlabelled(np.load(own / "own.npz")["images"][[0, 3]])}, "", "", ""))
    form = {"size": 8, "channels": 1, "fit": "stretch", "interpolation": "box"}
    built = build(
        recipe(drop_classes=["tabby"], drop_duplicates_of=["itself", "other"], duplicates="exact", at_most={"test": 10}, format=form),
        tmp_path / "x.h5", against=[tmp_path / "other.h5"], root=own,
    )  # fmt: skip
    assert built.splits["test"].images.shape == (10, 1, 8, 8)
    with h5py.File(tmp_path / "x.h5") as file:
        assert json.loads(file.attrs["removed"]) == {"test": {"class n02 tabby": 10, "exact duplicates of other": 2}}
        assert json.loads(file.attrs["format"]) == form
        assert file["test/images"].shape == (10, 1, 8, 8)
    row = datasets.table([tmp_path / "x.h5"]).iloc[0]
    assert (row["name"], row["split"], row["n"], row["shape"]) == ("x", "test", 10, "1x8x8")
    assert "10 class n02 tabby" in row["removed"]


def test_the_table_of_data_sets_has_the_moments(tmp_path):
    images = np.zeros((4, 3, 2, 2), np.uint8)
    images[:2, 0] = 255
    images[:, 1] = 51
    store.write(tmp_path / "a.h5", ImageSet({"test": Split.unlabelled(images)}, "from", "MIT", "ab", removed={"test": {"class x": 2}}))
    store.write(tmp_path / "b.h5", ImageSet({}, "b", "", "", missing="no mirror gives it"))
    table = datasets.table([tmp_path / "a.h5", tmp_path / "b.h5"])
    assert table["mean"][0] == "0.5000 0.2000 0.0000"
    assert table["sd"][0] == "0.5000 0.0000 0.0000"
    assert (table["sha256"][0], table["licence"][0], table["removed"][0]) == ("ab", "MIT", "2 class x")
    assert (table["n"][1], table["missing"][1]) == (0, "no mirror gives it")


def test_a_set_that_cannot_be_had(own, tmp_path, caplog):
    lost = recipe()
    lost["options"] = {**lost["options"], "path": "nothing.npz"}
    with pytest.raises(Unavailable, match="there is nothing at"):
        build(lost, tmp_path / "x.h5", root=own)
    assert not (tmp_path / "x.h5").exists()
    build(lost, tmp_path / "x.h5", root=own, may_be_missing=True)
    assert "left out: path: there is nothing at" in caplog.text
    assert store.splits_of(tmp_path / "x.h5") == []
    with pytest.raises(OecalError, match=r"the set is missing .* delete this file to try again"):
        store.read(tmp_path / "x.h5", "test")
    made = {"source": "altered", "options": {"how": "jigsaw", "of": "x", "n": 0, "seed": 0}}
    with pytest.raises(Unavailable, match="made of x, which is missing"):
        build(made, tmp_path / "y.h5", of=tmp_path / "x.h5")
    build(made, tmp_path / "y.h5", of=tmp_path / "x.h5", may_be_missing=True)
    assert store.there([tmp_path / "x.h5"], ["x"]) == []
    with pytest.raises(OecalError, match="write missing: skip"):
        store.there([tmp_path / "x.h5"], ["y"])
