"""Patches of the real photographs that scikit-image and scikit-learn ship.

Train, val and test come from different photographs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from oecal.core.seeds import make_generator
from oecal.data.patches import cut_splits, hash_photographs
from oecal.data.store import ImageSet, ImageSplit

PHOTOGRAPHS = {
    "train": ["chelsea", "china", "coffee", "rocket"],
    "val": ["motorcycle"],
    "test": ["astronaut", "flower"],
}
GREY_ONLY = {"train": ["camera"], "test": ["coins"]}


@dataclass(frozen=True)
class Options:
    """How patches are cut."""

    size: int = 32
    """height and width of a patch, pixels"""
    channels: Literal[1, 3] = 3
    """1: grey (two photographs more), 3: RGB"""
    shrink: float = 2.0
    """the photographs' sides are divided by this first: a patch shows more"""
    min_contrast: float = 20.0
    """smallest standard deviation of a patch's grey levels, of 255"""
    n_train: int = 4000
    """number of training patches"""
    n_val: int = 500
    """number of validation patches"""
    n_test: int = 500
    """number of test patches"""
    seed: int = 0
    """of the places of the patches"""

    def __post_init__(self) -> None:
        if not 4 <= self.size <= 64:
            raise ValueError(f"size is {self.size}; expected 4 to 64")
        if not 1 <= self.shrink <= 4:
            raise ValueError(f"shrink is {self.shrink}; expected 1 to 4")
        if min(self.n_train, self.n_val, self.n_test) < 1:
            raise ValueError(
                f"n_train is {self.n_train}, n_val is {self.n_val}, n_test is {self.n_test}; "
                "expected 1 or more for each"
            )


def build(options: Options) -> ImageSet:
    """Return splits of patches, each with its photograph as class.

    No photograph is in two splits; grey ones are left out of RGB sets.
    """
    names = {
        s: n + (GREY_ONLY.get(s, []) if options.channels == 1 else [])
        for s, n in PHOTOGRAPHS.items()
    }
    counts = {"train": options.n_train, "val": options.n_val, "test": options.n_test}
    rng = make_generator("photos", options.seed)
    splits = cut_splits(
        names, counts, options.channels, options.size, options.shrink, options.min_contrast, rng
    )
    used = [name for split in names.values() for name in split]
    return ImageSet(
        {split: ImageSplit(*arrays) for split, arrays in splits.items()},
        source="photographs shipped with scikit-image and scikit-learn: " + ", ".join(used),
        licence="public domain, CC0 or CC BY (see the packages' own lists)",
        sha256=hash_photographs(used),
        classes=tuple(used),
    )
