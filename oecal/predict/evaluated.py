"""The evaluated sets of an in-distribution set: which images they are, in its format. No torch."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from oecal.core.errors import OecalError
from oecal.core.seeds import make_generator
from oecal.data import store
from oecal.data.corruptions import corrupt
from oecal.data.image_paths import FADING, STEPS, blend_towards
from oecal.data.preprocess import Format, adapt
from oecal.data.store import ImageSplit

# Auxiliary outliers of a set that are predicted: enough to choose a hyperparameter.
OUTLIERS = 1000


@dataclass(frozen=True)
class EvaluatedEntry:
    """One evaluated set of an in-distribution set, as `Study.sets` lists it."""

    name: str
    split: str
    role: str
    """one of oecal.core.roles"""
    dataset: str
    """the data set that its images are made from"""
    images: int = 0
    """of a corruption, an attack or a path: how many images, at most; 0: all"""
    corruption: str = ""
    severity: int = 0
    attack: str = ""
    """one of oecal.predict.adversarial"""
    levels: int = 0
    """by how much an attack may change each level"""
    up: bool = False
    """whether an attack raises the confidence or lowers it"""
    end: str = ""
    """of a path: the OOD set where it ends, or the way in which it fades"""

    @property
    def place(self) -> str:
        """The group of the set in files of outputs and scores, `{set}/{split}`."""
        return f"{self.name}/{self.split}"


@dataclass(frozen=True)
class EvaluatedSets:
    """All evaluated sets of an in-distribution set, and where their images are."""

    entries: Sequence[EvaluatedEntry]
    data: Mapping[str, str]
    """image store by data set"""
    in_dist: str
    interpolation: str
    """how images of another size are brought to that of the in-distribution set"""
    fit: str
    """what happens where the ratio of the sides differs (oecal.data.preprocess.adapt)"""
    train: int = 0
    """ID training images that are evaluated; 0: all"""
    may_be_missing: Collection[str] = ()
    """names of data sets that may have no images"""


def select_indices(n: int, at_most: int, *purpose: object) -> np.ndarray:
    """Return the indices of at most `at_most` of n images, ascending; 0 means all.

    They are drawn at random, but are the same ones for each run with the same `purpose`.
    """
    if not 0 < at_most < n:
        return np.arange(n)
    return np.sort(make_generator("drawn", *purpose).permutation(n)[:at_most])


def select_images(split: ImageSplit, at_most: int, *purpose: object) -> ImageSplit:
    """Return the images of `select_indices`, with their labels."""
    index = select_indices(len(split.images), at_most, *purpose)
    return ImageSplit(split.images[index], split.labels[index])


def read_images(
    entry: EvaluatedEntry, data: Mapping[str, str], form: Format, classes: int, train: int = 0
) -> ImageSplit:
    """Return the images and labels of one evaluated set, corrupted if the entry says so.

    data: image store by data set; form: the in-distribution set's; train: at most so many ID
    training images, 0: all. Raises OecalError for a set without images, or for a shift whose labels
    are not the in-distribution set's classes.
    """
    path = data[entry.dataset]
    split = store.read_split(path, entry.split)
    if not len(split.images):
        raise OecalError(
            f"{path}: has no images in '{entry.split}'; remove this data set, or choose other "
            "classes"
        )
    if entry.role == "shift" and not (split.labels.min() >= 0 and split.labels.max() < classes):
        raise OecalError(
            f"{path}: as a shift, it needs the {classes} classes of the in-distribution set, "
            f"labelled 0 to {classes - 1}; list them under its key classes, or remove it from shift"
        )
    if entry.split == "train":
        most = OUTLIERS if entry.role == "outlier" else train
        split = select_images(split, most, "train", entry.dataset)
    if entry.role == "path":
        return read_path(entry, split, data, form)
    if entry.role in ("corruption", "attack"):
        split = select_images(split, entry.images, entry.role, entry.dataset)
    images = adapt(split.images, form.shape, form.interpolation, form.fit)
    if entry.role == "corruption":
        images = corrupt(images, entry.corruption, entry.severity)
    return ImageSplit(images, split.labels)


def read_path(
    entry: EvaluatedEntry, split: ImageSplit, data: Mapping[str, str], form: Format
) -> ImageSplit:
    """Return the images along paths (oecal.data.image_paths), with the labels of their starts.

    Each leads from one of the ID images in `split` to an image of the set `entry.end`, or fades;
    there are `entry.images` paths, or fewer where there are not so many images.
    """
    most, end = entry.images, entry.end
    if end not in FADING:
        others = store.read_split(data[end], "test").images
        index = select_indices(len(others), most, "path", end)
        ends = adapt(others[index], form.shape, form.interpolation, form.fit)
        most = min(most, len(ends))
    start = select_images(split, most, "path", entry.dataset)
    starts = adapt(start.images, form.shape, form.interpolation, form.fit)
    images = FADING[end](starts) if end in FADING else blend_towards(starts, ends[: len(starts)])
    return ImageSplit(images, np.repeat(start.labels, STEPS))


def read_sets(sets: EvaluatedSets) -> Iterator[tuple[EvaluatedEntry, ImageSplit]]:
    """Yield each entry that can be had, with its images, and show a progress bar.

    The images of an attack are those that it starts from.
    """
    shape = store.read_split(sets.data[sets.in_dist], "test").images.shape[1:]
    form = Format(shape, sets.interpolation, sets.fit)
    classes = len(store.read_metadata(sets.data[sets.in_dist]).classes)
    available = store.list_available(sets.data.values(), sets.may_be_missing)
    missing = {name for name, path in sets.data.items() if path not in available}
    entries = [e for e in sets.entries if not missing & {e.dataset, e.end}]
    for entry in tqdm(entries, desc="sets", leave=False, disable=None):
        yield entry, read_images(entry, sets.data, form, classes, sets.train)
