"""Metrics with a file of their own, configured under `measures.metrics`.

Each adds a column to the table that its TABLE names.

- calibration: `metric(confidence (N,), correct (N,), weights (N, B)) -> (B,)`, a mean or a ratio of
  means in which each image counts as often as its weight says. `calibration.csv` has it with
  weights of 1, and `intervals.csv` the percentile interval over resamples.
- detection: `metric(ID scores (N,), OOD scores (M,)) -> float`, OOD positive and higher, for each
  score and OOD set in `detection.csv`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from oecal.core.component_imports import import_component
from oecal.core.components import read_constant

Metrics = Mapping[str, Callable[..., Any]]


def load_custom_metrics(names: Sequence[str], table: str) -> Metrics:
    """Import those of these metrics that are columns of a table; return their functions by name.

    >>> list(load_custom_metrics(["correctness_brier"], "calibration"))
    ['correctness_brier']
    """
    return {
        name: import_component("metrics", name).metric
        for name in names
        if read_constant("metrics", name, "TABLE") == table
    }
