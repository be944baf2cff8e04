"""`attacks.csv`: can an OOD image be made to look safe, and an ID image to raise an alarm, by moving each level a little?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from oecal.metrics.detection_metrics import auroc, compare_samples, count_sample
from oecal.runs.run_files import (
    RUN_COLUMNS,
    StoredRun,
    confidence_and_correctness,
    read_run,
    take_all,
)
from oecal.tables.rows import SCORES, frame

COLUMNS = [
    *RUN_COLUMNS,
    "attack",
    "levels",
    "set",
    "role",
    "score",
    "auroc",
    "mean_confidence",
    "accuracy",
    "n",
]
NAME = re.compile(r"(\w+)-(\d+)-(\w+)")  # of an attacked set: attack, levels, set


def rows(outputs: StoredRun, scores: StoredRun) -> Iterator[dict[str, Any]]:
    """A row for each attack, size, set and score; without an attack (none, 0), too."""
    inside, outside = scores.find("id"), scores.tests("near", "far")
    images = {g.set: g for g in outputs.groups if g.split == "test"}
    clean = [{"attack": "none", "levels": 0, "set": g.set, "from": g} for g in (inside, *outside)]
    moved = [
        {"attack": attack, "levels": int(levels), "set": name, "from": g}
        for g in scores.tests("attack")
        for attack, levels, name in NAME.findall(g.set)
    ]
    for one in [*clean, *moved]:
        group, own = one.pop("from"), one["set"] == inside.set
        confidence, correct = confidence_and_correctness([take_all(images[group.set])])
        about = {
            **one,
            "role": next(g.role for g in (inside, *outside) if g.set == one["set"]),
            "n": len(group),
        }
        about |= {
            "mean_confidence": confidence.mean(),
            "accuracy": correct.mean() if own else np.nan,
        }
        for score in (name for name in SCORES if name in group.arrays):
            here = count_sample(group[score], score)
            against = [count_sample(g[score], score) for g in (outside if own else [inside])]
            found = [
                auroc((compare_samples(here, other) if own else compare_samples(other, here)).ood)
                for other in against
            ]
            yield {**about, "score": score, "auroc": np.mean(found)}


def compute_table(
    outputs: Sequence[str], scores: Sequence[str], options: Mapping[str, Any]
) -> pd.DataFrame:
    """A row for each classifier run with attacks (oecal.predict.adversarial), attack, size, set and score. outputs, scores: in the same order.

    levels: how far each level was moved at most; attack none: the sets as they are. auroc: of a
    near or far OOD set, moved to more confidence, against the clean ID test images; of the ID
    images, moved to less confidence, the mean over these OOD sets, clean. The attacks are against
    the confidence (MSP): what they do to another score, they do by the way. accuracy: of ID images.
    """
    found = []
    for output, scored in zip(outputs, scores, strict=True):
        values = read_run(scored, *SCORES)
        if values.tests("attack"):
            source = read_run(output, "logits", "labels")
            found += [{**values.key, **row} for row in rows(source, values)]
    return frame(found, COLUMNS, outputs)
