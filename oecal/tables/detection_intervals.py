"""`detection_intervals.csv`: bootstrap intervals over test images of AUROC and FPR95.

Also of their differences to the first training, on the same images.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from oecal.core.roles import OOD
from oecal.core.seeds import make_generator
from oecal.metrics.detection_bootstrap import count_inside, resample_detection
from oecal.metrics.resamples import draw_weights, percentile_interval
from oecal.runs.run_files import RUN_COLUMNS, StoredRun, read_run
from oecal.tables.rows import COMMON_SCORES, make_table

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

Replicates = dict[
    tuple[str, str], dict[str, np.ndarray]
]  # set and kind: of each metric the value, then the resamples


def draw_set_weights(name: str, n: int, resamples: int) -> np.ndarray:
    """Draw the weights of a set's images, (N, 1 + B): each image once, then the resamples.

    The resamples are the same ones for each run and score.
    """
    return np.concatenate(
        [
            np.ones((n, 1), np.float32),
            draw_weights(n, resamples, make_generator("bootstrap", name)),
        ],
        axis=1,
    )


def bootstrap_sets(run: StoredRun, score: str, resamples: int) -> Replicates:
    """Bootstrap AUROC and FPR95 of one score of a run.

    For each OOD set, and after these for the means over the sets of each kind.
    """
    own = run.find("id")
    known = count_inside(own[score], draw_set_weights(own.set, len(own[score]), resamples))
    replicates_of = {
        (g.set, g.role): resample_detection(
            known, g[score], draw_set_weights(g.set, len(g[score]), resamples)
        )
        for g in run.tests(*OOD)
    }
    for kind in dict.fromkeys(kind for _, kind in replicates_of):
        parts = [values for (_, k), values in replicates_of.items() if k == kind]
        replicates_of[ALL, kind] = {
            metric: np.mean([part[metric] for part in parts], axis=0) for metric in parts[0]
        }
    return replicates_of


def compute_table(scores: Sequence[str], resamples: int) -> pd.DataFrame:
    """One row per run, score, OOD set (or mean over the sets of a kind) and metric.

    Of the scores in `oecal.tables.rows.COMMON_SCORES`; the row of a mean has the ood `all`. value:
    as in `detection.csv`; low, high: its 95% interval over images, of this trained model.
    difference: value minus that of the first training of the same model and seed on the same
    images, with its paired interval; empty for that training itself. resamples: as under
    `measures`.
    """
    rows: list[dict[str, object]] = []
    first: dict[tuple[object, ...], Replicates] = {}
    for path in scores:
        run = read_run(path, *COMMON_SCORES)
        sizes = {g.set: len(g) for g in (run.find("id"), *run.tests(*OOD))}
        for score in (name for name in COMMON_SCORES if name in run.find("id").arrays):
            replicates_of = bootstrap_sets(run, score, resamples)
            its = first.setdefault(
                (run.key["in_dist"], run.key["model"], run.key["seed"], score), replicates_of
            )
            for (name, kind), metrics in replicates_of.items():
                n_out = sizes.get(name) or sum(
                    sizes[s] for s, k in replicates_of if k == kind and s != ALL
                )
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
                    if its is not replicates_of:
                        change = metrics[metric] - its[name, kind][metric]
                        row |= dict(
                            zip(
                                COLUMNS[-5:-2],
                                (change[0], *percentile_interval(change[1:])),
                                strict=True,
                            )
                        )
                    rows.append(row)
    return make_table(rows, COLUMNS, scores)
