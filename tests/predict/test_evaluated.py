from dataclasses import replace

import numpy as np
import pytest

from oecal.core.errors import OecalError
from oecal.data import store
from oecal.data.corruptions import corrupt
from oecal.data.image_paths import STEPS
from oecal.data.preprocess import Format
from oecal.data.store import ImageSet, ImageSplit
from oecal.predict.evaluated import EvaluatedEntry, read_images, select_indices

SHAPE = (1, 8, 8)
FORM = Format(SHAPE, "bilinear", "stretch")


@pytest.fixture
def data(tmp_path, rng):
    def put(name, n, shape, labels):
        split = ImageSplit(
            rng.integers(0, 256, (n, *shape), np.uint8), np.asarray(labels, np.int64)
        )
        store.write_store(tmp_path / f"{name}.h5", ImageSet({"test": split}, "", "", ""))
        return str(tmp_path / f"{name}.h5")

    return {
        "same": put("same", 3, SHAPE, [0, 1, 1]),
        "colour": put("colour", 3, (3, 5, 9), [0, 7, -1]),
        "empty": put("empty", 0, SHAPE, []),
    }


def entry(name, role, **more):
    return EvaluatedEntry(**{"name": name, "dataset": name, "split": "test", "role": role, **more})


def test_every_set_gets_the_format_of_the_in_distribution_set(data):
    for name in ("same", "colour"):
        split = read_images(entry(name, "far"), data, FORM, 2)
        assert split.images.shape == (3, *SHAPE)
        assert split.images.dtype == np.uint8


def test_a_corruption_is_applied(data):
    plain = read_images(entry("same", "id"), data, FORM, 2).images
    found = read_images(
        entry("same", "corruption", corruption="contrast", severity=5, images=0),
        data,
        FORM,
        2,
    ).images
    np.testing.assert_array_equal(found, corrupt(plain, "contrast", 5))


def test_what_cannot_be_evaluated(data):
    with pytest.raises(OecalError, match="empty.h5: has no images in 'test'"):
        read_images(entry("empty", "far"), data, FORM, 2)
    with pytest.raises(OecalError, match="colour.h5: as a shift, it needs the 2 classes"):
        read_images(entry("colour", "shift"), data, FORM, 2)
    read_images(entry("same", "shift"), data, FORM, 2)


def test_part_of_the_training_split_is_the_same_for_every_run(tmp_path, rng):
    images = rng.integers(0, 256, (50, *SHAPE), np.uint8)
    store.write_store(
        tmp_path / "x.h5", ImageSet({"train": ImageSplit(images, np.arange(50))}, "", "", "")
    )
    inside = entry("x", "id", split="train")
    found = [read_images(inside, {"x": str(tmp_path / "x.h5")}, FORM, 50, 8) for _ in range(2)]
    assert len(found[0].images) == 8
    np.testing.assert_array_equal(found[0].labels, found[1].labels)
    np.testing.assert_array_equal(found[0].images, images[found[0].labels])
    assert len(read_images(inside, {"x": str(tmp_path / "x.h5")}, FORM, 50).images) == 50


def test_drawn():
    assert (
        list(select_indices(3, 0, "x"))
        == list(select_indices(3, 3, "x"))
        == list(select_indices(3, 9, "x"))
        == [0, 1, 2]
    )
    chosen = select_indices(100, 10, "x")
    assert len(set(chosen)) == 10
    assert list(chosen) == sorted(chosen) != list(select_indices(100, 10, "y"))


def test_a_path_leads_from_id_images_to_those_of_another_set(data):
    path = entry("path-colour", "path", end="colour", images=2, dataset="same")
    found = read_images(path, data, FORM, 2)
    assert found.images.shape == (2 * STEPS, *SHAPE)
    inside, outside = (
        read_images(entry(name, "far"), data, FORM, 2) for name in ("same", "colour")
    )
    for n in (0, 1):
        steps = found.images[n * STEPS : (n + 1) * STEPS]
        start = [k for k in range(3) if (inside.images[k] == steps[0]).all()]
        assert start
        assert (found.labels[n * STEPS : (n + 1) * STEPS] == inside.labels[start[0]]).all()
        assert any((other == steps[-1]).all() for other in outside.images)
    fading = read_images(replace(path, end="contrast", images=9), data, FORM, 2)
    assert len(fading.images) == 3 * STEPS  # no more than there are


def test_each_corruption_is_of_the_same_images(tmp_path, rng):
    images = rng.integers(0, 256, (50, *SHAPE), np.uint8)
    store.write_store(
        tmp_path / "x.h5", ImageSet({"test": ImageSplit(images, np.arange(50))}, "", "", "")
    )
    data = {"x": str(tmp_path / "x.h5")}
    labels = [
        read_images(
            entry(name, "corruption", corruption=name, severity=3, images=8, dataset="x"),
            data,
            FORM,
            50,
        ).labels
        for name in ("contrast", "gaussian_blur")
    ]
    assert len(set(labels[0])) == 8
    np.testing.assert_array_equal(*labels)
    whole = entry("contrast", "corruption", corruption="contrast", severity=3, dataset="x")
    np.testing.assert_array_equal(read_images(whole, data, FORM, 50).labels, np.arange(50))
