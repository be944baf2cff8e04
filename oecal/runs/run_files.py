"""Reads the files that predictions and scores leave behind.

Outputs, scores and statistics have the same groups `/{set}/{split}`. ID and OOD images are pooled
here and nowhere else, so that every table and figure means the same by it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from oecal.core import hdf5_files
from oecal.core.roles import OOD
from oecal.core.seeds import make_generator

RUN_COLUMNS = ("in_dist", "model", "training", "seed")


@dataclass(frozen=True)
class StoredSet:
    """One evaluated set and split of one run.

    role: id, near, far, synthetic, shift, corruption, ambiguous, path, attack, outlier.
    """

    set: str
    split: str
    role: str
    arrays: dict[str, np.ndarray]

    def __getitem__(self, name: str) -> np.ndarray:
        return self.arrays[name]

    def __len__(self) -> int:
        return max(
            map(len, self.arrays.values())
        )  # costly statistics are of part of the images only


@dataclass(frozen=True)
class StoredRun:
    """One run's file: its key, the kind of model, and its groups.

    key: in_dist, model, training, seed; of statistics in_dist alone. head: of a classifier's
    outputs the last layer, `head_weight` (K, D) and `head_bias` (K,); attributes: of the file.
    """

    key: dict[str, Any]
    kind: str
    dims: int
    groups: list[StoredSet]
    head: dict[str, np.ndarray]
    attributes: dict[str, Any] = field(default_factory=dict)

    def find(self, role: str, split: str = "test") -> StoredSet:
        """Return the only group of a role and split, such as ID val."""
        return next(g for g in self.groups if g.role == role and g.split == split)

    def tests(self, *roles: str) -> list[StoredSet]:
        """Return the test groups of these roles, in the configuration's order."""
        return [g for g in self.groups if g.role in roles and g.split == "test"]


def read_run(path: str | Path, *only: str) -> StoredRun:
    """Read a run's file; with `only`, just these arrays.

    Raises OecalError if the file is damaged.
    """
    with hdf5_files.reading(path) as file:
        key = {
            name: int(file.attrs[name]) if name == "seed" else file.attrs[name]
            for name in RUN_COLUMNS
            if name in file.attrs
        }
        groups = [
            StoredSet(
                place.split("/")[0],
                place.split("/")[1],
                file[place].attrs["role"],
                {n: d[:] for n, d in file[place].items() if not only or n in only},
            )
            for place in file.attrs["order"]
        ]
        head = (
            {f"head_{name}": values[:] for name, values in file["head"].items()}
            if "head" in file
            else {}
        )
        attributes = dict(file.attrs)
        return StoredRun(key, attributes["kind"], int(attributes["dims"]), groups, head, attributes)


def take_all(group: StoredSet) -> tuple[StoredSet, np.ndarray]:
    """Return a group and the indices of all its images."""
    return group, np.arange(len(group))


def find_errors(group: StoredSet) -> np.ndarray:
    """Return whether a classifier's prediction of each ID image is wrong, (N,) bool.

    A density model predicts nothing: then the array is empty.
    """
    return (
        group["logits"].argmax(axis=1) != group["labels"]
        if "logits" in group.arrays
        else np.zeros(0, bool)
    )


def list_complete_scores(outputs: StoredRun, groups: Sequence[StoredSet]) -> list[str]:
    """List the scores that each of these groups has for all its images.

    Costly scores are computed for part of the images; outputs, of the same run, has all of them.
    """
    sizes = {(g.set, g.split): len(g) for g in outputs.groups}
    return [
        name
        for name in groups[0].arrays
        if all(len(g.arrays.get(name, ())) == sizes[g.set, g.split] for g in groups)
    ]


def pool_test_images(run: StoredRun, ratio: float) -> list[tuple[StoredSet, np.ndarray]]:
    """Pool all ID test images with `ratio` times as many OOD test images.

    Returns pairs of a group and the indices taken from it. The OOD images come in equal shares from
    all OOD test sets, drawn without replacement, the same ones for each run. A set that is smaller
    than its share gives all that it has.
    """
    inside, outside = run.find("id"), run.tests(*OOD)
    share = int(np.ceil(ratio * len(inside) / max(len(outside), 1)))
    drawn = [
        (g, np.sort(make_generator("pool", g.set).permutation(len(g))[:share])) for g in outside
    ]
    return [take_all(inside), *drawn]


def share_equally(sizes: Sequence[int], total: int) -> np.ndarray:
    """Split `total` into numbers as equal as these sizes allow.

    Which of the equal numbers are one smaller is drawn at random, always alike.

    >>> share_equally([10, 2, 10], 12).tolist()
    [5, 2, 5]
    """
    held = np.asarray(sizes)
    level = int(
        np.searchsorted(np.minimum(held[:, None], np.arange(held.max() + 1)).sum(axis=0), total)
    )
    given: np.ndarray = np.minimum(held, level)
    given[
        make_generator("shares").permutation(np.flatnonzero(held >= level))[: given.sum() - total]
    ] -= 1
    return given


def largest_pool(inside: int, outside: int, rate: float) -> tuple[int, int]:
    """Return the numbers of ID and OOD images of the largest pool of which a share `rate` is OOD.

    inside, outside: how many there are.

    >>> largest_pool(90, 50, 0.25)
    (90, 30)
    """
    total = min(inside / (1 - rate), outside / rate) if rate > 0 else inside
    return round(total * (1 - rate)), round(total * rate)


def mix_at_rate(run: StoredRun, rate: float) -> list[tuple[StoredSet, np.ndarray]]:
    """Mix ID and OOD test images so that the share `rate`, in (0, 1), is OOD.

    Returns pairs of a group and the indices taken from it: all ID images, and at least one OOD
    image, in as equal shares as the sets allow; where there are too few OOD images, fewer ID
    images. Drawn without replacement, the same ones for each run. Numbers are whole, so the share
    is `rate` only nearly. Without OOD sets: ID alone.
    """
    inside, outside = run.find("id"), run.tests(*OOD)
    if not outside:
        return [take_all(inside)]
    sizes = [len(g) for g in outside]
    known, unknown = (max(n, 1) for n in largest_pool(len(inside), sum(sizes), rate))
    taken = [known, *share_equally(sizes, unknown)]
    return [
        (g, np.sort(make_generator("pool", g.set).permutation(len(g))[:n]))
        for g, n in zip([inside, *outside], taken, strict=True)
    ]


def confidence_and_correctness(
    parts: list[tuple[StoredSet, np.ndarray]],
    calibrated: Callable[[np.ndarray], np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Compute the largest probability and whether the prediction is right, (N,) each.

    OOD images count as wrong.

    calibrated: logits (N, K) to log probabilities (oecal.calibrators), by default their softmax.
    """
    from scipy.special import softmax

    confidence, correct = [], []
    for group, index in parts:
        logits = group["logits"][index].astype(np.float64)
        p = softmax(logits, axis=1) if calibrated is None else np.exp(calibrated(logits))
        predicted = logits.argmax(axis=1) if calibrated is None else p.argmax(axis=1)
        confidence.append(p[np.arange(len(logits)), predicted])
        right = predicted == group["labels"][index]
        correct.append(right & (group.role not in OOD))
    return np.concatenate(confidence), np.concatenate(correct)
