"""The readers of published formats, beside torchvision's, on small files, packed and unpacked."""

import hashlib
import re
from pathlib import Path

import lmdb
import numpy as np
import pytest
import torch
import torchvision.datasets as peers

from oecal.core.errors import OecalError
from oecal.data import archives
from oecal.data.preprocess import Format
from oecal.data.published import Options, build
from oecal.data.table import load_published_sets
from tests.data import published_files as small
from tests.data import published_writers as writers


@pytest.fixture
def made(tmp_path, monkeypatch, rng):
    return lambda name: small.make_roots(name, tmp_path, monkeypatch, rng)


def read(name, root, *splits, val_share=0.0):
    return build(Options(name, splits, val_share), root, small.find_form(name), Path())


def test_each_published_set_is_here():
    assert {*small.MAKE, "lsun"} == set(load_published_sets())


@pytest.mark.parametrize("name", small.MAKE)
def test_packed_and_unpacked_it_gives_what_went_in(made, name):
    roots, truth = made(name)
    for root in roots:
        whole = read(name, root)
        assert set(whole.splits) == set(truth)
        assert re.fullmatch("[0-9a-f]{64}", whole.sha256)
        for split, (images, labels) in truth.items():
            alone = read(name, root, split)
            assert list(alone.splits) == [split]
            for data in (whole, alone):
                np.testing.assert_array_equal(data.splits[split].images, images)
                np.testing.assert_array_equal(data.splits[split].labels, labels)
            assert labels.max() < max(len(whole.classes), 1)
            assert whole.classes == alone.classes
        if "train" in truth:
            some = read(name, root, "train", "val", val_share=0.34).splits
            assert set(some) == {"train", "val"}
            if "val" not in truth:
                assert len(some["train"].images) == 6
                both = np.concatenate([some["train"].images, some["val"].images])
                assert sorted(map(bytes, both)) == sorted(map(bytes, truth["train"][0]))


@pytest.mark.parametrize(
    "name", ["mnist", "emnist_letters", "cifar10", "cifar100", "stl10", "omniglot"]
)
def test_unpacked_files_of_the_wanted_split_are_enough(made, name):
    root = made(name)[0][1]
    for path in [
        *root.rglob("*train*"),
        *root.rglob("data_batch*"),
        *root.rglob("images_background*.zip"),
    ]:
        path.unlink()
    assert list(read(name, root, "test").splits) == ["test"]


def imagenet(root, split):
    torch.save(({wnid: (wnid,) for wnid in writers.WNIDS}, []), root / "imagenet" / "meta.bin")
    return peers.ImageNet(root / "imagenet", "train" if split == "train" else "val")


PEERS = {
    "mnist": lambda root, split: peers.MNIST(root, split == "train"),
    "fashion_mnist": lambda root, split: peers.FashionMNIST(root, split == "train"),
    "kmnist": lambda root, split: peers.KMNIST(root, split == "train"),
    "qmnist": lambda root, split: peers.QMNIST(root, train=split == "train"),
    "notmnist": lambda root, split: type("notMNIST", (peers.MNIST,), {})(root, split == "train"),
    "emnist_letters": lambda root, split: peers.EMNIST(root, "letters", train=split == "train"),
    "cifar10": lambda root, split: peers.CIFAR10(root, split == "train"),
    "cifar100": lambda root, split: peers.CIFAR100(root, split == "train"),
    "svhn": peers.SVHN,
    "stl10": peers.STL10,
    "celeba": lambda root, split: peers.CelebA(root, "valid" if split == "val" else split),
    "dtd": peers.DTD,
    "omniglot": lambda root, split: peers.Omniglot(root, split == "train"),
    "places365": lambda root, split: peers.Places365(root, "val", small=True),
    "imagenet": imagenet,
    "tiny_imagenet": lambda root, split: (
        peers.ImageFolder(root / "tiny-imagenet-200" / split) if split == "train" else None
    ),
}


@pytest.mark.parametrize("name", PEERS)
def test_beside_torchvision(made, monkeypatch, name):
    for module in (
        "mnist",
        "cifar",
        "svhn",
        "stl10",
        "celeba",
        "omniglot",
        "places365",
        "imagenet",
    ):
        monkeypatch.setattr(
            f"torchvision.datasets.{module}.check_integrity",
            lambda path, md5=None: Path(path).is_file(),
        )
    root = made(name)[0][-1]
    own = read(name, root)
    for split, data in own.splits.items():
        if not (peer := PEERS[name](root, split)):
            continue
        images, labels = zip(*(peer[n] for n in range(len(peer))), strict=True)
        theirs = np.stack([np.atleast_3d(np.asarray(image)).transpose(2, 0, 1) for image in images])
        if name == "emnist_letters":
            theirs, labels = theirs.swapaxes(2, 3), np.array(labels) - 1
        ours = data.images
        if name == "omniglot":  # it takes files as the file system lists them
            ours, theirs = (np.array(sorted(images.tolist())) for images in (ours, theirs))
        np.testing.assert_array_equal(ours, theirs)
        if own.classes:
            np.testing.assert_array_equal(data.labels, labels)


def test_what_the_classes_are_called(made):
    def classes(name):
        return read(name, made(name)[0][-1]).classes

    assert classes("tiny_imagenet") == tuple(f"{wnid} first, second" for wnid in writers.WNIDS)
    assert classes("places365") == ("airfield", "bus_station/indoor", "zen_garden")


@pytest.mark.parametrize(
    "name, folder, of_a_row",
    [("cifar10", "cifar-10-batches-bin", 1), ("cifar100", "cifar-100-binary", 2)],
)
def test_the_binary_version_of_cifar(made, tmp_path, monkeypatch, name, folder, of_a_row):
    (_pickles, _), truth = made(name)
    rows = {
        split: b"".join(
            bytes([*[99] * (of_a_row - 1), label]) + image.tobytes()
            for image, label in zip(images, labels, strict=True)
        )
        for split, (images, labels) in truth.items()
    }
    third = len(rows["train"]) // len(truth["train"][0]) * 3
    files = {"train.bin": rows["train"], "test.bin": rows["test"]}
    if name == "cifar10":
        files = {
            "data_batch_1.bin": rows["train"][:third],
            "data_batch_2.bin": rows["train"][third:],
            "test_batch.bin": rows["test"],
        }
    small.lay_files(tmp_path / "bin-loose", writers.put_below(folder, files))
    ((_file, about),) = load_published_sets()[name]["files"].items()
    ((packed, other),) = about["instead"].items()
    content = writers.pack("gz", writers.put_below(folder, files))
    monkeypatch.setitem(other, "sha256", hashlib.sha256(content).hexdigest())
    small.lay_files(tmp_path / "bin-packed", {packed: content})
    for root in (tmp_path / "bin-loose", tmp_path / "bin-packed"):
        for split, (images, labels) in truth.items():
            data = read(name, root).splits[split]
            np.testing.assert_array_equal(data.images, images)
            np.testing.assert_array_equal(data.labels, labels)
    (tmp_path / "bin-packed" / packed).write_bytes(b"damaged")
    with pytest.raises(OecalError, match=f"{packed}: checksum mismatch"):
        read(name, tmp_path / "bin-packed")


def test_an_attribute_of_celeba_is_the_label(made, monkeypatch):
    monkeypatch.setattr(
        "torchvision.datasets.celeba.check_integrity", lambda path, md5=None: Path(path).is_file()
    )
    (_, root), _truth = made("celeba")
    partition = (root / "celeba/list_eval_partition.txt").read_text().split()[::2]
    lines = [
        f"{file} {1 if n % 3 else -1} {1 if n % 2 else -1}" for n, file in enumerate(partition)
    ]
    (root / "celeba/list_attr_celeba.txt").write_text(
        f"{len(lines)}\nBald Smiling\n" + "\n".join(lines) + "\n"
    )
    load_published_sets()["celeba"]["files"]["list_attr_celeba.txt"].pop("sha256", None)
    load_published_sets()["celeba"]["files"]["list_attr_celeba.txt"].pop("md5", None)
    data = build(Options("celeba", (), 0, "Smiling"), root, small.find_form("celeba"), Path())
    assert data.classes == ("not Smiling", "Smiling")
    labels = np.concatenate([data.splits[split].labels for split in ("train", "val", "test")])
    assert labels.tolist() == [n % 2 for n in range(len(lines))]
    theirs = peers.CelebA(str(root), "test", target_type="attr")
    np.testing.assert_array_equal(data.splits["test"].labels, theirs.attr[:, 1])
    with pytest.raises(OecalError, match="attribute: unknown name 'Smile'; did you mean 'Smiling'"):
        build(Options("celeba", (), 0, "Smile"), root, small.find_form("celeba"), Path())
    with pytest.raises(
        ValueError, match="attribute is Smiling, but mnist has no attributes; remove"
    ):
        Options("mnist", (), 0, "Smiling")


def test_lsun(tmp_path, monkeypatch, rng):
    images = rng.integers(0, 256, (4, 3, 16, 16), np.uint8)
    (tmp_path / "loose").mkdir()
    with (
        lmdb.open(str(tmp_path / "loose" / "test_lmdb"), map_size=1 << 20) as base,
        base.begin(write=True) as transaction,
    ):
        for n in (2, 0, 3, 1):
            transaction.put(
                hashlib.sha1(bytes([n])).hexdigest().encode(), writers.write_png(images[n])
            )
    database = {
        f"test_lmdb/{file}": (tmp_path / "loose/test_lmdb" / file).read_bytes()
        for file in ("data.mdb", "lock.mdb")
    }
    small.lay_files(tmp_path / "packed", {"test_lmdb.zip": writers.pack("x.zip", database)})
    monkeypatch.setitem(
        load_published_sets(), "lsun", load_published_sets()["lsun"] | {"images": {"test": 4}}
    )
    monkeypatch.chdir(tmp_path)  # torchvision leaves a file where it runs
    theirs = [
        np.asarray(image).transpose(2, 0, 1)
        for image, _ in peers.LSUN(str(tmp_path / "loose"), "test")
    ]
    for root in ("packed", "loose"):
        data = build(Options("lsun"), tmp_path / root, Format((3, 16, 16)), Path())
        np.testing.assert_array_equal(data.splits["test"].images, theirs)
        assert (data.splits["test"].labels == -1).all()


def test_what_is_no_lsun(tmp_path):
    small.lay_files(
        tmp_path, {"test_lmdb.zip": writers.pack("x.zip", {"test_lmdb/readme.txt": b""})}
    )
    with pytest.raises(
        OecalError,
        match="test_lmdb.zip: found 0 files data.mdb; expected one; replace it with a good copy$",
    ):
        build(Options("lsun"), tmp_path, Format((3, 16, 16)), Path())
    small.lay_files(tmp_path, {"test_lmdb/data.mdb": b"no database" * 1000})
    (tmp_path / "test_lmdb.zip").unlink()
    with pytest.raises(
        OecalError, match=r"test_lmdb: is not an LSUN database \(.*\); replace it with a good copy$"
    ):
        build(Options("lsun"), tmp_path, Format((3, 16, 16)), Path())


def test_folders_of_images_may_be_larger_than_any_archive(made, monkeypatch):
    (root,), truth = made("imagenet")
    monkeypatch.setattr(archives.read_members, "__defaults__", (100,))
    np.testing.assert_array_equal(
        read("imagenet", root, "test").splits["test"].images, truth["test"][0]
    )


def test_what_lies_wrong_in_folders(made, rng):
    (root,), _ = made("imagenet")
    (root / "imagenet/val/loose.JPEG").write_bytes(
        writers.write_png(rng.integers(0, 256, (3, 8, 8), np.uint8))
    )
    with pytest.raises(
        OecalError,
        match="val/loose.JPEG: is not in a class folder; move each image into the folder of",
    ):
        read("imagenet", root, "test")
    (root / "imagenet/val/loose.JPEG").unlink()
    (root / f"imagenet/train/{writers.WNIDS[0]}/0.JPEG").write_bytes(b"no image")
    with pytest.raises(OecalError, match=rf"{writers.WNIDS[0]}/0.JPEG: no image: .*; replace it"):
        read("imagenet", root, "train")
