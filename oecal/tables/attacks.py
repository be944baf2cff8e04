"""`attacks.csv`: what small, targeted changes of the images do to detection and confidence.

An attack moves each grey level a little: OOD images towards more confidence, so that they look
safe, and ID images towards less, so that they raise an alarm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

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
from oecal.tables.rows import COMMON_SCORES, make_table

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


def compute_rows(outputs: StoredRun, scores: StoredRun) -> Iterator[dict[str, object]]:
    """Yield a row per attack, size, set and score; clean images are the attack none of size 0."""
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
        for score in (name for name in COMMON_SCORES if name in group.arrays):
            here = count_sample(group[score], score)
            against = [count_sample(g[score], score) for g in (outside if own else [inside])]
            aurocs = [
                auroc((compare_samples(here, other) if own else compare_samples(other, here)).ood)
                for other in against
            ]
            yield {**about, "score": score, "auroc": np.mean(aurocs)}


def compute_table(outputs: Sequence[str], scores: Sequence[str]) -> pd.DataFrame:
    """One row per classifier run with attacks, attack, size, set and score.

    The attacks come from oecal.predict.adversarial; outputs and scores are in the same order.

    levels: how far each grey level was moved at most; attack none: the images as they are. auroc:
    of a near or far OOD set, moved to more confidence, against the clean ID test images; of the ID
    images, moved to less confidence, the mean over these OOD sets, clean. The attacks aim at the
    confidence (MSP); what they do to another score is a side effect. accuracy: of ID images.
    """
    rows = []
    for output, scored in zip(outputs, scores, strict=True):
        values = read_run(scored, *COMMON_SCORES)
        if values.tests("attack"):
            source = read_run(output, "logits", "labels")
            rows += [{**values.key, **row} for row in compute_rows(source, values)]
    return make_table(rows, COLUMNS, outputs)
