"""Sets that come as a folder of class folders: ImageNet (its labelled validation images serve as a test set) and Icons-50."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from oecal.data.archives import members
from oecal.data.formats.images import collect, is_image, labelled
from oecal.data.preprocess import Format
from oecal.data.store import Split


def read(files: Mapping[str, Path], row: Mapping[str, Any], splits: Sequence[str],
         form: Format | None) -> tuple[dict[str, Split], tuple[str, ...]]:  # fmt: skip
    """<folder of a split>/<class>/<file>; ImageNet's classes are named by their wnid."""
    found: dict[str, Split] = {}
    classes: tuple[str, ...] = ()
    for name, path in files.items():
        names, images = collect(members(path, is_image), form)
        found[row["files"][name]["split"]], classes = labelled(names, images, {n: n.split("/")[-2] for n in names})
    return found, classes
