"""Random splits of a run's images into validation and test, the same ones for each run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from oecal.core.seeds import make_generator


@dataclass(frozen=True)
class ValTestSplit:
    """One random split of a run's images into validation and test, as indices.

    val, test: into the ID pool; outliers: into all OOD images, one set after the other; arriving:
    into each OOD set.
    """

    val: np.ndarray
    test: np.ndarray
    outliers: np.ndarray
    arriving: list[np.ndarray]


def draw_split(number: int, val: int, test: int, sizes: Sequence[int]) -> ValTestSplit:
    """Draw the split of this number, the same one for each run.

    val, test: the numbers of ID images; sizes: of images of each OOD set, which is split into
    halves. From the first halves, as many images as the smallest one has are taken from each set,
    in random order, for `oecal.runs.thresholds.pool_at_rate` to draw from.
    """
    rng = make_generator("resampled", number)
    inside = rng.permutation(val + test)
    orders = [rng.permutation(size) for size in sizes]
    each = min(sizes, default=0) // 2
    starts = np.cumsum([0, *sizes])
    outliers = np.concatenate(
        [
            np.zeros(0, int),
            *(start + order[:each] for start, order in zip(starts, orders, strict=False)),
        ]
    )
    return ValTestSplit(
        inside[:val],
        inside[val:],
        rng.permutation(outliers),
        [order[len(order) // 2 :] for order in orders],
    )
