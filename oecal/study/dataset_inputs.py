"""What the job of a data set is computed from: files, for the rule's inputs, and components."""

from __future__ import annotations

import os.path
from pathlib import Path

from oecal.core.options import read_option
from oecal.study.dataset_entries import Dataset
from oecal.study.run_inputs import list_stores


def find_source_store(dataset: Dataset) -> str | list[str]:
    """Return the image store that a data set is made from; [] if it is made from none."""
    return list_stores(dataset.made_of)[0] if dataset.made_of else []


def list_compared(dataset: Dataset) -> list[str]:
    """List the image stores whose images are left out of a data set."""
    return list_stores(dataset.compared_with)


def list_own_files(dataset: Dataset, root: str) -> list[Path]:
    """List a user's own file, or a user's own folder and all folders below it.

    So a file that is added or removed there builds the set again. Empty if there is nothing at the
    path; the job says so.
    """
    own = read_option(dataset.options, "path")
    path = Path(os.path.expanduser(root)) / os.path.expanduser(str(own or ""))
    if own is None or not path.exists():
        return []
    return [path, *(below for below in sorted(path.rglob("*/")) if below.is_dir())]


def list_reader_components(dataset: Dataset) -> dict[str, list[str]]:
    """Name the source of a data set, and its format if it is a published one."""
    reader = dataset.facts.get("format")
    return {"data": [dataset.source], "data.formats": [str(reader)] if reader else []}
