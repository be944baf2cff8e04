"""Tiny ImageNet: 200 classes, 64x64; its labelled validation images serve as a test set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from oecal.data.archives import read_members
from oecal.data.formats.images import collect, is_image, label_images
from oecal.data.preprocess import Format
from oecal.data.store import ImageSplit
from oecal.data.table import PublishedSet

FOLDERS = {"train": "/train/", "test": "/val/"}
LISTS = ("words.txt", "val_annotations.txt", "wnids.txt")


def read_photographs(path: Path, folder: str) -> Iterator[tuple[str, bytes]]:
    """Yield file name, without folders, and bytes of the images below `folder`, e.g. /train/."""
    for name, content in read_members(
        path, lambda member: is_image(member) and folder in f"/{member}"
    ):
        yield Path(name).name, content


def read(
    files: Mapping[str, Path], row: PublishedSet, splits: Sequence[str], form: Format | None
) -> tuple[dict[str, ImageSplit], tuple[str, ...]]:
    """Read train/<wnid>/images/<file> and val/images/<file>.

    The lines of val/val_annotations.txt are <file> <wnid> ..., those of words.txt <wnid> <names>.
    """
    (path,) = files.values()
    lists = {
        Path(name).name: content.decode().splitlines()
        for name, content in read_members(path, lambda member: member.endswith(LISTS))
    }
    words = dict(line.split("\t") for line in lists["words.txt"])
    wnid_of = dict(line.split("\t")[:2] for line in lists["val_annotations.txt"]) | {
        wnid: wnid for wnid in lists["wnids.txt"]
    }
    data, classes = {}, tuple[str, ...]()
    for split in splits:
        names, images = collect(read_photographs(path, FOLDERS[split]), form)
        wnid_of |= {name: name.split("_")[0] for name in names if split == "train"}
        data[split], classes = label_images(names, images, wnid_of)
    return data, tuple(f"{wnid} {words[wnid]}" for wnid in classes)
