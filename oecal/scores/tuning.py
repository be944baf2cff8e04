"""Choose a score's hyperparameters, on ID validation images against auxiliary outliers.

No test set is ever looked at.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

import numpy as np

from oecal.metrics.detection_metrics import auroc, compare_samples, count_sample
from oecal.scores.catalogue import Score


def rate_separation(inside: np.ndarray, outside: np.ndarray) -> float:
    """Return the AUROC of `outside` against `inside`, or -1 if a value is not finite.

    >>> rate_separation(np.array([1, 2]), np.array([2, 3]))
    0.875
    """
    if not (np.isfinite(inside).all() and np.isfinite(outside).all()):
        return -1.0
    return auroc(compare_samples(count_sample(inside, "ID"), count_sample(outside, "OOD")).ood)


def choose_options(
    score: Score,
    function: Callable[..., np.ndarray],
    inside: Mapping[str, np.ndarray],
    outside: Mapping[str, np.ndarray],
) -> dict[str, object]:
    """Return the options of a score with the highest AUROC of `outside` against `inside`.

    inside, outside: the score's arguments for ID validation images and for auxiliary outliers. All
    combinations of the score's grids are tried. The default stays where none is better; values that
    are not finite lose.
    """
    combinations = [
        score.options | dict(zip(score.grids, values, strict=True))
        for values in itertools.product(*score.grids.values())
    ]
    candidates = [score.options, *(c for c in combinations if c != score.options)]
    # All candidates for the same images in a row: what a score fits to images, such as their
    # nearest neighbours, is then computed once.
    low, high = (
        [np.asarray(function(**arguments, **options), np.float64) for options in candidates]
        for arguments in (inside, outside)
    )
    ratings = [rate_separation(*pair) for pair in zip(low, high, strict=True)]
    return candidates[int(np.argmax(ratings))]  # the first of the best
