"""Sets that come as a folder of class folders: ImageNet (its labelled validation images serve as a test set) and Icons-50."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from oecal.core.errors import OecalError
from oecal.data.archives import members
from oecal.data.formats.images import collect, is_image, labelled
from oecal.data.preprocess import Format
from oecal.data.store import ImageSplit


def photographs(path: Path) -> Iterator[tuple[str, bytes]]:
    """Raises OecalError at an image that lies in no class folder."""
    for name, content in members(
        path, is_image, limit=sys.maxsize
    ):  # ImageNet's are 138 GiB, and a folder is no bomb
        if "/" not in name:
            raise OecalError(
                f"{path / name}: lies in no class folder; put each image into the folder of its class"
            )
        yield name, content


def read(
    files: Mapping[str, Path], row: Mapping[str, Any], splits: Sequence[str], form: Format | None
) -> tuple[dict[str, ImageSplit], tuple[str, ...]]:
    """<folder of a split>/<class>/<file>; ImageNet's classes are named by their wnid."""
    parts = {
        row["files"][name]["split"]: collect(photographs(path), form)
        for name, path in files.items()
    }
    class_of = {name: name.split("/")[-2] for names, _ in parts.values() for name in names}
    found = {
        split: labelled(names, images, class_of)[0] for split, (names, images) in parts.items()
    }
    return found, tuple(sorted(set(class_of.values())))
