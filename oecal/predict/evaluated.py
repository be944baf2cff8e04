"""The evaluated sets of an in-distribution set: which images they are, in its format. No torch."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from oecal.core.errors import OecalError
from oecal.core.seeds import make_generator
from oecal.data import store
from oecal.data.corruptions import corrupt
from oecal.data.image_paths import FADING, STEPS, blend_towards
from oecal.data.preprocess import adapt
from oecal.data.store import ImageSplit

OUTLIERS = 1000  # auxiliary outliers of a set that are predicted: enough to choose a hyperparameter


def select_indices(n: int, at_most: int, *purpose: object) -> np.ndarray:
    """Indices of at most `at_most` of n images, at random, the same ones for each run, ascending; 0 means all."""
    return (
        np.arange(n)
        if not 0 < at_most < n
        else np.sort(make_generator("drawn", *purpose).permutation(n)[:at_most])
    )


def read_images(
    entry: Mapping[str, Any],
    data: Mapping[str, str],
    shape: tuple[int, int, int],
    classes: int,
    how: Mapping[str, Any],
    train: int = 0,
) -> ImageSplit:
    """The images and labels of one evaluated set, in the in-distribution set's format, corrupted if the entry says so.

    how: interpolation and fit with which another format is brought to `shape`; train: at most so
    many ID training images, 0: all.
    """
    path = data[entry["dataset"]]
    split = store.read_split(path, entry["split"])
    if not len(split.images):
        raise OecalError(
            f"{path}: has no images in '{entry['split']}'; leave this set out, or choose other classes"
        )
    if entry["role"] == "shift" and not (split.labels.min() >= 0 and split.labels.max() < classes):
        raise OecalError(
            f"{path}: as a shift it needs the {classes} classes of the in-distribution set, labelled 0 to {classes - 1}; "
            "write these under its classes, or leave it out"
        )
    if entry["split"] == "train":
        most = OUTLIERS if entry["role"] == "outlier" else train
        chosen = select_indices(len(split.images), most, "train", entry["dataset"])
        split = ImageSplit(split.images[chosen], split.labels[chosen])
    if entry["role"] == "path":
        return read_path(entry, split, data, shape, how)
    if entry["role"] in ("corruption", "attack"):
        chosen = select_indices(len(split.images), entry["images"], entry["role"], entry["dataset"])
        split = ImageSplit(split.images[chosen], split.labels[chosen])
    images = adapt(split.images, shape, how["interpolation"], how["fit"])
    if entry["role"] == "corruption":
        images = corrupt(images, entry["corruption"], entry["severity"])
    return ImageSplit(images, split.labels)


def read_path(
    entry: Mapping[str, Any],
    split: ImageSplit,
    data: Mapping[str, str],
    shape: tuple[int, int, int],
    how: Mapping[str, Any],
) -> ImageSplit:
    """The images along a path (oecal.data.image_paths) of `images` ID images to as many of the set `end`, or fading; labels: of the start."""
    most, end = entry["images"], entry["end"]
    if end not in FADING:
        others = store.read_split(data[end], "test").images
        ends = adapt(
            others[select_indices(len(others), most, "path", end)],
            shape,
            how["interpolation"],
            how["fit"],
        )
        most = min(most, len(ends))
    chosen = select_indices(len(split.images), most, "path", entry["dataset"])
    starts = adapt(split.images[chosen], shape, how["interpolation"], how["fit"])
    images = FADING[end](starts) if end in FADING else blend_towards(starts, ends[: len(starts)])
    return ImageSplit(images, np.repeat(split.labels[chosen], STEPS))


def read_sets(
    sets: Sequence[Mapping[str, Any]],
    data: Mapping[str, str],
    in_dist: str,
    how: Mapping[str, Any],
    train: int,
    may_be_missing: Collection[str],
) -> Iterator[tuple[Mapping[str, Any], ImageSplit]]:
    """Each entry of `sets` that can be had, and its images; a progress bar.

    The images of an attack are those that it starts from.

    sets: name, split, role, dataset (and corruption, severity, images; end, images; attack, levels,
    up, images); data: image store by data set; in_dist: the in-distribution set.
    """
    shape = store.read_split(data[in_dist], "test").images.shape[1:]
    classes = len(store.read_metadata(data[in_dist]).classes)
    there = store.list_available(data.values(), may_be_missing)
    missing = {name for name, path in data.items() if path not in there}
    can = [e for e in sets if not missing & {e["dataset"], e.get("end")}]
    for entry in tqdm(can, desc="sets", leave=False, disable=None):
        yield entry, read_images(entry, data, shape, classes, how, train)
