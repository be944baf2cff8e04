"""How the files of published sets are found, fetched, verified and refused; their splits."""

import gzip
import itertools
import os
import pickle
import re
from pathlib import Path

import h5py
import numpy as np
import pytest

import oecal.data.build_set
from oecal.core.errors import OecalError, Unavailable
from oecal.data.published import Options, build, hold_out
from oecal.data.store import ImageSplit
from oecal.data.table import load_published_sets
from tests.data import published_files as small
from tests.data import published_writers as writers


@pytest.fixture
def mnist(tmp_path, monkeypatch, rng, server):
    """A root with a small MNIST packed, one with it unpacked, an empty one, and what is in it.

    a local server is its only mirror.
    """
    (packed, loose), truth = small.make_roots("mnist", tmp_path, monkeypatch, rng)
    for path in (packed / "MNIST/raw").iterdir():
        load_published_sets()["mnist"]["mirrors"] = [
            server.at(f"mnist/{path.name}", path.read_bytes()).removesuffix(path.name)
        ]
    return packed, loose, tmp_path / "empty", truth


def asked(server):
    return sorted(
        path.rsplit("/")[-1] for path, served in server.paths.items() for _ in served.starts
    )


def get(name, root, *splits, form=None, **more):
    return build(Options(name, splits, **more), root, form, Path())


def refused(name, root, *splits, kind=OecalError, form=None, **more):
    """The message, which must be one line."""
    with pytest.raises(kind) as caught:
        get(name, root, *splits, form=form, **more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def content(root):
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_files_that_are_there_are_used_and_nothing_is_written(mnist, server):
    *roots, _, truth = mnist
    for root in roots:
        before, folders = content(root), [root, *root.rglob("*/")]
        for folder in folders:
            folder.chmod(0o555)  # root may write all the same: so the content is compared too
        try:
            splits = get("mnist", root, val_share=0).splits
        finally:
            for folder in folders:
                folder.chmod(0o755)
        np.testing.assert_array_equal(splits["test"].images, truth["test"][0])
        assert content(root) == before
    assert asked(server) == []


def test_files_that_are_not_there_are_fetched_once_into_torchvisions_place(mnist, server):
    packed, _, empty, truth = mnist
    bad = server.at("bad/", b"").rstrip("/")
    for file in load_published_sets()["mnist"]["files"]:
        server.at(f"bad/{file}", b"", {"status": 404})
    load_published_sets()["mnist"]["mirrors"].insert(0, f"{bad}/")
    for _ in range(2):
        splits = get("mnist", empty, val_share=0).splits
        for split, (images, labels) in truth.items():
            np.testing.assert_array_equal(splits[split].images, images)
            np.testing.assert_array_equal(splits[split].labels, labels)
    assert asked(server) == sorted([*load_published_sets()["mnist"]["files"]] * 2)  # of each mirror
    for file in load_published_sets()["mnist"]["files"]:
        assert (empty / "MNIST/raw" / file).read_bytes() == (
            packed / "MNIST/raw" / file
        ).read_bytes()


@pytest.mark.parametrize("split, needed", [("test", "t10k"), ("train", "train"), ("val", "train")])
def test_only_files_of_the_wanted_splits_are_fetched(mnist, server, split, needed):
    assert list(get("mnist", mnist[2], split, val_share=0.34).splits) == [split]
    assert asked(server) == [f"{needed}-images-idx3-ubyte.gz", f"{needed}-labels-idx1-ubyte.gz"]


def test_a_damaged_file_is_named_and_stays_as_it_is(mnist, server):
    for root, file in zip(
        mnist[:2], ("t10k-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte"), strict=True
    ):
        (root / "MNIST/raw" / file).write_bytes(b"the user's own")
        assert f"{root / 'MNIST/raw' / file}: checksum mismatch (its sha256" in refused(
            "mnist", root
        )
        assert (root / "MNIST/raw" / file).read_bytes() == b"the user's own"
    assert asked(server) == []


def test_a_mirror_with_another_file(mnist, server):
    server.at(
        "mnist/t10k-labels-idx1-ubyte.gz",
        b"x" * load_published_sets()["mnist"]["files"]["t10k-labels-idx1-ubyte.gz"]["size"],
    )
    assert "download failed (127.0.0.1: checksum mismatch)" in refused(
        "mnist", mnist[2], "test", kind=Unavailable
    )
    assert not (mnist[2] / "MNIST/raw/t10k-labels-idx1-ubyte.gz").exists()


def test_an_empty_folder_is_nothing_unpacked(tmp_path, monkeypatch, rng, server):
    (packed, loose), truth = small.make_roots("emnist_letters", tmp_path, monkeypatch, rng)
    address = server.at("gzip.zip", (packed / "EMNIST/raw/gzip.zip").read_bytes())
    load_published_sets()["emnist_letters"]["mirrors"] = [address.removesuffix("gzip.zip")]
    (tmp_path / "new/EMNIST/raw").mkdir(parents=True)
    (loose / "EMNIST/raw/emnist-letters-test-labels-idx1-ubyte").unlink()  # unpacked in part
    for root in (tmp_path / "new", loose):
        np.testing.assert_array_equal(
            get("emnist_letters", root, "test").splits["test"].images, truth["test"][0]
        )
    assert asked(server) == ["gzip.zip"] * 2


@pytest.mark.parametrize(
    "name", [name for name, row in load_published_sets().items() if "get" in row]
)
def test_sets_to_be_had_by_hand_say_where_from_and_where_to(tmp_path, name):
    row = load_published_sets()[name]
    file = next(iter(row["files"]))
    place = tmp_path / row["folder"]
    message = refused(name, tmp_path, kind=Unavailable)
    assert (
        message
        == f"{place / file}: does not exist and cannot be downloaded automatically; {row['get']}, "
        f"below {place}"
    )


def test_files_without_a_checksum_are_not_fetched(tmp_path):
    message = refused("lsun", tmp_path, kind=Unavailable)
    assert message.startswith(
        f"{tmp_path / 'test_lmdb.zip'}: does not exist, and is not downloaded because its "
        "checksum is not known; fetch http"
    )
    assert message.endswith("/test_lmdb.zip and put it there")


def test_a_wrong_number_of_images(mnist, tmp_path):
    load_published_sets()["mnist"]["images"]["test"] = 5
    assert "mnist: found 4 images in test; expected 5; replace " in refused("mnist", mnist[0])
    load_published_sets()["mnist"]["images"]["test"] = 0  # not known, so not checked
    assert len(get("mnist", mnist[0]).splits["test"].images) == 4
    (tmp_path / "Icons-50").mkdir()
    message = refused("icons50", tmp_path, form=small.find_form("icons50"))
    assert (
        message == f"icons50: found 0 images in test; expected at least one; replace "
        f"{tmp_path / 'Icons-50'} with a complete copy"
    )


def test_a_pickle_that_asks_for_more_than_arrays_is_refused(tmp_path, monkeypatch, rng):
    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'done'}",)

    (packed, loose), _ = small.make_roots("cifar10", tmp_path, monkeypatch, rng)
    bad = pickle.dumps({b"labels": [], b"data": Evil()}, protocol=2)
    (loose / "cifar-10-batches-py/test_batch").write_bytes(bad)
    small.pin_checksums(
        load_published_sets()["cifar10"]["unpacked"]["cifar-10-batches-py/test_batch"], bad
    )
    archive = writers.pack("gz", {"cifar-10-batches-py/test_batch": bad})
    (packed / "cifar-10-python.tar.gz").write_bytes(archive)
    small.pin_checksums(
        load_published_sets()["cifar10"]["files"]["cifar-10-python.tar.gz"], archive
    )
    for root in (packed, loose):
        assert re.search(
            r"cifar-10-.*test_batch is not a CIFAR batch \(it refers to \w+\.system,",
            refused("cifar10", root, "test"),
        )
    assert not (tmp_path / "done").exists()


def test_files_of_another_content_than_expected(mnist, tmp_path, monkeypatch, rng):
    for cut in (0, 3, 10, -1):
        path = mnist[0] / "MNIST/raw/t10k-images-idx3-ubyte.gz"
        path.write_bytes(
            gzip.compress((mnist[1] / "MNIST/raw/t10k-images-idx3-ubyte").read_bytes()[:cut])
        )
        small.pin_checksums(load_published_sets()["mnist"]["files"][path.name], path.read_bytes())
        assert (
            refused("mnist", mnist[0])
            == f"{path}: is not an IDX file, or is truncated; delete it and run again"
        )
    _, loose = small.make_roots("tiny_imagenet", tmp_path / "tiny", monkeypatch, rng)[0]
    (loose / "tiny-imagenet-200/val/val_annotations.txt").unlink()
    message = refused("tiny_imagenet", loose, form=small.find_form("tiny_imagenet"))
    assert message.startswith(
        "tiny_imagenet: cannot be read (KeyError: 'val_annotations.txt'); replace /"
    )


def test_images_of_many_sizes_need_a_format(tmp_path, monkeypatch, rng):
    for name in small.FORMS:
        (*_, loose), _ = small.make_roots(name, tmp_path / name, monkeypatch, rng)
        if "shape" not in load_published_sets()[name]:
            assert refused(name, loose).endswith(
                "add, for example, format: {size: 32, channels: 3} to its entry"
            )


def test_splits_that_a_set_does_not_have(tmp_path):
    assert refused("random_images_300k", tmp_path, "test") == (
        "splits: random_images_300k has no split 'test'; use one or more of: train, val"
    )
    assert refused("mnist", tmp_path, "test", "val", val_share=0).endswith(
        "no split 'val'; use one or more of: train, test"
    )
    with pytest.raises(ValueError, match="val_share is 0.6; expected 0 to 0.5"):
        Options("mnist", val_share=0.6)


def test_hold_out_is_stratified_disjoint_and_always_the_same():
    labels = np.repeat([0, 1, 2], [100, 50, 10])
    all_of_it = ImageSplit(np.arange(160, dtype=np.uint8).reshape(-1, 1, 1, 1), labels)
    train, val = hold_out(all_of_it, 0.1)
    np.testing.assert_array_equal(np.bincount(val.labels), [10, 5, 1])
    assert sorted([*train.images.ravel(), *val.images.ravel()]) == list(range(160))
    for part in (train, val):
        np.testing.assert_array_equal(part.labels, labels[part.images.ravel()])
    np.testing.assert_array_equal(hold_out(all_of_it, 0.1)[1].images, val.images)


def test_splits_do_not_depend_on_which_are_asked_for(mnist):
    whole = get("mnist", mnist[0], val_share=0.34).splits
    assert {name: len(split.images) for name, split in whole.items()} == {
        "train": 6,
        "val": 3,
        "test": 4,
    }
    for splits in itertools.chain.from_iterable(itertools.combinations(whole, n) for n in (1, 2)):
        some = get("mnist", mnist[0], *splits, val_share=0.34).splits
        assert set(some) == set(splits)
        for name, split in some.items():
            np.testing.assert_array_equal(split.images, whole[name].images)
    assert set(get("mnist", mnist[0], val_share=0).splits) == {"train", "test"}


def test_the_store_says_where_it_is_from(mnist, tmp_path):
    recipe = {
        "source": "published",
        "options": {"name": "mnist", "splits": ["test"], "val_share": 0.1},
        "classes": [1, 0],
    }
    oecal.data.build_set.build(recipe, tmp_path / "x.h5", root=mnist[0])
    with h5py.File(tmp_path / "x.h5") as file:
        assert file.attrs["source"].startswith("MNIST: LeCun, Bottou, Bengio and Haffner 1998, ")
        assert file.attrs["licence"] == "none stated at the source"
        assert re.fullmatch("[0-9a-f]{64}", file.attrs["sha256"])
        assert file.attrs["classes"] == '["1 - one", "0 - zero"]'
        assert list(file) == ["test"]
    oecal.data.build_set.build(
        {"source": "published", "options": {"name": "lsun"}},
        tmp_path / "y.h5",
        root=tmp_path,
        may_be_missing=True,
    )
    with h5py.File(tmp_path / "y.h5") as file:
        assert "does not exist, and is not downloaded" in file.attrs["missing"]
