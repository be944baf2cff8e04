"""Sets that come as a folder of class folders: ImageNet and Icons-50.

ImageNet's labelled validation images serve as a test set.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from oecal.core.errors import OecalError
from oecal.data.archives import read_members
from oecal.data.formats.images import collect, is_image, label_images
from oecal.data.preprocess import Format
from oecal.data.store import ImageSplit
from oecal.data.table import PublishedSet


def read_photographs(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of all images.

    Raise OecalError at an image that lies in no class folder.
    """
    # ImageNet's are 138 GiB, and a folder is no bomb.
    for name, content in read_members(path, is_image, limit=sys.maxsize):
        if "/" not in name:
            raise OecalError(
                f"{path / name}: is not in a class folder; move each image into the folder of its "
                "class"
            )
        yield name, content


def read(
    files: Mapping[str, Path], row: PublishedSet, splits: Sequence[str], form: Format | None
) -> tuple[dict[str, ImageSplit], tuple[str, ...]]:
    """Read <folder of a split>/<class>/<file>; ImageNet's classes are named by their wnid."""
    parts = {
        row["files"][name]["split"]: collect(read_photographs(path), form)
        for name, path in files.items()
    }
    class_of = {name: name.split("/")[-2] for names, _ in parts.values() for name in names}
    data = {
        split: label_images(names, images, class_of)[0] for split, (names, images) in parts.items()
    }
    return data, tuple(sorted(set(class_of.values())))
