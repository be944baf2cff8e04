"""Builds one data set of the configuration: its source, then its choice of classes."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from oecal.data import store
from oecal.data.store import UNLABELLED, ImageSet, Split
from oecal.errors import OecalError
from oecal.options import made


def keep_classes(data: ImageSet, classes: Sequence[int]) -> ImageSet:
    """The images of these classes only, relabelled 0, 1, ... in the given order. Raises OecalError if the set lacks one of them."""
    if lost := [c for c in classes if not 0 <= c < len(data.classes)]:
        raise OecalError(f"classes: the set has no class {lost[0]}; write numbers from 0 to {len(data.classes) - 1}")
    new = np.full(len(data.classes) + 1, UNLABELLED, np.int64)  # the last entry serves the label -1
    new[list(classes)] = np.arange(len(classes))
    splits = {}
    for name, split in data.splits.items():
        labels = new[split.labels]
        splits[name] = Split(split.images[labels != UNLABELLED], labels[labels != UNLABELLED])
    return dataclasses.replace(data, splits=splits, classes=tuple(data.classes[c] for c in classes))


def build(recipe: Mapping[str, Any], of: str | Path | None, path: str | Path) -> ImageSet:
    """Builds the set of a checked `recipe` and writes it to `path`.

    recipe: source (a file name in oecal/data), options (its own), classes (numbers to keep, or none: all).
    of: for a source that is derived from another set, that set's file.
    """
    source = importlib.import_module(f"oecal.data.{recipe['source']}")
    options = made(source.Options, recipe["options"])
    data = source.build(options, store.read(of, "test")) if of else source.build(options)
    if recipe.get("classes"):
        data = keep_classes(data, recipe["classes"])
    store.write(path, data)
    return data
