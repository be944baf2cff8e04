"""Places365: the validation images, which serve as a test set.

Lists of their classes are in a second archive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from oecal.data.archives import read_members
from oecal.data.formats.images import collect, is_image, label_images
from oecal.data.preprocess import Format
from oecal.data.store import ImageSplit
from oecal.data.table import PublishedSet

LISTS = ("categories_places365.txt", "places365_val.txt")  # of the four, one has 1.8 million lines


def read(
    files: Mapping[str, Path], row: PublishedSet, splits: Sequence[str], form: Format | None
) -> tuple[dict[str, ImageSplit], tuple[str, ...]]:
    """Read val_256/<file>.

    The lines of places365_val.txt are <file> <number>, those of categories_places365.txt
    /<letter>/<class> <number>.
    """
    archive = files["filelist_places365-standard.tar"]
    lists = {
        Path(n).name: content.decode()
        for n, content in read_members(archive, lambda member: Path(member).name in LISTS)
    }
    names = {
        number: name[3:]
        for name, number in map(str.split, lists["categories_places365.txt"].splitlines())
    }
    label = {
        file: names[number]
        for file, number in map(str.split, lists["places365_val.txt"].splitlines())
    }
    files_in_order, images = collect(
        ((Path(n).name, content) for n, content in read_members(files["val_256.tar"], is_image)),
        form,
    )
    split, classes = label_images(files_in_order, images, label)
    return {"test": split}, classes
