"""CelebA, aligned and cropped faces; a list beside the archive says which split each is in."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from oecal.core.components import explain_unknown
from oecal.core.errors import OecalError
from oecal.data.archives import read_members
from oecal.data.formats.images import collect, is_image
from oecal.data.preprocess import Format
from oecal.data.store import UNLABELLED, ImageSplit
from oecal.data.table import PublishedSet

SPLITS = {"0": "train", "1": "val", "2": "test"}


def read_photographs(path: Path, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of the wanted images, in the archive's order."""
    return read_members(path, lambda member: is_image(member) and Path(member).name in wanted)


def read_labels(path: Path, attribute: str) -> dict[str, int]:
    """Return {file name: 1 if the image has the attribute, else 0}.

    Raise OecalError if there is no such attribute.
    """
    _, header, *lines = path.read_text().splitlines()
    if attribute not in header.split():
        raise OecalError(f"attribute: {explain_unknown(attribute, header.split())}")
    column = header.split().index(attribute) + 1
    return {line.split()[0]: int(line.split()[column] == "1") for line in lines}


def read(
    files: Mapping[str, Path], row: PublishedSet, splits: Sequence[str], form: Format | None
) -> tuple[dict[str, ImageSplit], tuple[str, ...]]:
    """Read img_align_celeba/<file>.

    The lines of list_eval_partition.txt are <file> <number of the split>. `row["attribute"]` is the
    label, if any.
    """
    lines = files["list_eval_partition.txt"].read_text().splitlines()
    split_of = {name: SPLITS[number] for name, number in map(str.split, filter(None, lines))}
    attribute = row.get("attribute", "")
    labels = read_labels(files["list_attr_celeba.txt"], attribute) if attribute else {}
    read_splits = {}
    for split in splits:
        wanted = {name for name, other in split_of.items() if other == split}
        names, images = collect(read_photographs(files["img_align_celeba.zip"], wanted), form)
        read_splits[split] = ImageSplit(
            images, np.array([labels.get(Path(name).name, UNLABELLED) for name in names], np.int64)
        )
    return read_splits, (f"not {attribute}", attribute) if attribute else ()
