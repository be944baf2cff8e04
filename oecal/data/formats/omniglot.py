"""Omniglot: 20 drawings of each of 1,623 characters, by alphabet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from oecal.data.archives import read_members
from oecal.data.formats.images import collect, is_image
from oecal.data.preprocess import Format
from oecal.data.store import ImageSplit
from oecal.data.table import PublishedSet


def read(
    files: Mapping[str, Path], row: PublishedSet, splits: Sequence[str], form: Format | None
) -> tuple[dict[str, ImageSplit], tuple[str, ...]]:
    """Read <alphabet>/<character>/<file>, strokes dark on light.

    There are no labels: the two splits share no character, so none is a class.
    """
    return {
        row["files"][name]["split"]: ImageSplit.unlabelled(
            collect(read_members(path, is_image), form)[1]
        )
        for name, path in files.items()
    }, ()
