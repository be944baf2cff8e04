"""Decoding many image files of any size into one array, for the readers of archives."""

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
    """Tell whether a name ends as that of an image does, in capitals or not."""
    return name.lower().endswith(ENDINGS)


def take_chunks(items: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    """Yield the items, CHUNK at a time, so that not all files of an archive are held in memory."""
    iterator = iter(items)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


def collect(
    items: Iterable[tuple[str, bytes]], form: Format | None
) -> tuple[list[str], np.ndarray]:
    """Return names, sorted, and images (N, *form.shape), whatever the order of the items.

    Raise OecalError if a file does not decode, or if no format is given: published photographs
    differ in size.
    """
    if form is None:
        raise OecalError(
            "its images differ in size: add, for example, format: {size: 32, channels: 3} to its "
            "entry"
        )

    def decode_one(item: tuple[str, bytes]) -> np.ndarray:
        try:
            image: np.ndarray = form(decode(item[1])[None])[0]
            return image
        except BadImage as error:
            raise OecalError(
                f"{item[0]}: {error}; replace it, or the archive that holds it, with a good copy"
            ) from None

    names: list[str] = []
    images: list[np.ndarray] = []
    with (
        ThreadPoolExecutor() as pool,
        tqdm(desc="images", unit="", leave=False, disable=None) as bar,
    ):
        for chunk in take_chunks(items):
            names += [name for name, _ in chunk]
            images += pool.map(decode_one, chunk)
            bar.update(len(chunk))
    order = sorted(range(len(names)), key=names.__getitem__)
    stacked = (
        np.stack([images[n] for n in order]) if images else np.empty((0, *form.shape), np.uint8)
    )
    return [names[n] for n in order], stacked


def label_images(
    names: Iterable[str], images: np.ndarray, label: dict[str, str]
) -> tuple[ImageSplit, tuple[str, ...]]:
    """Return a split and its classes, sorted by name; label: {image name: class name}."""
    own = [label[name] for name in names]
    classes = sorted(set(label.values()))
    number = {name: n for n, name in enumerate(classes)}
    return ImageSplit(images, np.array([number[name] for name in own], np.int64)), tuple(classes)
