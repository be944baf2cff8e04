"""Describable Textures: photographs by class, lists of the files of each split beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from oecal.data.archives import read_members
from oecal.data.formats.images import collect, is_image, label_images
from oecal.data.preprocess import Format
from oecal.data.store import ImageSplit
from oecal.data.table import PublishedSet

# The first of ten partitions, as in torchvision.
LISTS = {"train1.txt": "train", "val1.txt": "val", "test1.txt": "test"}


def read(
    files: Mapping[str, Path], row: PublishedSet, splits: Sequence[str], form: Format | None
) -> tuple[dict[str, ImageSplit], tuple[str, ...]]:
    """Read images/<class>/<file>; the lines of labels/<split>1.txt are <class>/<file>."""
    (path,) = files.values()
    split_of: dict[str, str] = {}
    for name, content in read_members(path, lambda member: Path(member).name in LISTS):
        split_of |= dict.fromkeys(content.decode().split(), LISTS[Path(name).name])

    def shorten(name: str) -> str:
        return "/".join(name.split("/")[-2:])

    def is_wanted(name: str) -> bool:
        return is_image(name) and split_of.get(shorten(name), "") in splits

    names, images = collect(
        ((shorten(name), content) for name, content in read_members(path, is_wanted)), form
    )
    label = {name: name.split("/")[0] for name in split_of}
    data, classes = {}, tuple[str, ...]()
    for split in splits:
        own = [n for n, name in enumerate(names) if split_of[name] == split]
        data[split], classes = label_images([names[n] for n in own], images[own], label)
    return data, classes
