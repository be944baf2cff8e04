"""CelebA, aligned and cropped faces; the split is a list beside the archive."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from oecal.data.archives import members
from oecal.data.formats.images import collect, is_image
from oecal.data.preprocess import Format
from oecal.data.store import Split

SPLITS = {"0": "train", "1": "val", "2": "test"}


def photographs(path: Path, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
    return members(path, lambda member: is_image(member) and Path(member).name in wanted)


def read(files: Mapping[str, Path], row: Mapping[str, Any], splits: Sequence[str],
         form: Format | None) -> tuple[dict[str, Split], tuple[str, ...]]:  # fmt: skip
    """img_align_celeba/<file>; list_eval_partition.txt holds lines <file> <number of the split>. Without labels."""
    lines = files["list_eval_partition.txt"].read_text().splitlines()
    split_of = {name: SPLITS[number] for name, number in map(str.split, filter(None, lines))}
    found = {}
    for split in splits:
        wanted = {name for name, other in split_of.items() if other == split}
        found[split] = Split.unlabelled(collect(photographs(files["img_align_celeba.zip"], wanted), form)[1])
    return found, ()
