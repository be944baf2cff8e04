"""Cutting image patches out of photographs that other packages ship."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from importlib.resources import files

import numpy as np
from PIL import Image

from oecal.core.errors import OecalError
from oecal.data.preprocess import to_grey

FILES = {  # photograph -> package, path inside it
    "astronaut": ("skimage", "data/astronaut.png"),
    "brick": ("skimage", "data/brick.png"),
    "camera": ("skimage", "data/camera.png"),
    "chelsea": ("skimage", "data/chelsea.png"),
    "china": ("sklearn", "datasets/images/china.jpg"),
    "coffee": ("skimage", "data/coffee.png"),
    "coins": ("skimage", "data/coins.png"),
    "flower": ("sklearn", "datasets/images/flower.jpg"),
    "grass": ("skimage", "data/grass.png"),
    "gravel": ("skimage", "data/gravel.png"),
    "motorcycle": ("skimage", "data/motorcycle_left.png"),
    "rocket": ("skimage", "data/rocket.jpg"),
}


def load_photograph(name: str, channels: int, shrink: float) -> np.ndarray:
    """Return one photograph, uint8 (C, H, W), its sides divided by `shrink` (Lanczos)."""
    package, path = FILES[name]
    with files(package).joinpath(path).open("rb") as file:
        image = Image.open(file).convert("RGB")
    size = round(image.width / shrink), round(image.height / shrink)
    pixels = np.asarray(image.resize(size, Image.Resampling.LANCZOS)).transpose(2, 0, 1)
    return to_grey(pixels[None])[0] if channels == 1 else pixels


def hash_photographs(names: Sequence[str]) -> str:
    """Return the SHA-256 over the photographs' files, in this order."""
    digest = hashlib.sha256()
    for name in names:
        package, path = FILES[name]
        digest.update(files(package).joinpath(path).read_bytes())
    return digest.hexdigest()


def cut_patches(
    photograph: np.ndarray, size: int, n: int, min_contrast: float, rng: np.random.Generator
) -> np.ndarray:
    """Cut `n` random patches (n, C, size, size), half of them mirrored.

    Their grey levels have a standard deviation of at least `min_contrast` (of 255), so that a patch
    is an image and not a flat wall. Raise OecalError if too few of the photograph's patches reach
    that.
    """
    _, height, width = photograph.shape
    kept: list[np.ndarray] = []
    for _ in range(100 * n):
        if len(kept) == n:
            break
        y, x = rng.integers(height - size + 1), rng.integers(width - size + 1)
        patch = photograph[:, y : y + size, x : x + size]
        if patch.mean(axis=0).std() >= min_contrast:
            kept.append(patch[..., ::-1] if rng.random() < 0.5 else patch)
    if len(kept) < n:
        raise OecalError(
            f"min_contrast: only {len(kept)} of {100 * n} patches reach {min_contrast}; use a "
            "smaller value"
        )
    return np.stack(kept)


def cut_splits(
    by_split: Mapping[str, Sequence[str]],
    counts: Mapping[str, int],
    channels: int,
    size: int,
    shrink: float,
    min_contrast: float,
    rng: np.random.Generator,
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return {split: (images, labels)}, shuffled, photographs in equal shares.

    A label is the index of the photograph over all splits.
    """
    splits, first = {}, 0
    for split, names in by_split.items():
        images, labels = [], []
        for index, name in enumerate(names):
            share = counts[split] // len(names) + (index < counts[split] % len(names))
            images.append(
                cut_patches(load_photograph(name, channels, shrink), size, share, min_contrast, rng)
            )
            labels.append(np.full(share, first + index, np.int64))
        order = rng.permutation(counts[split])
        splits[split] = (np.concatenate(images)[order], np.concatenate(labels)[order])
        first += len(names)
    return splits
