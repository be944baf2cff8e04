"""Published data sets: entries of the table `published.yaml`, read by the reader of their format.

In a configuration the name of an entry stands as the source: `{source: fashion_mnist}`. Files lie
below the data root as torchvision lays them out, so that a root made by torchvision serves, and the
other way round.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from oecal.core.component_imports import import_component
from oecal.core.errors import OecalError, summarize_error
from oecal.core.seeds import make_generator
from oecal.data.archive_readers import DAMAGE
from oecal.data.preprocess import Format
from oecal.data.published_files import combine_digests, locate_files, serves_splits
from oecal.data.store import ImageSet, ImageSplit
from oecal.data.table import PublishedSet, load_published_sets

FROM_FILES = True


@dataclass(frozen=True)
class Options:
    """An entry of published.yaml, in whole or in part."""

    name: str
    """the entry; as a rule written as the source itself"""
    splits: tuple[Literal["train", "val", "test"], ...] = ()
    """the splits to have, by default all: only their files are needed"""
    val_share: float = 0.1
    """share of the training images of each class that is held out as `val` where the set has no
    such split; 0: none"""
    attribute: str = ""
    """CelebA only: the attribute that is the label, such as Smiling; without it the images have no
    labels"""

    def __post_init__(self) -> None:
        if not 0 <= self.val_share <= 0.5:
            raise ValueError(f"val_share is {self.val_share}; expected 0 to 0.5")
        if self.attribute and self.name != "celeba":
            raise ValueError(
                f"attribute is {self.attribute}, but {self.name} has no attributes; remove this key"
            )


def hold_out(train: ImageSplit, share: float) -> tuple[ImageSplit, ImageSplit]:
    """Divide training images into those kept and `share` of each class for validation.

    At random, but always the same ones.
    """
    order = make_generator("val").permutation(len(train.images))
    by_class = [order[train.labels[order] == label] for label in np.unique(train.labels)]
    held = np.zeros(len(order), bool)
    held[np.concatenate([own[: round(share * len(own))] for own in by_class])] = True
    return (
        ImageSplit(train.images[~held], train.labels[~held]),
        ImageSplit(train.images[held], train.labels[held]),
    )


def read_splits(
    name: str, row: PublishedSet, root: Path, splits: tuple[str, ...], form: Format | None
) -> tuple[dict[str, ImageSplit], tuple[str, ...], str]:
    """Read these of the splits that the set's files have.

    Return the splits, the classes and the SHA-256 of the files. Raise OecalError if the files
    cannot be read or their number of images is not that of the table.
    """
    files = locate_files(row, root, splits)
    reader = import_component("data.formats", row["format"])
    paths = {file: raw.path for file, raw in files.items()}
    try:
        images: dict[str, ImageSplit]
        images, classes = reader.read(paths, row, splits, form)
    except (*DAMAGE, TypeError) as error:
        reason = f"{type(error).__name__}: {summarize_error(error)}"
        raise OecalError(
            f"{name}: cannot be read ({reason}); replace "
            f"{', '.join(map(str, paths.values()))} with a good copy"
        ) from error
    for split_name, split in images.items():
        n, expected = len(split.images), row["images"][split_name]
        if not n or (expected and n != expected):
            incomplete = ", ".join(
                str(path)
                for file, path in paths.items()
                if serves_splits(row["files"][file], [split_name])
            )
            raise OecalError(
                f"{name}: found {n} images in {split_name}; expected {expected or 'at least one'}; "
                f"replace {incomplete} with a complete copy"
            )
    return images, classes, combine_digests([files[file].sha256 for file in sorted(files)])


def build(options: Options, root: Path, form: Format | None, report: Path) -> ImageSet:
    """Return the set, with `val` held out of the training images where it has no such split.

    Raise OecalError if it has no such split, or if its files or their number of images are not
    those of the table.
    """
    name = options.name
    row: PublishedSet = {**load_published_sets()[name], "attribute": options.attribute}
    if form is None and "shape" in row:
        channels, height, width = row["shape"]
        form = Format((channels, height, width))
    holds_out = "train" in row["images"] and "val" not in row["images"] and options.val_share > 0
    known = [*row["images"], *["val"] * holds_out]
    if strange := [split for split in options.splits if split not in known]:
        raise OecalError(
            f"splits: {name} has no split '{strange[0]}'; use one or more of: {', '.join(known)}"
        )
    wanted = options.splits or row["images"]
    sources = dict.fromkeys(split if split in row["images"] else "train" for split in wanted)
    splits, classes, sha256 = read_splits(name, row, root, tuple(sources), form)
    if "train" in splits and holds_out:
        splits["train"], splits["val"] = hold_out(splits["train"], options.val_share)
    if options.splits:
        splits = {split: data for split, data in splits.items() if split in options.splits}
    return ImageSet(
        splits,
        source=f"{row['title']}: {row['citation']}",
        licence=row["licence"],
        sha256=sha256,
        classes=classes,
    )
