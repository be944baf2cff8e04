"""Patches of three real textures (brick, grass, gravel) that scikit-image ships."""

from __future__ import annotations

from dataclasses import dataclass

from oecal.core.seeds import make_generator
from oecal.data.patches import cut_splits, hash_photographs
from oecal.data.store import ImageSet, ImageSplit

TEXTURES = ["brick", "grass", "gravel"]


@dataclass(frozen=True)
class Options:
    """Test set only; the textures are grey."""

    size: int = 28
    """height and width of a patch, pixels"""
    n_test: int = 500
    """number of patches"""
    seed: int = 0
    """of the places of the patches"""

    def __post_init__(self) -> None:
        if not 4 <= self.size <= 64:
            raise ValueError(f"size is {self.size}; expected 4 to 64")
        if self.n_test < 1:
            raise ValueError(f"n_test is {self.n_test}; expected 1 or more")


def build(options: Options) -> ImageSet:
    """Return a test split of grey patches (n_test, 1, size, size); the textures are classes."""
    rng = make_generator("textures", options.seed)
    splits = cut_splits(
        {"test": TEXTURES}, {"test": options.n_test}, 1, options.size, 1.0, 10.0, rng
    )
    return ImageSet(
        {split: ImageSplit(*arrays) for split, arrays in splits.items()},
        source="textures shipped with scikit-image: " + ", ".join(TEXTURES),
        licence="CC0",
        sha256=hash_photographs(TEXTURES),
        classes=tuple(TEXTURES),
    )
