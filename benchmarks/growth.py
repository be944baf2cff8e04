"""How cost grows with the number of images, features, OOD sets and seeds.

Prints the exponent b of seconds = a n^b, fitted to four sizes: 1 is proportional, 0 does not grow,
and below 1 a fixed part still counts. Median of three times, on the CPU.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np

from benchmarks.timing import milliseconds
from oecal.metrics.calibration_metrics import bin_by_width, gap
from oecal.metrics.detection_metrics import detection_metrics
from oecal.scores.gaussian import mahalanobis
from oecal.scores.logits import energy
from oecal.scores.neighbours import knn
from oecal.scores.subspace import vim
from oecal.tables import detection, detection_intervals
from tests.run_files import written

CLASSES, DIMS, IMAGES, SETS = 10, 128, 5000, 4
RESAMPLES, RUNS = 200, 3

Arrays = dict[str, np.ndarray]


def print_growth(what: str, sizes: list[int], call: Callable[[int], Callable[[], object]]) -> None:
    """Time a call at each size and print the fitted exponent."""
    seconds = [
        milliseconds({what: call(size)}, RUNS, time.perf_counter)[what] / 1000 for size in sizes
    ]
    exponent = np.polyfit(np.log(sizes), np.log(seconds), 1)[0]
    measured = f"{sizes[0]:,} to {sizes[-1]:,}: {seconds[0]:.3f} to {seconds[-1]:.3f} s"
    print(f"  {what:50s} {exponent:5.2f}   {measured}")


def images(n: int, dims: int) -> Arrays:
    rng = np.random.default_rng(n)
    logits = rng.standard_normal((n, CLASSES), np.float32)
    return {
        "features": rng.random((n, dims), np.float32),
        "logits": logits,
        "labels": rng.integers(CLASSES, size=n),
    }


def copy_arrays(train: Arrays) -> Arrays:
    """Copy arrays, because the scores remember what they fitted to an array."""
    return {name: values.copy() for name, values in train.items()}


# Of test images, training images, and the last layer.
SCORES: dict[str, Callable[[Arrays, Arrays, Arrays], object]] = {
    "energy": lambda test, _, head: energy(test["logits"]),
    "mahalanobis": lambda test, train, head: mahalanobis(
        test["features"], train["features"], train["labels"]
    ),
    "knn": lambda test, train, head: knn(test["features"], train["features"]),
    "vim": lambda test, train, head: vim(
        test["logits"],
        test["features"],
        head["weight"],
        head["bias"],
        train["features"],
        train["logits"],
    ),
}


def score(name: str, n: int, dims: int) -> Callable[[], object]:
    train, test = images(n, dims), images(n // 2, dims)
    numbers = np.arange(CLASSES, dtype=np.float32)
    head = {"weight": np.tile(numbers[:, None], dims), "bias": np.zeros(CLASSES, np.float32)}
    return lambda: SCORES[name](test, copy_arrays(train), head)


def metrics(n: int) -> Callable[[], object]:
    rng = np.random.default_rng(0)
    inside, outside = rng.standard_normal(n), rng.standard_normal(n) + 1
    return lambda: detection_metrics(inside, outside)


def calibration(n: int) -> Callable[[], object]:
    rng = np.random.default_rng(0)
    confidence, right = rng.random(n), rng.random(n) < 0.5
    return lambda: gap(bin_by_width(confidence, right), 1)


def score_files(folder: Path, seeds: int, sets: int) -> list[str]:
    """Score files of one training, as the scoring jobs leave them: one score, so many OOD sets."""
    paths = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        places = {"digits/test": "id", **{f"set{n}/test": "far" for n in range(sets)}}
        groups = {
            place: (role, {"msp": rng.standard_normal(IMAGES) + (role == "far")})
            for place, role in places.items()
        }
        paths.append(written(folder / f"seed{seed}-{sets}.h5", groups, in_dist="digits", seed=seed))
    return paths


def main() -> None:
    print("\nSeconds grow as the number of ... to the power of")
    for name in SCORES:
        print_growth(
            f"images, score {name}, {DIMS} features",
            [4000, 8000, 16000, 32000],
            lambda n, name=name: score(name, n, DIMS),
        )
    for name in ("mahalanobis", "knn", "vim"):
        print_growth(
            f"features, score {name}, 8,000 images",
            [64, 128, 256, 512],
            lambda d, name=name: score(name, 8000, d),
        )
    print_growth("images, metrics of detection", [20_000, 40_000, 80_000, 160_000], metrics)
    print_growth("images, ECE", [50_000, 100_000, 200_000, 400_000], calibration)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sizes = [2, 4, 8, 16]
        for table, options in ((detection, {}), (detection_intervals, {"resamples": RESAMPLES})):
            title = table.__name__.rpartition(".")[2]

            def prepare(
                seeds: int, sets: int, table: ModuleType = table, options: dict[str, int] = options
            ) -> Callable[[], object]:
                files = score_files(folder, seeds, sets)
                return lambda: table.compute_table(files, **options)

            print_growth(
                f"OOD sets, table {title}", sizes, lambda n, prepare=prepare: prepare(1, n)
            )
            print_growth(
                f"seeds, table {title}", sizes, lambda n, prepare=prepare: prepare(n, SETS)
            )


if __name__ == "__main__":
    main()
