"""The entries under `datasets`, checked as far as their sources tell without reading an image."""

from __future__ import annotations

import dataclasses
import graphlib
from collections.abc import Hashable, Mapping
from typing import Annotated, Literal

from annotated_types import Ge, Le
from pydantic import ConfigDict, Field

from oecal.core.components import explain_unknown, list_components
from oecal.core.errors import OecalError
from oecal.core.options import check_options, options_to_plain, read_option
from oecal.data.classes import find_class_numbers
from oecal.data.table import ITSELF, load_overlaps, load_published_sets, select_deciding_keys
from oecal.study.entry_types import (
    AtLeastOne,
    Class,
    ConfigEntry,
    Fit,
    Interpolation,
    Positive,
    Unique,
)


class StoreFormat(ConfigEntry):
    """Size and channels that images are brought to on their way into the store."""

    size: Annotated[int, Ge(4), Le(1024)]
    """height and width, pixels"""
    channels: Literal[1, 3] = 3
    """1: grey, 3: RGB"""
    fit: Fit = "stretch"
    """how another shape is fitted"""
    interpolation: Interpolation = "bilinear"
    """filter of the resizing"""


class AtMost(ConfigEntry):
    """The most images to use of each split."""

    train: Positive | None = None
    """training images"""
    val: Positive | None = None
    """validation images"""
    test: Positive | None = None
    """test images"""


class DatasetEntry(ConfigEntry):
    """A source with its options: keys other than those below go to the source."""

    model_config = ConfigDict(extra="allow")

    source: str
    """where the images come from: a file name in oecal/data (built-in images, or folder, npz and
    hdf5 for your own), or a published set, an entry of oecal/data/published.yaml"""
    classes: AtLeastOne[Class] | None = None
    """keep only these classes of a labelled set, by number or name, relabelled 0, 1, ... in this
    order"""
    drop_classes: AtLeastOne[Class] | None = None
    """leave these classes out, by number or name; tables/datasets.csv counts their images"""
    drop_overlap_with: Unique[str] = []
    """leave out the classes that show what these published sets show, as listed in
    oecal/data/overlaps.yaml"""
    drop_duplicates_of: Unique[str] = []
    """leave out images that stand in these data sets too, whatever the split; "itself" leaves out
    repeated images of this set"""
    duplicates: Literal["exact", "near"] = "near"
    """exact: the same pixels; near: the same but for compression or resizing (16x16 grey thumbnails
    within 5 levels)"""
    at_most: AtMost = Field(default_factory=AtMost)
    """use no more images than this of a split, drawn at random, classes in equal shares: {train:
    10000, test: 2000}"""
    format: StoreFormat | None = None
    """bring the images to this format on their way into the store; needed where they differ in
    size. Without it they keep theirs, and every evaluated set is brought to the in-distribution
    set's format later, by the same function"""
    missing: Literal["stop", "skip"] = "stop"
    """what to do if the set cannot be had (no file, no mirror): stop, or skip it with a warning in
    the report and in tables/datasets.csv"""


@dataclasses.dataclass(frozen=True)
class Dataset:
    """All that decides the content of a data set's image store.

    options: the source's `Options`; facts: what published.yaml says of a published set.
    """

    source: str
    options: object
    facts: Mapping[str, object]
    classes: list[Hashable]
    drop_classes: list[Hashable]
    drop_duplicates_of: list[str]
    duplicates: str
    at_most: dict[str, int]
    format: dict[str, int | str]

    @property
    def made_of(self) -> list[str]:
        """The data set that this one is derived from, if any."""
        of = read_option(self.options, "of")
        return [of] if of is not None else []

    @property
    def compared_with(self) -> list[str]:
        """The other data sets whose images are left out of this one."""
        return [other for other in self.drop_duplicates_of if other != ITSELF]

    @property
    def splits(self) -> list[str]:
        """The splits that the set may have; where only the images themselves tell, all three."""
        options = self.options
        if self.source in ("noise", "altered"):
            return [read_option(options, "split", "test")]
        if self.source == "published":
            return list(read_option(options, "splits")) or published_splits(options)
        own = read_option(options, "splits")
        return [own] if own in ("train", "test") else ["train", "val", "test"]

    @property
    def keeps_all(self) -> bool:
        """Whether no class and no duplicate is left out."""
        return not (self.classes or self.drop_classes or self.drop_duplicates_of)

    def is_reduced_from(self, whole: Dataset) -> bool:
        """Whether this is another set but for what is left out, while of that nothing is."""
        same = dataclasses.replace(
            self, drop_classes=[], drop_duplicates_of=[], duplicates=whole.duplicates
        )
        return same == whole and bool(self.drop_classes or self.drop_duplicates_of)

    def to_recipe(self) -> dict[str, object]:
        """The same as plain values: what the rule hands to its script."""
        plain = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {**plain, "options": options_to_plain(self.options)}


def resolve_datasets(entries: Mapping[str, DatasetEntry]) -> dict[str, Dataset]:
    """The data sets by name.

    The sets that one is made of (`of`) or compared with (`drop_duplicates_of`) must be there and
    lead into no circle. Raises OecalError for the first mistake.
    """
    datasets = {name: resolve_dataset(entry, f"datasets.{name}") for name, entry in entries.items()}
    for name, dataset in datasets.items():
        links = {"of": dataset.made_of, "drop_duplicates_of": dataset.compared_with}
        for key, others in links.items():
            if lost := [other for other in others if other not in datasets]:
                raise OecalError(f"datasets.{name}.{key}: {explain_unknown(lost[0], datasets)}")
    try:
        graphlib.TopologicalSorter(
            {name: [*d.made_of, *d.compared_with] for name, d in datasets.items()}
        ).prepare()
    except graphlib.CycleError as error:
        circle = error.args[1][::-1]
        key = "of" if datasets[circle[0]].made_of else "drop_duplicates_of"
        raise OecalError(
            f"datasets.{circle[0]}.{key}: found a cycle, {' -> '.join(circle)}; name another data "
            "set"
        ) from None
    return datasets


def resolve_dataset(entry: DatasetEntry, place: str) -> Dataset:
    """One data set of an entry. place: its key, for messages."""
    source, given = entry.source, dict(entry.model_extra or {})
    if source in load_published_sets():
        if "name" in given:
            raise OecalError(
                f"{place}.name: the source {source} already names the data set; remove this key"
            )
        source, given = "published", {"name": source, **given}
    if source not in list_components("data"):
        known = [*list_components("data"), *load_published_sets()]
        raise OecalError(f"{place}.source: {explain_unknown(source, known)}")
    options = check_options("data", source, given, place)
    facts = find_published_facts(entry, options, place) if source == "published" else {}
    dropped = list(entry.drop_classes or [])
    for other in entry.drop_overlap_with:
        name = read_option(options, "name", source)
        dropped += list_overlapping_classes(name, other, f"{place}.drop_overlap_with")
    dataset = Dataset(
        source=source,
        options=options,
        facts=facts,
        classes=list(entry.classes or []),
        drop_classes=dropped,
        drop_duplicates_of=entry.drop_duplicates_of,
        duplicates=entry.duplicates,
        at_most=entry.at_most.model_dump(exclude_none=True),
        format=entry.format.model_dump() if entry.format else {},
    )
    if lost := [split for split in dataset.at_most if split not in dataset.splits]:
        raise OecalError(
            f"{place}.at_most: the data set has no split '{lost[0]}'; use one or more of: "
            f"{', '.join(dataset.splits)}"
        )
    return dataset


def find_published_facts(entry: DatasetEntry, options: object, place: str) -> dict[str, object]:
    """What the table says of a published set that decides its images.

    Raises OecalError where the table contradicts the entry.
    """
    name, splits = read_option(options, "name"), read_option(options, "splits")
    if name not in load_published_sets():
        raise OecalError(f"{place}.name: {explain_unknown(name, load_published_sets())}")
    known = published_splits(options)
    if strange := [split for split in splits if split not in known]:
        raise OecalError(
            f"{place}.splits: {name} has no split '{strange[0]}'; use one or more of: "
            f"{', '.join(known)}"
        )
    if "shape" not in load_published_sets()[name] and entry.format is None:
        raise OecalError(
            f"{place}: the images of {name} differ in size; add, for example, "
            "format: {size: 32, channels: 3}"
        )
    if classes := load_published_sets()[name].get("classes"):
        try:
            for key in ("classes", "drop_classes"):
                find_class_numbers(getattr(entry, key) or [], classes, key)
        except OecalError as error:
            raise OecalError(f"{place}.{error}") from None
    return select_deciding_keys(name)


def published_splits(options: object) -> list[str]:
    """The splits of a published set as a whole; `val` if it is held out of train."""
    images = load_published_sets()[read_option(options, "name")]["images"]
    held_out = "train" in images and "val" not in images and read_option(options, "val_share")
    return [*images, *(["val"] if held_out else [])]


def list_overlapping_classes(source: str, other: str, place: str) -> list[Hashable]:
    """The classes of a published set that show what another one shows."""
    listed = load_overlaps()
    if other not in listed:
        raise OecalError(f"{place}: {explain_unknown(other, listed)}")
    if source not in listed[other]:
        raise OecalError(
            f"{place}: the classes of {source} that overlap with {other} are not known; list them "
            "under drop_classes"
        )
    return list(listed[other][source])
