"""The entries under `datasets` of a configuration, checked as far as their sources tell without reading an image."""

from __future__ import annotations

import graphlib
from collections.abc import Collection, Mapping
from typing import Any

from oecal.core.components import check_options, explain_unknown, list_components
from oecal.core.errors import OecalError
from oecal.data.classes import find_class_numbers
from oecal.data.table import ITSELF, load_overlaps, load_published_sets, select_deciding_keys


def check_datasets(config: dict[str, Any], frame: Collection[str]) -> None:
    """Turns each entry into {source, options, facts, classes, ...}: all that decides the content of its image store.

    frame: the keys that an entry of any source can have. The sets that an entry is made of (`of`)
    or compared with (`drop_duplicates_of`) must be there and lead into no circle. Raises OecalError
    for the first mistake.
    """
    entries = config["datasets"]
    config["may_be_missing"] = [
        name for name, entry in entries.items() if entry["missing"] == "skip"
    ]
    for name, entry in entries.items():
        entries[name] = dataset(
            entry, {k: v for k, v in entry.items() if k not in frame}, f"datasets.{name}"
        )
    for name, entry in entries.items():
        for key, others in (("of", made_of(entry)), ("drop_duplicates_of", compared_with(entry))):
            if lost := [other for other in others if other not in entries]:
                raise OecalError(f"datasets.{name}.{key}: {explain_unknown(lost[0], entries)}")
    try:
        graphlib.TopologicalSorter(
            {n: made_of(e) + compared_with(e) for n, e in entries.items()}
        ).prepare()
    except graphlib.CycleError as error:
        circle = error.args[1][::-1]
        key = "of" if made_of(entries[circle[0]]) else "drop_duplicates_of"
        raise OecalError(
            f"datasets.{circle[0]}.{key}: leads in a circle, {' -> '.join(circle)}; write a name outside of it"
        ) from None


def dataset(entry: Mapping[str, Any], given: Mapping[str, Any], place: str) -> dict[str, Any]:
    """One entry, checked; `given` are the options of its source."""
    source = entry["source"]
    if source in load_published_sets():
        if "name" in given:
            raise OecalError(
                f"{place}.name: the source {source} says which set it is; leave this key out"
            )
        source, given = "published", {"name": source, **given}
    if source not in list_components("data"):
        raise OecalError(
            f"{place}.source: {explain_unknown(source, [*list_components('data'), *load_published_sets()])}"
        )
    options = check_options("data", source, given, place)
    facts = published(entry, options, place) if source == "published" else {}
    dropped = list(entry.get("drop_classes", []))
    for other in entry.get("drop_overlap_with", []):
        dropped += overlap(options.get("name", source), other, f"{place}.drop_overlap_with")
    there = splits_of(source, options)
    if lost := [split for split in entry.get("at_most", {}) if split not in there]:
        raise OecalError(
            f"{place}.at_most: the set has no split '{lost[0]}' here; write one of: {', '.join(there)}"
        )
    return {
        "source": source,
        "options": options,
        "facts": facts,
        "classes": entry.get("classes", []),
        "drop_classes": dropped,
        "drop_duplicates_of": entry["drop_duplicates_of"],
        "duplicates": entry["duplicates"],
        "at_most": entry.get("at_most", {}),
        "format": entry.get("format", {}),
    }


def published(entry: Mapping[str, Any], options: Mapping[str, Any], place: str) -> dict[str, Any]:
    """What the table says of a published set that decides its images.

    Raises OecalError where the table contradicts the entry.
    """
    name = options["name"]
    if name not in load_published_sets():
        raise OecalError(f"{place}.name: {explain_unknown(name, load_published_sets())}")
    known = splits_of("published", {**options, "splits": []})
    if strange := [split for split in options["splits"] if split not in known]:
        raise OecalError(
            f"{place}.splits: {name} has no split '{strange[0]}'; write one or more of: {', '.join(known)}"
        )
    if "shape" not in load_published_sets()[name] and "format" not in entry:
        raise OecalError(
            f"{place}: the images of {name} differ in size; write, for example, format: {{size: 32, channels: 3}}"
        )
    if classes := load_published_sets()[name].get("classes"):
        try:
            for key in ("classes", "drop_classes"):
                find_class_numbers(entry.get(key, []), classes, key)
        except OecalError as error:
            raise OecalError(f"{place}.{error}") from None
    return select_deciding_keys(name)


def splits_of(source: str, options: Mapping[str, Any]) -> list[str]:
    """The splits that a set of this source may have.

    Where only the images themselves tell, all three.
    """
    if source in ("noise", "altered"):
        return [options.get("split", "test")]
    if source == "published":
        images = load_published_sets()[options["name"]]["images"]
        held_out = (
            ["val"] if "train" in images and "val" not in images and options["val_share"] else []
        )
        return options["splits"] or [*images, *held_out]
    own = options.get("splits")
    return [own] if own in ("train", "test") else ["train", "val", "test"]


def overlap(source: str, other: str, place: str) -> list[str]:
    """The classes of a published set that show what another one shows."""
    listed = load_overlaps()
    if other not in listed:
        raise OecalError(f"{place}: {explain_unknown(other, listed)}")
    if source not in listed[other]:
        raise OecalError(
            f"{place}: no list of classes of {source} that overlap with {other}; write their names under drop_classes"
        )
    return listed[other][source]


def made_of(entry: Mapping[str, Any]) -> list[str]:
    """The data set that this one is derived from, if any."""
    return [entry["options"]["of"]] if "of" in entry["options"] else []


def compared_with(entry: Mapping[str, Any]) -> list[str]:
    """The other data sets whose images are left out of this one."""
    return [other for other in entry["drop_duplicates_of"] if other != ITSELF]
