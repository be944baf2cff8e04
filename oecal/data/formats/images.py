"""What the readers of archives of image files share: decoding many files of any size into one array."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
from tqdm import tqdm

from oecal.core.errors import OecalError
from oecal.data.decode import BadImage, decode
from oecal.data.preprocess import Format
from oecal.data.store import ImageSplit

ENDINGS = (".jpg", ".jpeg", ".png", ".webp")
CHUNK = 512  # files in memory at a time


def is_image(name: str) -> bool:
    """Whether a name ends as one of an image does, in capitals or not."""
    return name.lower().endswith(ENDINGS)


def chunks(items: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    """The items, CHUNK at a time, so that not all files of an archive lie in memory before they are decoded."""
    iterator = iter(items)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


def collect(
    items: Iterable[tuple[str, bytes]], form: Format | None
) -> tuple[list[str], np.ndarray]:
    """Names, sorted, and images (N, *form.shape) in that order, whatever the order in the archive.

    Raises OecalError if a file does not decode, or if no format is given: published photographs
    differ in size.
    """
    if form is None:
        raise OecalError(
            "its images differ in size: write, for example, format: {size: 32, channels: 3} in its entry"
        )

    def one(item: tuple[str, bytes]) -> np.ndarray:
        try:
            image: np.ndarray = form(decode(item[1])[None])[0]
            return image
        except BadImage as error:
            raise OecalError(
                f"{item[0]}: {error}; put a good copy of it, or of the archive it is from, in its place"
            ) from None

    names: list[str] = []
    images: list[np.ndarray] = []
    with (
        ThreadPoolExecutor() as pool,
        tqdm(desc="images", unit="", leave=False, disable=None) as bar,
    ):
        for chunk in chunks(items):
            names += [name for name, _ in chunk]
            images += pool.map(one, chunk)
            bar.update(len(chunk))
    order = sorted(range(len(names)), key=names.__getitem__)
    stacked = (
        np.stack([images[n] for n in order]) if images else np.empty((0, *form.shape), np.uint8)
    )
    return [names[n] for n in order], stacked


def labelled(
    names: Iterable[str], images: np.ndarray, label: dict[str, str]
) -> tuple[ImageSplit, tuple[str, ...]]:
    """A split and its classes, sorted by name; label: image name -> class name."""
    own = [label[name] for name in names]
    classes = sorted(set(label.values()))
    number = {name: n for n, name in enumerate(classes)}
    return ImageSplit(images, np.array([number[name] for name in own], np.int64)), tuple(classes)
