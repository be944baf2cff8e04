"""Small copies of every published set, packed and unpacked as the originals are."""

import copy
import hashlib

from oecal.data.preprocess import Format
from oecal.data.table import load_published_sets
from tests.data import published_arrays as arrays
from tests.data import published_photographs as photographs
from tests.data.published_writers import put_below

MAKE = {
    **dict.fromkeys(("mnist", "fashion_mnist", "kmnist", "qmnist", "notmnist"), arrays.make_idx),
    "emnist_letters": arrays.make_emnist,
    "cifar10": arrays.make_cifar10,
    "cifar100": arrays.make_cifar100,
    "svhn": arrays.make_svhn,
    "stl10": arrays.make_stl10,
    "random_images_300k": arrays.make_random_images_300k,
    "imagenet32": arrays.make_imagenet32,
    "celeba": photographs.make_celeba,
    "dtd": photographs.make_dtd,
    "omniglot": photographs.make_omniglot,
    "places365": photographs.make_places365,
    "tiny_imagenet": photographs.make_tiny_imagenet,
    "imagenet": photographs.make_imagenet,
    "icons50": photographs.make_icons50,
}
FORMS = {
    "celeba": (3, 12, 10),
    "dtd": (3, 8, 8),
    "omniglot": (1, 9, 9),
    "places365": (3, 16, 16),
    "tiny_imagenet": (3, 64, 64),
    "imagenet": (3, 16, 16),
    "icons50": (3, 16, 16),
}


def find_form(name):
    """The sizes drawn here, where a reader wants to be told one."""
    return Format(FORMS[name]) if name in FORMS else None


def pin_checksums(about, content):
    for kind in {"md5", "sha256"} & set(about):
        about[kind] = hashlib.new(kind, content).hexdigest()
    if "size" in about:
        about["size"] = len(content)


def lay_files(root, files):
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def make_roots(name, folder, monkeypatch, rng):
    """Make data roots of a small set, packed (if it comes so) and unpacked.

    Return them and what is in the set. The table then knows these files.
    """
    files, loose, truth = MAKE[name](name, rng)
    row = copy.deepcopy(load_published_sets()[name])
    row |= {
        "mirrors": [],
        "get": "",
        "images": {split: len(images) for split, (images, _) in truth.items()},
    }
    for file, about in row["files"].items():
        about.pop("urls", None)
        pin_checksums(about, files.get(file, b""))
    for path, about in row.get("unpacked", {}).items():
        pin_checksums(about, loose[path])
    monkeypatch.setitem(load_published_sets(), name, row)
    roots = [lay_files(folder / "packed", put_below(row["folder"], files))] if files else []
    return [*roots, lay_files(folder / "loose", loose)], truth
