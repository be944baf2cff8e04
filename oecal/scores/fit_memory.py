"""Fit once what a score learns from the training images, for all evaluated sets of a run."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def is_same(a: object, b: object) -> bool:
    """Return whether two arguments are the same array, or equal values that are not arrays."""
    return a is b or (not (isinstance(a, np.ndarray) or isinstance(b, np.ndarray)) and a == b)


def remember_fit(fit: Callable[..., T]) -> Callable[..., T]:
    """Decorate a fit so that it remembers its last result.

    A call with the very same arrays (the same objects, not equal ones) returns it again. Other
    arguments are compared by value. The arrays must not be changed in place. Only one result is
    kept, to take no more memory than one fit.
    """
    last: list[tuple[tuple[object, ...], T]] = []

    @functools.wraps(fit)
    def remembered(*arguments: object) -> T:
        if not (
            last and len(last[0][0]) == len(arguments) and all(map(is_same, last[0][0], arguments))
        ):
            last[:] = [(arguments, fit(*arguments))]
        return last[0][1]

    return remembered
