"""Places365: the validation images, which serve as a test set.

Lists of their classes are in a second archive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from oecal.data.archives import members
from oecal.data.formats.images import collect, is_image, labelled
from oecal.data.preprocess import Format
from oecal.data.store import ImageSplit

LISTS = ("categories_places365.txt", "places365_val.txt")  # of the four, one has 1.8 million lines


def read(
    files: Mapping[str, Path], row: Mapping[str, Any], splits: Sequence[str], form: Format | None
) -> tuple[dict[str, ImageSplit], tuple[str, ...]]:
    """val_256/<file>.

    Places365_val.txt holds lines <file> <class>, categories_places365.txt lines /<letter>/<class>
    <number>.
    """
    archive = files["filelist_places365-standard.tar"]
    lists = {
        Path(n).name: content.decode()
        for n, content in members(archive, lambda member: Path(member).name in LISTS)
    }
    names = {
        number: name[3:]
        for name, number in map(str.split, lists["categories_places365.txt"].splitlines())
    }
    label = {
        file: names[number]
        for file, number in map(str.split, lists["places365_val.txt"].splitlines())
    }
    found, images = collect(
        ((Path(n).name, content) for n, content in members(files["val_256.tar"], is_image)), form
    )
    split, classes = labelled(found, images, label)
    return {"test": split}, classes
