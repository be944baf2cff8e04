"""Describable Textures: photographs by class, lists of the files of each split beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from oecal.data.archives import members
from oecal.data.formats.images import collect, is_image, labelled
from oecal.data.preprocess import Format
from oecal.data.store import ImageSplit

LISTS = {
    "train1.txt": "train",
    "val1.txt": "val",
    "test1.txt": "test",
}  # the first of ten partitions, as in torchvision


def read(
    files: Mapping[str, Path], row: Mapping[str, Any], splits: Sequence[str], form: Format | None
) -> tuple[dict[str, ImageSplit], tuple[str, ...]]:
    """images/<class>/<file>; labels/<split>1.txt holds lines <class>/<file>."""
    (path,) = files.values()
    split_of: dict[str, str] = {}
    for name, content in members(path, lambda member: Path(member).name in LISTS):
        split_of |= dict.fromkeys(content.decode().split(), LISTS[Path(name).name])

    def short(name: str) -> str:
        return "/".join(name.split("/")[-2:])

    names, images = collect(
        (
            (short(n), c)
            for n, c in members(
                path, lambda m: is_image(m) and split_of.get(short(m), "") in splits
            )
        ),
        form,
    )
    found = {}
    for split in splits:
        own = [n for n, name in enumerate(names) if split_of[name] == split]
        label = {name: name.split("/")[0] for name in split_of}
        found[split], classes = labelled([names[n] for n in own], images[own], label)
    return found, classes
