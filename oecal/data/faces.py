"""100 real faces (scikit-image's subset of Labeled Faces in the Wild), grey, resized."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from oecal.data.preprocess import resize
from oecal.data.store import ImageSet, ImageSplit

FACES = 100  # the file's first 100 images are faces, the others are not


@dataclass(frozen=True)
class Options:
    """Test set only."""

    size: int = 28
    """height and width, pixels; the originals have 25"""

    def __post_init__(self) -> None:
        if not 4 <= self.size <= 256:
            raise ValueError(f"size is {self.size}; expected 4 to 256")


def build(options: Options) -> ImageSet:
    """Return an unlabelled test split (100, 1, size, size)."""
    file = files("skimage").joinpath("data", "lfw_subset.npy")
    with file.open("rb") as opened:
        levels = np.load(opened, allow_pickle=False)[:FACES]
    images = np.rint(255 * levels).astype(np.uint8)[:, None]
    return ImageSet(
        {"test": ImageSplit.unlabelled(resize(images, options.size, options.size))},
        source="Labeled Faces in the Wild (Huang et al. 2007), the subset shipped with "
        "scikit-image",
        licence="none stated at the source; scikit-image: BSD-3-Clause",
        sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
    )
