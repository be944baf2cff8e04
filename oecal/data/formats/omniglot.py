"""Omniglot: 20 drawings of each of 1,623 characters, by alphabet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from oecal.data.archives import members
from oecal.data.formats.images import collect, is_image
from oecal.data.preprocess import Format
from oecal.data.store import ImageSplit


def read(
    files: Mapping[str, Path], row: Mapping[str, Any], splits: Sequence[str], form: Format | None
) -> tuple[dict[str, ImageSplit], tuple[str, ...]]:
    """<alphabet>/<character>/<file>, strokes dark on light.

    Without labels: the two splits share no character, so none is a class.
    """
    return {
        row["files"][name]["split"]: ImageSplit.unlabelled(
            collect(members(path, is_image), form)[1]
        )
        for name, path in files.items()
    }, ()
