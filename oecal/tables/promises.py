"""`promises.csv`: what each threshold promised, and the rates it achieved on test images.

The test images had no part in the choice of the threshold.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import pandas as pd

from oecal.core.roles import OOD
from oecal.metrics.guarantees import clopper_pearson
from oecal.runs.run_files import (
    RUN_COLUMNS,
    StoredSet,
    find_errors,
    list_complete_scores,
    read_run,
)
from oecal.runs.thresholds import Guarantee
from oecal.tables.rows import make_table

COLUMNS = [
    *RUN_COLUMNS,
    "promise",
    "kind",
    "level",
    "confidence",
    "ood_rate",
    "score",
    "set",
    "threshold",
    "promised",
    "realised",
    "low",
    "high",
    "kept",
    "coverage",
    "ood_accepted",
    "n",
]

WHOLE = ("id", "pooled")  # the sets that a promise is about; others are single OOD sets


def measure_rejection(accepted: np.ndarray) -> dict[str, float]:
    """Compute the share of ID images that are rejected; accepted: (N,) bool.

    low, high: its Clopper-Pearson interval at 95%.
    """
    n, k = len(accepted), int(np.count_nonzero(~accepted))
    low, high = clopper_pearson(k, n, 0.975)
    return {"realised": k / n, "low": float(low), "high": float(high), "n": n}


def measure_errors(
    accepted: np.ndarray, wrong: np.ndarray, others: Sequence[np.ndarray], rate: float
) -> dict[str, float]:
    """Compute the share of errors among accepted images where a share r of the images is OOD.

    accepted, wrong: (N,) bool of ID images; others: accepted, bool, of each OOD set; OOD images
    come from each set in equal parts, and all of them are errors. With a = P(ID accepted and
    wrong), c = P(ID accepted), o = P(OOD accepted): R = [(1 - r) a + r o] / [(1 - r) c + r o],
    weighted rather than subsampled. low, high: at 95%; without OOD images Clopper-Pearson of the
    errors among the accepted; with them by the delta method, with half an image added to each count
    so that a rate of 0 has an interval too. All nan if nothing is accepted.
    """
    from scipy.special import ndtri

    n, k, errors = (
        len(accepted),
        int(np.count_nonzero(accepted)),
        int(np.count_nonzero(accepted & wrong)),
    )
    sizes, counts = (
        np.array([len(o) for o in others]),
        np.array([np.count_nonzero(o) for o in others]),
    )
    total = n + int(sizes.sum())
    if k + counts.sum() == 0:
        return {"realised": np.nan, "low": np.nan, "high": np.nan, "n": total}
    if not len(others):
        low, high = clopper_pearson(errors, k, 0.975)
        return {"realised": errors / k, "low": float(low), "high": float(high), "n": total}
    o = (counts / sizes).mean()
    realised = ((1 - rate) * errors / n + rate * o) / ((1 - rate) * k / n + rate * o)
    a, c, each = (errors + 0.5) / (n + 1), (k + 0.5) / (n + 1), (counts + 0.5) / (sizes + 1)
    below = (1 - rate) * c + rate * each.mean()
    ratio = ((1 - rate) * a + rate * each.mean()) / below
    inside = (
        a * (1 - ratio) ** 2 + max(c - a, 0.0) * ratio**2 - (a - ratio * c) ** 2
    )  # variance of accepted * (wrong - R)
    outside = (1 - ratio) ** 2 * (each * (1 - each) / sizes).sum() / len(sizes) ** 2
    half = ndtri(0.975) * np.sqrt((1 - rate) ** 2 * inside / n + rate**2 * outside) / below
    return {
        "realised": realised,
        "low": max(realised - half, 0.0),
        "high": min(realised + half, 1.0),
        "n": total,
    }


def judge_threshold(
    guarantee: Guarantee,
    score: str,
    limit: float | None,
    inside: StoredSet,
    outside: Sequence[StoredSet],
    wrong: np.ndarray,
) -> list[dict[str, object]]:
    """Compute the rows of one threshold, one per set.

    The set is `id`, or, for a promise about OOD images, `pooled` and each OOD set by itself.
    """
    threshold = -np.inf if limit is None else limit
    accepted, others = inside[score] <= threshold, {g.set: g[score] <= threshold for g in outside}
    rows = []
    if guarantee.kind == "reject":
        sets: dict[str, list[np.ndarray]] = {"id": []}
    elif guarantee.ood_rate > 0:
        sets = {
            "pooled": list(others.values()),
            **{name: [values] for name, values in others.items()},
        }
    else:
        sets = {"id": []}
    for name, parts in sets.items():
        measured = (
            measure_rejection(accepted)
            if guarantee.kind == "reject"
            else measure_errors(accepted, wrong, parts, guarantee.ood_rate)
        )
        shown = parts or list(others.values())
        rows.append(
            {
                "set": name,
                "threshold": np.nan if limit is None else limit,
                "promised": guarantee.level,
                **measured,
                "kept": not measured["realised"] > guarantee.level,
                "coverage": accepted.mean(),
                "ood_accepted": np.mean([part.mean() for part in shown]) if shown else np.nan,
            }
        )
    return rows


def compute_table(
    thresholds: Sequence[str],
    outputs: Sequence[str],
    scores: Sequence[str],
) -> pd.DataFrame:
    """One row per run, promise, score and set.

    thresholds, outputs, scores: paths, in the same order of runs.

    set: `id`; of an error promise with OOD images `pooled`, all OOD test sets in equal shares, and
    each of them by itself. threshold: nan if there is none. realised: share rejected, or share of
    errors among the accepted (nan, and kept, if nothing is accepted); low, high: its 95% interval;
    kept: realised <= promised. coverage: share of ID images that are accepted; ood_accepted: mean
    share over the row's OOD sets, of the set `id` over all; n: test images.
    """
    rows = []
    for path, output, scored in zip(thresholds, outputs, scores, strict=True):
        run, values = read_run(output, "logits", "labels", "log_likelihood"), read_run(scored)
        inside, outside = values.find("id"), values.tests(*OOD)
        usable, wrong = list_complete_scores(run, [inside, *outside]), find_errors(run.find("id"))
        for name, promise in json.loads(Path(path).read_text())["promises"].items():
            guarantee = Guarantee(
                **{field.name: promise[field.name] for field in fields(Guarantee)}
            )
            about = {
                **run.key,
                "promise": name,
                **asdict(guarantee),
            }
            for score, chosen in promise["scores"].items():
                if score in usable:
                    rows += [
                        {**about, "score": score, **row}
                        for row in judge_threshold(
                            guarantee, score, chosen["threshold"], inside, outside, wrong
                        )
                    ]
    return make_table(rows, COLUMNS, outputs)
