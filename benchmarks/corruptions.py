"""Speed of the corruptions, in one process on one core.

Prints seconds for 1,000 RGB images of 32 x 32, mean over the five severities.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")  # before NumPy is imported

import time

import numpy as np

from oecal.data.corruptions import FAMILIES, SEVERITIES, corrupt


def main() -> None:
    images = np.random.default_rng(0).integers(0, 256, (1000, 3, 32, 32), np.uint8)
    print("\nCorruptions, 1,000 RGB images of 32 x 32")
    for family, names in FAMILIES.items():
        for name in names:
            start = time.perf_counter()
            for severity in SEVERITIES:
                corrupt(images, name, severity)
            seconds = (time.perf_counter() - start) / len(SEVERITIES)
            print(f"  {family:10s} {name:20s} {seconds:6.2f} s")


if __name__ == "__main__":
    main()
