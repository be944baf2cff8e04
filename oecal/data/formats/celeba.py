"""CelebA, aligned and cropped faces; the split is a list beside the archive."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from oecal.core.components import explain_unknown
from oecal.core.errors import OecalError
from oecal.data.archives import members
from oecal.data.formats.images import collect, is_image
from oecal.data.preprocess import Format
from oecal.data.store import UNLABELLED, ImageSplit

SPLITS = {"0": "train", "1": "val", "2": "test"}


def photographs(path: Path, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of those images of the archive whose file name is wanted, in the archive's order."""
    return members(path, lambda member: is_image(member) and Path(member).name in wanted)


def labels_of(path: Path, attribute: str) -> dict[str, int]:
    """File name -> 1 if the image has the attribute, else 0.

    Raises OecalError for one that is not there.
    """
    _, header, *lines = path.read_text().splitlines()
    if attribute not in header.split():
        raise OecalError(f"attribute: {explain_unknown(attribute, header.split())}")
    column = header.split().index(attribute) + 1
    return {line.split()[0]: int(line.split()[column] == "1") for line in lines}


def read(
    files: Mapping[str, Path], row: Mapping[str, Any], splits: Sequence[str], form: Format | None
) -> tuple[dict[str, ImageSplit], tuple[str, ...]]:
    """img_align_celeba/<file>.

    List_eval_partition.txt holds lines <file> <number of the split>; `row["attribute"]`: the label,
    if any.
    """
    lines = files["list_eval_partition.txt"].read_text().splitlines()
    split_of = {name: SPLITS[number] for name, number in map(str.split, filter(None, lines))}
    attribute = row.get("attribute", "")
    labels = labels_of(files["list_attr_celeba.txt"], attribute) if attribute else {}
    found = {}
    for split in splits:
        wanted = {name for name, other in split_of.items() if other == split}
        names, images = collect(photographs(files["img_align_celeba.zip"], wanted), form)
        found[split] = ImageSplit(
            images, np.array([labels.get(Path(name).name, UNLABELLED) for name in names], np.int64)
        )
    return found, (f"not {attribute}", attribute) if attribute else ()
