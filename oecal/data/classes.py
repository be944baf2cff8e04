"""How a configuration names classes.

Without NumPy: the configuration is checked with it before any job starts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from oecal.core.components import explain_unknown
from oecal.core.errors import OecalError


def names_of(full: str) -> set[str]:
    """What a class may be called.

    "n04133789 sandal, flip-flop": in full, "n04133789", "sandal, flip-flop" and "sandal".
    """
    wnid, words = full.split(" ", 1) if re.match(r"n\d{8} ", full) else ("", full)
    return {full, wnid, words, words.split(",")[0]} - {""}


def find_class_numbers(wanted: Sequence[int | str], classes: Sequence[str], key: str) -> list[int]:
    """The numbers of classes that are given by number or name.

    Raises OecalError for one that is not there or ambiguous.
    """
    found = []
    for name in wanted:
        if not classes:
            raise OecalError(
                f"{key}: the set has no labels, so no classes to choose from; leave this key out"
            )
        exact = [n for n, full in enumerate(classes) if name == full]
        fits = (
            [name]
            if isinstance(name, int)
            else exact or [n for n, full in enumerate(classes) if name in names_of(full)]
        )
        if isinstance(name, int) and not 0 <= name < len(classes):
            raise OecalError(
                f"{key}: the set has no class {name}; write numbers from 0 to {len(classes) - 1}"
            )
        if len(fits) > 1:
            raise OecalError(
                f"{key}: '{name}' may be {' or '.join(classes[n] for n in fits)}; write one of them in full"
            )
        if not fits:
            many = f"the set has no class '{name}'; write the name or number of one of its {len(classes)} classes"
            known = explain_unknown(name, classes) if len(classes) <= 100 else many
            raise OecalError(f"{key}: {known}")
        found.append(fits[0])
    return found
