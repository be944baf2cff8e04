"""The hyperparameters of a score: chosen on the in-distribution validation split against auxiliary outliers, never on a test set."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy.stats import rankdata

from oecal.scores.catalogue import Score


def auroc(inside: np.ndarray, outside: np.ndarray) -> float:
    """P(outside > inside) + P(outside = inside) / 2, from the ranks of both samples (Mann & Whitney 1947).

    >>> auroc(np.array([1, 2]), np.array([2, 3]))
    0.875
    """
    ranks = rankdata(np.concatenate([inside, outside]))[len(inside) :]
    return float((ranks.sum() / len(outside) - (len(outside) + 1) / 2) / len(inside))


def choose_options(
    found: Score,
    function: Callable[..., np.ndarray],
    inside: Mapping[str, np.ndarray],
    outside: Mapping[str, np.ndarray],
) -> dict[str, Any]:
    """The options of a score: of all combinations of its grids, the one with the highest AUROC of `outside` against `inside`.

    inside, outside: the score's arguments for ID validation images and for auxiliary outliers.
    Where the default is as good as the best, it stays. Values that are not finite lose.
    """
    each = [
        found.options | dict(zip(found.grids, values, strict=True))
        for values in itertools.product(*found.grids.values())
    ]
    tried = [found.options, *(options for options in each if options != found.options)]
    # All values for the same images one after the other: what a score fits to images, such as their
    # nearest neighbours, is done once.
    low, high = (
        [np.asarray(function(**arguments, **options), np.float64) for options in tried]
        for arguments in (inside, outside)
    )
    both = [
        auroc(a, b) if np.isfinite(a).all() and np.isfinite(b).all() else -1.0
        for a, b in zip(low, high, strict=True)
    ]
    return tried[int(np.argmax(both))]  # the first of the best
