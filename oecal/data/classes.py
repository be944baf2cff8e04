"""How a configuration names classes.

Without NumPy: the configuration is checked with it before any job starts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from oecal.core.components import explain_unknown
from oecal.core.errors import OecalError


def list_names(full: str) -> set[str]:
    """Return what a class may be called.

    "n04133789 sandal, flip-flop": in full, "n04133789", "sandal, flip-flop" and "sandal".
    """
    wnid, words = full.split(" ", 1) if re.match(r"n\d{8} ", full) else ("", full)
    return {full, wnid, words, words.split(",")[0]} - {""}


def find_class_numbers(wanted: Sequence[int | str], classes: Sequence[str], key: str) -> list[int]:
    """Return the numbers of classes that are given by number or name.

    Raise OecalError, naming the `key`, for one that is not there or ambiguous.
    """
    return [find_class_number(name, classes, key) for name in wanted]


def find_class_number(name: int | str, classes: Sequence[str], key: str) -> int:
    """Return the number of one class. Raise as `find_class_numbers`."""
    if not classes:
        raise OecalError(
            f"{key}: the data set has no labels, so there are no classes to choose from; remove "
            "this key"
        )
    if isinstance(name, int):
        if not 0 <= name < len(classes):
            raise OecalError(
                f"{key}: the data set has no class {name}; its classes are numbered from 0 to "
                f"{len(classes) - 1}"
            )
        return name
    exact = [n for n, full in enumerate(classes) if name == full]
    fits = exact or [n for n, full in enumerate(classes) if name in list_names(full)]
    if len(fits) > 1:
        raise OecalError(
            f"{key}: '{name}' could be {' or '.join(classes[n] for n in fits)}; use the full name"
        )
    if fits:
        return fits[0]
    if len(classes) <= 100:
        raise OecalError(f"{key}: {explain_unknown(name, classes)}")
    raise OecalError(
        f"{key}: the data set has no class '{name}'; expected the name or number of one of its "
        f"{len(classes)} classes"
    )
