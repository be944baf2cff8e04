"""Tiny ImageNet: 200 classes, 64x64; its labelled validation images serve as a test set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from oecal.data.archives import members
from oecal.data.formats.images import collect, is_image, labelled
from oecal.data.preprocess import Format
from oecal.data.store import ImageSplit

FOLDERS = {"train": "/train/", "test": "/val/"}
LISTS = ("words.txt", "val_annotations.txt", "wnids.txt")


def photographs(path: Path, folder: str) -> Iterator[tuple[str, bytes]]:
    """File name, without folders, and bytes of the images below a folder of the archive, such as `/train/`."""
    for name, content in members(path, lambda member: is_image(member) and folder in f"/{member}"):
        yield Path(name).name, content


def read(
    files: Mapping[str, Path], row: Mapping[str, Any], splits: Sequence[str], form: Format | None
) -> tuple[dict[str, ImageSplit], tuple[str, ...]]:
    """train/<wnid>/images/<file>.

    Val/images/<file> with val/val_annotations.txt (<file> <wnid> ...); words.txt (<wnid> <names>).
    """
    (path,) = files.values()
    lists = {
        Path(name).name: content.decode().splitlines()
        for name, content in members(path, lambda member: member.endswith(LISTS))
    }
    words = dict(line.split("\t") for line in lists["words.txt"])
    wnid_of = dict(line.split("\t")[:2] for line in lists["val_annotations.txt"]) | {
        wnid: wnid for wnid in lists["wnids.txt"]
    }
    found = {}
    for split in splits:
        names, images = collect(photographs(path, FOLDERS[split]), form)
        wnid_of |= {name: name.split("_")[0] for name in names if split == "train"}
        found[split], classes = labelled(names, images, wnid_of)
    return found, tuple(f"{wnid} {words[wnid]}" for wnid in classes)
