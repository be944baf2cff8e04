"""Numbers and sentences that several parts of the report share."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping

import pandas as pd

from oecal.metrics.seed_intervals import mean_interval

Tables = Mapping[str, pd.DataFrame]


def format_over_seeds(values: pd.Series, percent: bool = True) -> str:
    """Format mean and half-width of the 95% interval over seeds: `97.1 ± 0.4`."""
    mean, half = mean_interval(values.to_numpy() * (100 if percent else 1))
    digits = 1 if percent else 2
    return f"{mean:.{digits}f}" + ("" if math.isnan(half) else f" ± {half:.{digits}f}")


def describe_inverted_sets(tables: Tables, score: str = "") -> list[str]:
    """Name, for each training, the sets that look more normal than the data by a score.

    The score is `score`, or the first one that each training and seed has.
    """
    lines, table = [], tables["detection"]
    runs = table.groupby("score", sort=False)[["training", "seed"]].apply(
        lambda part: len(part.drop_duplicates())
    )
    score = score or str(runs.idxmax())
    for training, rows in table.groupby("training", sort=False):
        aurocs = rows[rows["score"] == score].groupby("ood", sort=False)["auroc"].mean()
        below = [f"{name} ({100 * value:.1f})" for name, value in aurocs.items() if value < 0.5]
        lines.append(
            f"{training}: AUROC (%) below 50 for {', '.join(below) if below else 'no OOD set'}."
        )
    return lines


def describe_best_score(tables: Tables) -> list[str]:
    """Name, for each training, the best score, and the hardest set for the first one."""
    lines = []
    for training, rows in tables["detection"].groupby("training", sort=False):
        mean, first = rows.groupby("score", sort=False)["auroc"].mean(), rows["score"].iloc[0]
        aurocs = rows[rows["score"] == first].groupby("ood", sort=False)["auroc"].mean()
        lines.append(
            f"{training}: mean AUROC over all sets {100 * mean.max():.1f}% with {mean.idxmax()}, "
            "the best score here; hardest set "
            f"{aurocs.idxmin()} ({100 * aurocs.min():.1f}% with {first})."
        )
    return lines


def group_uncalibrated(tables: Tables) -> Iterable[tuple[Hashable, pd.DataFrame]]:
    """Group the calibration table before post-hoc calibration by training."""
    calibration = tables["calibration"]
    return calibration[calibration["post_hoc"] == "none"].groupby("training", sort=False)
