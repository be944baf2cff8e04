"""Fits that several calls share: what a score learns from the training images, once for all evaluated sets of a run."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")


def is_same(a: Any, b: Any) -> bool:
    """Whether two arguments are the same array, or equal and no arrays."""
    return a is b or (not (isinstance(a, np.ndarray) or isinstance(b, np.ndarray)) and a == b)


def remember_fit(fit: Callable[..., T]) -> Callable[..., T]:
    """Decorator: remembers the last result, and gives it again for the very same arrays (the same objects, not equal ones).

    Arguments other than arrays are compared by value. The arrays must not be changed in place. Only
    one result is kept, so that the memory of one fit is all it takes.
    """
    last: list[tuple[tuple[Any, ...], T]] = []

    @functools.wraps(fit)
    def remembered(*arguments: Any) -> T:
        if not (
            last and len(last[0][0]) == len(arguments) and all(map(is_same, last[0][0], arguments))
        ):
            last[:] = [(arguments, fit(*arguments))]
        return last[0][1]

    return remembered
