"""Builds one data set of the configuration: its source, then what every source can have: classes, overlap, number of images, format."""

from __future__ import annotations

import dataclasses
import importlib
import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from oecal.data import duplicates, store
from oecal.data.preprocess import Format
from oecal.data.store import UNLABELLED, ImageSet, Split
from oecal.errors import OecalError, Unavailable
from oecal.options import made, unknown
from oecal.seeds import generator

PLAIN: dict[str, Any] = {"classes": [], "drop_classes": [], "drop_duplicates_of": [], "duplicates": "near", "at_most": {}, "format": {}}
ITSELF = "itself"  # in `drop_duplicates_of`: the set's own images


def class_number(name: int | str, classes: Sequence[str], key: str) -> int:
    """The number of a class, given by number or name. Of `n04133789 sandal, flip-flop`, `n04133789` and `sandal` are names too."""
    if isinstance(name, int):
        if not 0 <= name < len(classes):
            raise OecalError(f"{key}: the set has no class {name}; write numbers from 0 to {len(classes) - 1}")
        return name
    for number, full in enumerate(classes):
        wnid, _, words = full.partition(" ")
        if name in (full, full.split(",")[0], wnid, words.split(",")[0]):
            return number
    raise OecalError(f"{key}: {unknown(name, classes)}" if len(classes) <= 100 else f"{key}: the set has no class '{name}'")


def without(data: ImageSet, masks: Mapping[str, np.ndarray], reason: str) -> ImageSet:
    """The set without the images where a split's mask is true, and their number under `reason` in `removed`."""
    splits, removed = dict(data.splits), {name: dict(counts) for name, counts in data.removed.items()}
    for name, gone in masks.items():
        if gone.any():
            splits[name] = Split(splits[name].images[~gone], splits[name].labels[~gone])
            counts = removed.setdefault(name, {})
            counts[reason] = counts.get(reason, 0) + int(gone.sum())
            logging.info("%s: %d images left out: %s", name, gone.sum(), reason)
    return dataclasses.replace(data, splits=splits, removed=removed)


def keep_classes(data: ImageSet, classes: Sequence[int | str]) -> ImageSet:
    """The images of these classes only, relabelled 0, 1, ... in the given order. Raises OecalError if the set lacks one of them."""
    kept = [class_number(c, data.classes, "classes") for c in classes]
    new = np.full(len(data.classes) + 1, UNLABELLED, np.int64)  # the last entry serves the label -1
    new[kept] = np.arange(len(kept))
    splits = {}
    for name, split in data.splits.items():
        labels = new[split.labels]
        splits[name] = Split(split.images[labels != UNLABELLED], labels[labels != UNLABELLED])
    return dataclasses.replace(data, splits=splits, classes=tuple(data.classes[c] for c in kept))


def drop_classes(data: ImageSet, classes: Sequence[int | str]) -> ImageSet:
    """The set without these classes, the others relabelled in their order; the numbers of images dropped go to `removed`."""
    gone = {class_number(c, data.classes, "drop_classes") for c in classes}
    for number in sorted(gone):
        masks = {name: split.labels == number for name, split in data.splits.items()}
        data = without(data, masks, f"class {data.classes[number]}")
    return keep_classes(data, [c for c in range(len(data.classes)) if c not in gone])


def drop_duplicates(data: ImageSet, of: Mapping[str, Path], how: str) -> ImageSet:
    """The set without images that stand in any split of another set (`of`: name -> store), or earlier in the same split (`itself`)."""
    for name, path in of.items():
        if name == ITSELF:
            data = without(data, {split: duplicates.repeated(data.splits[split].images) for split in data.splits}, "duplicates of itself")
            continue
        find = duplicates.exact if how == "exact" else duplicates.near
        for other in store.splits_of(path):
            others = store.read(path, other).images
            masks = {split: find(data.splits[split].images, others) for split in data.splits}
            data = without(data, masks, f"{how} duplicates of {name}")
    return data


def at_most(split: Split, n: int, stream: str) -> Split:
    """`n` of the images at random, the classes in equal shares as far as they go; in their old order."""
    if n >= len(split.images):
        return split
    order = generator("at_most", stream).permutation(len(split.images))
    turn = np.empty(len(order), np.int64)  # how many of its class come before an image: all first ones, then all second ones, ...
    for label in np.unique(split.labels):
        own = order[split.labels[order] == label]
        turn[own] = np.arange(len(own))
    kept = np.sort(order[np.argsort(turn[order], kind="stable")][:n])
    return Split(split.images[kept], split.labels[kept])


def formatted(data: ImageSet, form: Format) -> ImageSet:
    splits = {name: Split(form(split.images), split.labels) for name, split in data.splits.items()}
    return dataclasses.replace(data, splits=splits)


def from_source(recipe: Mapping[str, Any], of: Path | None, root: Path, report: Path, form: Format | None) -> ImageSet:
    source = importlib.import_module(f"oecal.data.{recipe['source']}")
    options = made(source.Options, recipe["options"])
    if getattr(source, "FROM_FILES", False):
        # Arrays are resized last: only in their own format can they be exact duplicates of other sets' images.
        return source.build(options, root, form if getattr(source, "SIZES_DIFFER", False) else None, report)
    if of is None:
        return source.build(options)
    if missing := store.read_about(of).missing:
        raise Unavailable(f"made of {recipe['options']['of']}, which is missing: {missing}")
    return source.build(options, store.read(of, "test"))


def prepared(recipe: Mapping[str, Any], of: Path | None, against: Mapping[str, Path], root: Path, report: Path) -> ImageSet:
    """The set of a checked recipe, in memory."""
    recipe = {**PLAIN, **recipe}
    given = recipe["format"]
    form = Format((given["channels"], given["size"], given["size"]), given["interpolation"], given["fit"]) if given else None
    data = from_source(recipe, of, root, report, form)
    if recipe["classes"]:
        data = keep_classes(data, recipe["classes"])
    if recipe["drop_classes"]:
        data = drop_classes(data, recipe["drop_classes"])
    if recipe["drop_duplicates_of"]:
        others = {name: Path() if name == ITSELF else against[name] for name in recipe["drop_duplicates_of"]}
        data = drop_duplicates(data, others, recipe["duplicates"])
    few = {name: at_most(split, recipe["at_most"].get(name, len(split.images)), name) for name, split in data.splits.items()}
    data = dataclasses.replace(data, splits=few, format=given)
    return formatted(data, form) if form else data


def build(recipe: Mapping[str, Any], path: str | Path, of: str | Path | None = None, against: Collection[str | Path] = (),
          root: str | Path = "data", report: str | Path | None = None, may_be_missing: bool = False) -> ImageSet:  # fmt: skip
    """Builds the set of a checked `recipe` and writes it to `path`.

    recipe: source (a file name in oecal/data), options (its own), and of the keys that every set can have (see the configuration's
    schema) those that differ from PLAIN.
    of: for a source that is derived from another set, that set's store. against: the stores named by `drop_duplicates_of`.
    root: the data root, where downloaded and own files lie. report: where files that cannot be used are listed.
    may_be_missing: a set that cannot be had becomes an empty store that says why; otherwise raises Unavailable.
    """
    path = Path(path)
    report = Path(report) if report else path.with_suffix(".bad.csv")
    stores = {Path(other).stem: Path(other) for other in against}
    try:
        data = prepared(recipe, Path(of) if of else None, stores, Path(root).expanduser(), report)
    except Unavailable as error:
        if not may_be_missing:
            raise
        logging.warning("left out: %s", error)
        data = ImageSet({}, source=recipe["source"], licence="", sha256="", missing=str(error))
    store.write(path, data)
    return data
