"""Builds one data set of the configuration: its source, then what every source can have: classes, overlap, number of images, format."""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from oecal.core.component_imports import import_component
from oecal.core.components import make_options
from oecal.core.errors import OecalError, Unavailable
from oecal.core.seeds import make_generator
from oecal.data import duplicates, store
from oecal.data.classes import find_class_numbers
from oecal.data.preprocess import Format
from oecal.data.store import UNLABELLED, ImageSet, ImageSplit
from oecal.data.table import ITSELF

PLAIN: dict[str, Any] = {
    "classes": [],
    "drop_classes": [],
    "drop_duplicates_of": [],
    "duplicates": "near",
    "at_most": {},
    "format": {},
}


def without(data: ImageSet, masks: Mapping[str, np.ndarray], reason: str) -> ImageSet:
    """The set without the images where a split's mask is true, and their number under `reason` in `removed`."""
    splits, removed = (
        dict(data.splits),
        {name: dict(counts) for name, counts in data.removed.items()},
    )
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
    """The images of the classes `keep` (none: all, and what has no label) without `drop`, relabelled 0, 1, ... in this order.

    Numbers are those of the whole set. What `drop` takes out is counted in `ImageSet.removed`.
    Raises OecalError for a class that is not there.
    """
    gone = find_class_numbers(drop, data.classes, "drop_classes")
    kept = find_class_numbers(keep, data.classes, "classes") or list(range(len(data.classes)))
    if twice := [number for number in kept if kept.count(number) > 1]:
        raise OecalError(f"classes: names the class {data.classes[twice[0]]} twice; write it once")
    for number in sorted(set(gone) & set(kept)):
        data = without(
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
    """The set without images that have the same pixels as another one.

    Of equal ones that of test stays, before val, before train.
    """
    order = [name for name in reversed(store.SPLITS) if name in data.splits]
    again = duplicates.repeated(np.concatenate([data.splits[name].images for name in order]))
    ends = np.cumsum([len(data.splits[name].images) for name in order])
    return without(
        data, dict(zip(order, np.split(again, ends[:-1]), strict=True)), "duplicates of itself"
    )


def drop_duplicates(data: ImageSet, other: Path, how: str, form: Format | None) -> ImageSet:
    """The set without images that stand in any split of another set's store, in the format `form`, if there is one.

    Raises Unavailable if the other set is missing.
    """
    if missing := store.read_metadata(other).missing:
        raise Unavailable(f"compared with {other.stem}, which is missing: {missing}")
    find = duplicates.exact if how == "exact" else duplicates.near
    for split in store.list_splits(other):
        images = store.read_split(other, split).images
        images = form(images) if form else images
        masks = {name: find(own.images, images) for name, own in data.splits.items()}
        data = without(data, masks, f"{how} duplicates of {other.stem}")
    return data


def at_most(split: ImageSplit, n: int, stream: str) -> ImageSplit:
    """`n` of the images at random, the classes in equal shares as far as they go.

    In their old order.
    """
    if n >= len(split.images):
        return split
    order = make_generator("at_most", stream).permutation(len(split.images))
    turn = np.empty(
        len(order), np.int64
    )  # how many of its class come before an image: all first ones, then all second ones, ...
    for label in np.unique(split.labels):
        own = order[split.labels[order] == label]
        turn[own] = np.arange(len(own))
    kept = np.sort(order[np.argsort(turn[order], kind="stable")][:n])
    return ImageSplit(split.images[kept], split.labels[kept])


def formatted(data: ImageSet, form: Format) -> ImageSet:
    """The same data set with every split in one format.

    `ImageSet.format` itself is left to the caller.
    """
    splits = {
        name: ImageSplit(form(split.images), split.labels) for name, split in data.splits.items()
    }
    return dataclasses.replace(data, splits=splits)


def from_source(
    recipe: Mapping[str, Any], of: Path | None, root: Path, report: Path, form: Format | None
) -> ImageSet:
    """The image set of a recipe's source, which takes the files below `root`, the images in the store `of`, or neither.

    form: what images of several sizes are brought to on the way; report: where a folder's bad files
    are listed. Raises Unavailable if `of` itself is missing, and what the source raises.
    """
    source = import_component("data", recipe["source"])
    options = make_options(source.Options, recipe["options"])
    read: Callable[..., ImageSet] = source.build
    if getattr(source, "FROM_FILES", False):
        return read(options, root, form, report)
    if of is None:
        return read(options)
    if missing := store.read_metadata(of).missing:
        raise Unavailable(f"made of {recipe['options']['of']}, which is missing: {missing}")
    # Noise takes the shape of the images only.
    return read(
        options, store.read_split(of, options.split if recipe["source"] == "altered" else "test")
    )


def prepared(
    recipe: Mapping[str, Any],
    of: Path | None,
    against: Mapping[str, Path],
    root: Path,
    report: Path,
) -> ImageSet:
    """The set of a checked recipe, in memory. Raises OecalError if nothing is left of a split."""
    recipe = {**PLAIN, **recipe}
    given = recipe["format"]
    form = (
        Format(
            (given["channels"], given["size"], given["size"]), given["interpolation"], given["fit"]
        )
        if given
        else None
    )
    data = from_source(recipe, of, root, report, form)
    if recipe["classes"] or recipe["drop_classes"]:
        data = choose_classes(data, recipe["classes"], recipe["drop_classes"])
    data = formatted(data, form) if form else data
    for other in recipe["drop_duplicates_of"]:
        data = (
            drop_repeated(data)
            if other == ITSELF
            else drop_duplicates(data, against[other], recipe["duplicates"], form)
        )
    for name, split in data.splits.items():
        if not len(split.images):
            raise OecalError(
                f"nothing is left of the split '{name}'; write other classes, or fewer drop_classes or drop_duplicates_of"
            )
    few = {
        name: at_most(split, recipe["at_most"].get(name, len(split.images)), name)
        for name, split in data.splits.items()
    }
    return dataclasses.replace(data, splits=few, format=given)


def build(
    recipe: Mapping[str, Any],
    path: str | Path,
    of: str | Path | None = None,
    against: Collection[str | Path] = (),
    root: str | Path = "data",
    report: str | Path | None = None,
    may_be_missing: bool = False,
) -> ImageSet:
    """Builds the set of a checked `recipe` and writes it to `path`.

    recipe: source (a file name in oecal/data), options (its own), and of the keys that every set
    can have (see the configuration's schema) those that differ from PLAIN. of: for a source that is
    derived from another set, that set's store. against: the stores named by `drop_duplicates_of`.
    root: the data root, where downloaded and own files lie. report: where files that cannot be used
    are listed. may_be_missing: a set that cannot be had becomes an empty store that says why;
    otherwise raises Unavailable.
    """
    path = Path(path)
    report = Path(report) if report else path.with_suffix(".bad.csv")
    stores = {Path(other).stem: Path(other) for other in against}
    try:
        data = prepared(
            recipe, Path(of) if of else None, stores, Path(os.path.expanduser(root)), report
        )
    except Unavailable as error:
        if not may_be_missing:
            raise
        logging.warning("left out: %s", error)
        data = ImageSet({}, source=recipe["source"], licence="", sha256="", missing=str(error))
    store.write_store(path, data)
    return data
