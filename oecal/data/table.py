"""The table of published data sets, `published.yaml`, and their overlapping classes."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import NotRequired, TypedDict

import yaml

FOLDER = Path(__file__).parent
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster, where PyYAML has it
ITSELF = "itself"  # under `drop_duplicates_of`: the set's own images
NOT_DECIDING = {"title", "licence", "citation", "page", "mirrors", "get", "note"}


class PublishedFile(TypedDict, total=False):
    """What the table says of a file; the head of published.yaml describes the keys."""

    split: str
    size: int
    md5: str
    sha256: str
    unpacked: str
    urls: list[str]
    instead: dict[str, PublishedFile]
    needs: str


class PublishedSet(TypedDict):
    """An entry of the table; the head of published.yaml describes the keys."""

    title: str
    format: str
    images: dict[str, int]
    licence: str
    citation: str
    page: str
    folder: str
    files: dict[str, PublishedFile]
    shape: NotRequired[list[int]]
    classes: NotRequired[list[str]]
    version: NotRequired[str]
    transposed: NotRequired[bool]
    first_label: NotRequired[int]
    mirrors: NotRequired[list[str]]
    unpacked: NotRequired[dict[str, PublishedFile]]
    get: NotRequired[str]
    note: NotRequired[str]
    attribute: NotRequired[str]
    """not in the table: the option of that name, for the reader"""


@functools.cache
def load_published_sets() -> dict[str, PublishedSet]:
    """Return the entries of published.yaml by name."""
    entries: dict[str, PublishedSet] = yaml.load((FOLDER / "published.yaml").read_text(), LOADER)
    return entries


@functools.cache
def load_overlaps() -> dict[str, dict[str, list[str]]]:
    """Return {in-distribution set: {other set: classes that show what the first set shows}}."""
    shared: dict[str, dict[str, list[str]]] = yaml.load(
        (FOLDER / "overlaps.yaml").read_text(), LOADER
    )
    return shared


def select_deciding_keys(name: str) -> dict[str, object]:
    """Return what of an entry decides the images.

    A change of anything else, such as a mirror, builds nothing again; title, citation and licence
    stand in a store as they were when it was built.
    """
    row = load_published_sets()[name]
    return {
        **{key: value for key, value in row.items() if key not in NOT_DECIDING},
        "files": {
            file: {key: value for key, value in about.items() if key != "urls"}
            for file, about in row["files"].items()
        },
    }
