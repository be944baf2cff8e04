"""What a job spends on each of its parts.

It is a CSV file of its own: times are never the same twice, while results are.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from oecal.core.files import replacing

MIB = 2**20


@dataclass
class Cost:
    """Images, wall time and memory of one part, over all its blocks."""

    images: int = 0
    seconds: float = 0.0
    peak_mb: float = 0.0

    @contextmanager
    def measured(
        self, images: int, reset: Callable[[], None], peak: Callable[[], float]
    ) -> Iterator[None]:
        """Add images and wall time of the block, and keep the peak of its memory.

        That is in MiB, above what was in use before. peak: the highest memory since the last
        `reset`, bytes.
        """
        reset()
        before, start = peak(), time.perf_counter()
        yield
        highest = peak()
        self.images += images
        self.seconds += time.perf_counter() - start
        self.peak_mb = max(self.peak_mb, (highest - before) / MIB)


def write_costs(path: str, column: str, costs: Mapping[str, Cost]) -> None:
    """Write a row for each part: its name (in `column`), images, seconds, peak_mb."""
    with replacing(path) as temporary, open(temporary, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column, "images", "seconds", "peak_mb"])
        writer.writerows(
            [name, c.images, f"{c.seconds:.6f}", f"{c.peak_mb:.3f}"] for name, c in costs.items()
        )
