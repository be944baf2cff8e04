"""The table of published sets: complete, as torchvision has it, and told alike by all studies.

Overlaps name what there is.
"""

import re
from pathlib import Path

import pytest
import torchvision.datasets as peers

from oecal.data import formats
from oecal.data.table import load_overlaps, load_published_sets
from oecal.study.loading import read

ROOT = Path(__file__).parents[2]
REQUIRED = {"title", "format", "images", "licence", "citation", "page", "folder", "files"}
OPTIONAL = {
    "shape",
    "classes",
    "version",
    "transposed",
    "first_label",
    "mirrors",
    "unpacked",
    "get",
    "note",
}
ABOUT = {"split", "size", "md5", "sha256", "unpacked", "urls", "instead", "needs"}


@pytest.mark.parametrize("name", load_published_sets())
def test_an_entry_of_the_table(name):
    row = load_published_sets()[name]
    assert set(row) >= REQUIRED
    assert set(row) <= REQUIRED | OPTIONAL
    assert (Path(formats.__file__).parent / f"{row['format']}.py").exists()
    assert set(row["images"]) <= {"train", "val", "test"}
    assert len(set(row.get("classes", []))) == len(row.get("classes", []))
    for mirror in row.get("mirrors", []):
        assert re.fullmatch(r"https?://.*/", mirror)
    for about in (*row["files"].values(), *row.get("unpacked", {}).values()):
        assert set(about) <= ABOUT
        assert about.get("split", "train") in row["images"]
        assert re.fullmatch("[0-9a-f]{32}", about.get("md5", "0" * 32))
        assert re.fullmatch("[0-9a-f]{64}", about.get("sha256", "0" * 64))
        assert about.get("size", 1) > 0
    for path in row.get("unpacked", {}):
        assert path.startswith("" if row["folder"] == "." else f"{row['folder']}/")
    # Fetched if its address and a checksum are known; by hand if there is an address or a `get`.
    for about in row["files"].values():
        assert row.get("mirrors") or about.get("urls") or row.get("get")


MNISTS = {"mnist": peers.MNIST, "fashion_mnist": peers.FashionMNIST, "kmnist": peers.KMNIST}
THEIRS = {
    name: {file: (md5, [m + file for m in cls.mirrors]) for file, md5 in cls.resources}
    for name, cls in MNISTS.items()
}
THEIRS |= {
    "qmnist": {
        url.rsplit("/")[-1]: (md5, [url])
        for split in ("train", "test")
        for url, md5 in peers.QMNIST.resources[split]
    },
    "emnist_letters": {"gzip.zip": (peers.EMNIST.md5, [peers.EMNIST.url])},
    "cifar10": {peers.CIFAR10.filename: (peers.CIFAR10.tgz_md5, [peers.CIFAR10.url])},
    "cifar100": {peers.CIFAR100.filename: (peers.CIFAR100.tgz_md5, [peers.CIFAR100.url])},
    "stl10": {peers.STL10.filename: (peers.STL10.tgz_md5, [peers.STL10.url])},
    "svhn": {
        file: (md5, [url])
        for url, file, md5 in (peers.SVHN.split_list[split] for split in ("train", "test"))
    },
    "dtd": {"dtd-r1.0.1.tar.gz": (peers.DTD._MD5, [peers.DTD._URL])},
    "omniglot": {
        f"{f}.zip": (md5, [f"{peers.Omniglot.download_url_prefix}/{f}.zip"])
        for f, md5 in peers.Omniglot.zips_md5.items()
    },
    "places365": {
        file: (md5, [peers.Places365._BASE_URL + file])
        for file, md5 in (
            peers.Places365._IMAGES_META["val", True],
            peers.Places365._DEVKIT_META["standard"],
        )
    },
    "celeba": {
        file: (
            md5,
            [f"https://drive.usercontent.google.com/download?id={key}&export=download&confirm=t"],
        )
        for key, md5, file in peers.CelebA.file_list
        if re.search("align_celeba.zip|attr|partition", file)
    },
}


@pytest.mark.parametrize("name", THEIRS)
def test_files_checksums_and_addresses_are_torchvisions(name):
    row = load_published_sets()[name]
    assert set(row["files"]) == set(THEIRS[name])
    for file, (md5, urls) in THEIRS[name].items():
        about = row["files"][file]
        assert about["md5"] == md5
        assert {
            *about.get("urls", []),
            *(mirror + file for mirror in row.get("mirrors", [])),
        } & set(urls)


@pytest.mark.parametrize(
    "name, cls", [("cifar10", peers.CIFAR10), ("cifar100", peers.CIFAR100), ("stl10", peers.STL10)]
)
def test_unpacked_files_are_torchvisions(name, cls):
    meta = [(cls.meta["filename"], cls.meta["md5"])] if hasattr(cls, "meta") else []
    theirs = {
        f"{cls.base_folder}/{file}": md5
        for file, md5 in (*cls.train_list, *cls.test_list, *meta)
        if file != "unlabeled_X.bin"
    }
    assert {
        path: about["md5"] for path, about in load_published_sets()[name]["unpacked"].items()
    } == theirs


def test_classes_are_torchvisions():
    for name, cls in {**MNISTS, "qmnist": peers.QMNIST}.items():
        assert load_published_sets()[name]["classes"] == cls.classes
    assert [
        "N/A",
        *load_published_sets()["emnist_letters"]["classes"],
    ] == peers.EMNIST.classes_split_dict["letters"]
    for name, n in (("cifar100", 100), ("dtd", 47), ("icons50", 50), ("stl10", 10)):
        assert len(load_published_sets()[name]["classes"]) == n
        assert load_published_sets()[name]["classes"] == sorted(
            load_published_sets()[name]["classes"]
        )


def test_overlaps_name_sets_and_classes_that_there_are():
    for name, others in load_overlaps().items():
        assert name in load_published_sets()
        for other, classes in others.items():
            assert other in load_published_sets()
            assert len(set(classes)) == len(classes)
            assert set(classes) <= set(load_published_sets()[other].get("classes", classes))
            if other == "tiny_imagenet":
                assert all(re.fullmatch(r"n\d{8}", wnid) for wnid in classes)


def test_no_study_builds_anew_what_another_one_has_built():
    """All studies share the image stores: a name of a data set stands for one recipe."""
    plain, laid_over = (
        sorted((ROOT / "studies").glob("*.yaml")),
        sorted((ROOT / "studies" / "small").glob("*.yaml")),
    )
    paths = [
        (ROOT / "config.yaml",),
        *((path,) for path in plain),
        *((ROOT / "studies" / path.name, path) for path in laid_over),
    ]
    first = {}
    for base in paths:
        study = read(*base)
        names, known = study.used_datasets(), study.datasets
        for name in names:  # grows: what a set is made of or compared with is built too
            names += [
                other
                for other in known[name].made_of + known[name].compared_with
                if other not in names
            ]
            assert first.setdefault(name, known[name]) == known[name], f"{base[-1]}: {name}"
