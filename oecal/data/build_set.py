"""Builds one data set of the configuration into its image store.

First its source, then what every set can have: classes, overlap, number of images, format.
"""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from oecal.core.component_imports import import_component
from oecal.core.errors import OecalError, Unavailable
from oecal.core.options import make_options
from oecal.core.seeds import make_generator
from oecal.data import duplicates, store
from oecal.data.classes import find_class_numbers
from oecal.data.preprocess import Format
from oecal.data.store import UNLABELLED, FormatEntry, ImageSet, ImageSplit
from oecal.data.table import ITSELF


@dataclass(frozen=True)
class DatasetRecipe:
    """The checked entry of a data set; the configuration's schema says what each key means."""

    source: str
    options: Mapping[str, object]
    facts: Mapping[str, object] = field(default_factory=dict)
    """what the table of published sets says of it; here so that a change builds the set again"""
    classes: Sequence[int | str] = ()
    drop_classes: Sequence[int | str] = ()
    drop_duplicates_of: Sequence[str] = ()
    duplicates: str = "near"
    at_most: Mapping[str, int] = field(default_factory=dict)
    format: FormatEntry | None = None


def make_format(entry: FormatEntry) -> Format:
    """Return the format that an entry asks for."""
    size = entry["size"]
    return Format((entry["channels"], size, size), entry["interpolation"], entry["fit"])


def drop_images(data: ImageSet, masks: Mapping[str, np.ndarray], reason: str) -> ImageSet:
    """Return the set without the images where a split's mask is true.

    Their number is counted under `reason` in `ImageSet.removed`.
    """
    splits = dict(data.splits)
    removed = {name: dict(counts) for name, counts in data.removed.items()}
    for name, gone in masks.items():
        if gone.any():
            splits[name] = ImageSplit(splits[name].images[~gone], splits[name].labels[~gone])
            counts = removed.setdefault(name, {})
            counts[reason] = counts.get(reason, 0) + int(gone.sum())
            logging.info("%s: %d images left out: %s", name, gone.sum(), reason)
    return dataclasses.replace(data, splits=splits, removed=removed)


def choose_classes(
    data: ImageSet, keep: Sequence[int | str], drop: Sequence[int | str]
) -> ImageSet:
    """Return the images of the classes `keep` without `drop`, relabelled 0, 1, ... in this order.

    An empty `keep` means all, and what has no label. Numbers of classes are those of the whole set.
    What `drop` takes out is counted in `ImageSet.removed`. Raise OecalError for a class that is not
    there.
    """
    gone = find_class_numbers(drop, data.classes, "drop_classes")
    kept = find_class_numbers(keep, data.classes, "classes") or list(range(len(data.classes)))
    if twice := [number for number in kept if kept.count(number) > 1]:
        raise OecalError(f"classes: lists the class {data.classes[twice[0]]} twice; list it once")
    for number in sorted(set(gone) & set(kept)):
        data = drop_images(
            data,
            {name: split.labels == number for name, split in data.splits.items()},
            f"class {data.classes[number]}",
        )
    left = [number for number in kept if number not in gone]
    other = -2  # of the classes that are not kept
    new = np.full(len(data.classes) + 1, other, np.int64)
    new[left] = np.arange(len(left))
    new[-1] = other if keep else UNLABELLED  # where the label -1 finds its new one
    splits = {}
    for name, split in data.splits.items():
        labels = new[split.labels]
        splits[name] = ImageSplit(split.images[labels != other], labels[labels != other])
    return dataclasses.replace(data, splits=splits, classes=tuple(data.classes[c] for c in left))


def drop_repeated(data: ImageSet) -> ImageSet:
    """Return the set without images that have the same pixels as another one of it.

    Of equal images that of test stays, before val, before train.
    """
    order = [name for name in reversed(store.SPLITS) if name in data.splits]
    again = duplicates.find_repeated(np.concatenate([data.splits[name].images for name in order]))
    ends = np.cumsum([len(data.splits[name].images) for name in order])
    return drop_images(
        data, dict(zip(order, np.split(again, ends[:-1]), strict=True)), "duplicates of itself"
    )


def drop_duplicates(data: ImageSet, other: Path, how: str, form: Format | None) -> ImageSet:
    """Return the set without images that are in any split of another set's store, in its format.

    how: exact or near; form: what both sets are brought to, if anything. Raise Unavailable if the
    other set is missing.
    """
    if missing := store.read_metadata(other).missing:
        raise Unavailable(f"compared with {other.stem}, which is missing: {missing}")
    find = duplicates.find_exact if how == "exact" else duplicates.find_near
    for split in store.list_splits(other):
        images = store.read_split(other, split).images
        images = form(images) if form else images
        masks = {name: find(own.images, images) for name, own in data.splits.items()}
        data = drop_images(data, masks, f"{how} duplicates of {other.stem}")
    return data


def sample_at_most(split: ImageSplit, n: int, stream: str) -> ImageSplit:
    """Return at most `n` of the images, in their old order.

    They are drawn at random, from the classes in equal shares as far as these go.
    """
    if n >= len(split.images):
        return split
    order = make_generator("at_most", stream).permutation(len(split.images))
    # How many of its class come before an image: so first ones of all classes come before second
    # ones.
    turn = np.empty(len(order), np.int64)
    for label in np.unique(split.labels):
        own = order[split.labels[order] == label]
        turn[own] = np.arange(len(own))
    kept = np.sort(order[np.argsort(turn[order], kind="stable")][:n])
    return ImageSplit(split.images[kept], split.labels[kept])


def apply_format(data: ImageSet, form: Format) -> ImageSet:
    """Return the set with every split in one format. `ImageSet.format` is left to the caller."""
    splits = {
        name: ImageSplit(form(split.images), split.labels) for name, split in data.splits.items()
    }
    return dataclasses.replace(data, splits=splits)


def read_source(
    recipe: DatasetRecipe, of: Path | None, root: Path, report: Path, form: Format | None
) -> ImageSet:
    """Return the image set of a recipe's source.

    The source takes files below `root`, the images in the store `of`, or neither. form: what images
    of several sizes are brought to on the way; report: where a folder's bad files are listed. Raise
    Unavailable if `of` itself is missing, and what the source raises.
    """
    source = import_component("data", recipe.source)
    options = make_options(source.Options, recipe.options)
    build_source: Callable[..., ImageSet] = source.build
    if getattr(source, "FROM_FILES", False):
        return build_source(options, root, form, report)
    if of is None:
        return build_source(options)
    if missing := store.read_metadata(of).missing:
        raise Unavailable(f"made of {recipe.options['of']}, which is missing: {missing}")
    # Noise takes the shape of the images only.
    split = options.split if recipe.source == "altered" else "test"
    return build_source(options, store.read_split(of, split))


def prepare_set(
    recipe: DatasetRecipe, of: Path | None, against: Mapping[str, Path], root: Path, report: Path
) -> ImageSet:
    """Return the set of a recipe, in memory.

    against: {name: store} of the sets in `Recipe.drop_duplicates_of`. Raise OecalError if nothing
    is left of a split.
    """
    form = make_format(recipe.format) if recipe.format else None
    data = read_source(recipe, of, root, report, form)
    if recipe.classes or recipe.drop_classes:
        data = choose_classes(data, recipe.classes, recipe.drop_classes)
    data = apply_format(data, form) if form else data
    for other in recipe.drop_duplicates_of:
        data = (
            drop_repeated(data)
            if other == ITSELF
            else drop_duplicates(data, against[other], recipe.duplicates, form)
        )
    for name, split in data.splits.items():
        if not len(split.images):
            raise OecalError(
                f"no image is left in the split '{name}'; choose other classes, or drop fewer with "
                "drop_classes or drop_duplicates_of"
            )
    few = {
        name: sample_at_most(split, recipe.at_most.get(name, len(split.images)), name)
        for name, split in data.splits.items()
    }
    return dataclasses.replace(data, splits=few, format=recipe.format)


def build(
    recipe: Mapping[str, Any],
    path: str | Path,
    of: str | Path | None = None,
    against: Collection[str | Path] = (),
    root: str | Path = "data",
    report: str | Path | None = None,
    may_be_missing: bool = False,
) -> ImageSet:
    """Build the set of a checked `recipe`, as in the configuration, and write it to `path`.

    recipe: the fields of Recipe; those that are left out have their defaults. of: for a source that
    is derived from another set, that set's store. against: the stores of the sets in
    `Recipe.drop_duplicates_of`. root: the data root, where downloaded and own files lie. report:
    where files that cannot be used are listed. may_be_missing: a set that cannot be had becomes an
    empty store that says why; otherwise raise Unavailable.
    """
    path, checked = Path(path), DatasetRecipe(**recipe)
    report = Path(report) if report else path.with_suffix(".bad.csv")
    stores = {Path(other).stem: Path(other) for other in against}
    try:
        data = prepare_set(
            checked, Path(of) if of else None, stores, Path(os.path.expanduser(root)), report
        )
    except Unavailable as error:
        if not may_be_missing:
            raise
        logging.warning("data set left out: %s", error)
        data = ImageSet({}, source=checked.source, licence="", sha256="", missing=str(error))
    store.write_store(path, data)
    return data
