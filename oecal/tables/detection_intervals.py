"""`detection_intervals.csv`: bootstrap intervals of AUROC and FPR95 over test images, and of the differences to the first training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from oecal.core.roles import OOD
from oecal.core.seeds import make_generator
from oecal.metrics.detection_bootstrap import count_inside, resample_detection
from oecal.metrics.resamples import draw_weights, percentile_interval
from oecal.runs.run_files import RUN_COLUMNS, StoredRun, read_run
from oecal.tables.rows import SCORES, frame

COLUMNS = [
    *RUN_COLUMNS,
    "ood",
    "kind",
    "score",
    "metric",
    "value",
    "low",
    "high",
    "difference",
    "difference_low",
    "difference_high",
    "n_in",
    "n_out",
]
ALL = "all"  # the mean over the sets of a kind

Found = dict[
    tuple[str, str], dict[str, np.ndarray]
]  # set and kind: of each metric the value, then the resamples


def weights(name: str, n: int, resamples: int) -> np.ndarray:
    """Of the images of a set: at first each once, then the resamples, the same ones for each run and score; (N, 1 + B)."""
    return np.concatenate(
        [
            np.ones((n, 1), np.float32),
            draw_weights(n, resamples, make_generator("bootstrap", name)),
        ],
        axis=1,
    )


def of_sets(run: StoredRun, score: str, resamples: int) -> Found:
    """AUROC and FPR95 of one score of a run: of each OOD set, and after these the means over the sets of each kind."""
    own = run.find("id")
    known = count_inside(own[score], weights(own.set, len(own[score]), resamples))
    found = {
        (g.set, g.role): resample_detection(
            known, g[score], weights(g.set, len(g[score]), resamples)
        )
        for g in run.tests(*OOD)
    }
    for kind in dict.fromkeys(kind for _, kind in found):
        parts = [values for (_, k), values in found.items() if k == kind]
        found[ALL, kind] = {
            metric: np.mean([part[metric] for part in parts], axis=0) for metric in parts[0]
        }
    return found


def compute_table(
    outputs: Sequence[str], scores: Sequence[str], options: Mapping[str, Any]
) -> pd.DataFrame:
    """A row for each run, score of `oecal.tables.rows.SCORES`, OOD set, and kind of these (ood: all, the mean over its sets), and metric.

    value: as in `detection.csv`; low, high: its 95% interval over images, of this trained model.
    difference: value less that of the first training of the same model and seed on the same images,
    with its paired interval; empty for that training itself. Options: resamples.
    """
    rows: list[dict[str, Any]] = []
    first: dict[tuple[Any, ...], Found] = {}
    for path in scores:
        run = read_run(path, *SCORES)
        sizes = {g.set: len(g) for g in (run.find("id"), *run.tests(*OOD))}
        for score in (name for name in SCORES if name in run.find("id").arrays):
            found = of_sets(run, score, int(options["resamples"]))
            its = first.setdefault(
                (run.key["in_dist"], run.key["model"], run.key["seed"], score), found
            )
            for (name, kind), metrics in found.items():
                n_out = sizes.get(name) or sum(sizes[s] for s, k in found if k == kind and s != ALL)
                about = {
                    **run.key,
                    "ood": name,
                    "kind": kind,
                    "score": score,
                    "n_in": sizes[run.key["in_dist"]],
                    "n_out": n_out,
                }
                for metric, (value, *replicates) in metrics.items():
                    low, high = percentile_interval(np.array(replicates))
                    row = {**about, "metric": metric, "value": value, "low": low, "high": high}
                    if its is not found:
                        change = metrics[metric] - its[name, kind][metric]
                        row |= dict(
                            zip(
                                COLUMNS[-5:-2],
                                (change[0], *percentile_interval(change[1:])),
                                strict=True,
                            )
                        )
                    rows.append(row)
    return frame(rows, COLUMNS, scores)
