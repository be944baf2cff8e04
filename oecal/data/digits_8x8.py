"""1,797 real digits of 8x8 pixels (UCI, scikit-learn), enlarged to 28x28.

Other writers and another scanner than MNIST's, the same ten classes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from oecal.core.seeds import make_generator
from oecal.data.preprocess import resize
from oecal.data.store import ImageSet, ImageSplit


@dataclass(frozen=True)
class Options:
    """A covariate shift for MNIST: labels keep their meaning, images change."""

    margin: int = 4
    """empty pixels on each side; MNIST's own layout is a 20x20 digit with a margin of 4"""
    n: int = 1000
    """number of test images, at most 1,797"""

    def __post_init__(self) -> None:
        if not 0 <= self.margin <= 10:
            raise ValueError(f"margin is {self.margin}; expected 0 to 10")
        if not 1 <= self.n <= 1797:
            raise ValueError(f"n is {self.n}; expected 1 to 1797")


def build(options: Options) -> ImageSet:
    """Return a test split of n images, drawn without replacement.

    The 16 grey levels are stretched to 256; black around as wide as `margin`.
    """
    from sklearn.datasets import load_digits

    raw = load_digits()
    levels = np.rint(raw.images * (255 / 16)).astype(np.uint8)[:, None]
    index = make_generator("digits_8x8").permutation(len(levels))[: options.n]
    inner = 28 - 2 * options.margin
    margin = ((0, 0), (0, 0), (options.margin,) * 2, (options.margin,) * 2)
    images = np.pad(resize(levels[index], inner, inner, "bicubic"), margin)
    return ImageSet(
        {"test": ImageSplit(images, raw.target[index].astype(np.int64))},
        source="Optical Recognition of Handwritten Digits (Alpaydin & Kaynak, UCI), as shipped "
        "with scikit-learn",
        licence="CC BY 4.0",
        sha256=hashlib.sha256(
            files("sklearn").joinpath("datasets", "data", "digits.csv.gz").read_bytes()
        ).hexdigest(),
        classes=tuple("0123456789"),
    )
