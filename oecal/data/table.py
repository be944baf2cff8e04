"""The table of published data sets, `published.yaml`; its head describes the keys.

And which of their classes overlap, `overlaps.yaml`.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster, where PyYAML has it
ITSELF = "itself"  # under `drop_duplicates_of`: the set's own images
DECIDES_NOTHING = {"title", "licence", "citation", "page", "mirrors", "get", "note"}


@functools.cache
def load_published_sets() -> dict[str, dict[str, Any]]:
    """The entries by name."""
    entries: dict[str, dict[str, Any]] = yaml.load((FOLDER / "published.yaml").read_text(), LOADER)
    return entries


@functools.cache
def load_overlaps() -> dict[str, dict[str, list[str]]]:
    """In-distribution set -> other set -> the classes of the other set that show what the first one shows."""
    shared: dict[str, dict[str, list[str]]] = yaml.load(
        (FOLDER / "overlaps.yaml").read_text(), LOADER
    )
    return shared


def select_deciding_keys(name: str) -> dict[str, Any]:
    """What of an entry decides the images: a change of anything else, such as a mirror, builds nothing again.

    Title, citation and licence stand in a store as they were when it was built.
    """
    row = {
        key: value
        for key, value in load_published_sets()[name].items()
        if key not in DECIDES_NOTHING
    }
    return {
        **row,
        "files": {
            file: {k: v for k, v in about.items() if k != "urls"}
            for file, about in row["files"].items()
        },
    }
