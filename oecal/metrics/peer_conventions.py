"""Detection metrics as other codebases define, name and scale them, to compare with their tables.

Our own convention is that of oecal.metrics.detection_metrics.

| | positive | FPR95 at | AUPR by | values |
|---|---|---|---|---|
| openood | OOD; AUPR_IN: ID | first recall >= 95% | trapezoid | percent |
| pytorch_ood | OOD; AUPR-IN: ID | first recall >= 95% | trapezoid | fractions |
| official_oe | OOD | recall nearest to 95% | average precision | percent |
| energy_ood | ID | recall nearest to 95% | average precision | percent |

Scikit-learn's and torchmetrics' average precision is ours. An AUPR compares only at the same base
rate; that of official_oe and energy_ood is 1/6, as they draw one OOD image for five ID images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

import numpy as np

from oecal.metrics.detection_metrics import (
    Thresholds,
    auroc,
    average_precision,
    compare_samples,
    count_sample,
    describe_sizes,
    false_positive_rate,
)


def trapezoid(at: Thresholds) -> float:
    """Area under the precision-recall curve, its points joined by straight lines.

    That is scikit-learn's auc(recall, precision). It is too high where scores tie: a constant score
    has (1 + base rate) / 2 (Davis & Goadrich, ICML 2006, section 4). The line to a threshold starts
    at the precision just before it, when the negatives beyond it are already flagged; the first
    line starts at recall 0, where the precision is 1 by definition, or 0 if a negative comes first.
    """
    before = at.true - at.added
    start = np.divide(
        before, before + at.beyond, out=np.ones(len(before)), where=before + at.beyond > 0
    )
    return float((at.added * (start + at.true / (at.true + at.false))).sum() / (2 * at.positives))


def nearest_recall(at: Thresholds, recall: float = 0.95) -> float:
    """False positive rate at the threshold whose recall lies nearest to `recall`.

    Of two equally near, it is the higher recall. Of all thresholds with that recall it is the
    loosest, which flags all negatives up to the next positive; at recall 1 the strictest.
    """
    k = len(at.true) - 1 - int(np.argmin(np.abs(at.true[::-1] / at.positives - recall)))
    return float((at.beyond[k + 1] if k + 1 < len(at.true) else at.false[k]) / at.negatives)


class Column(NamedTuple):
    """A metric and its positive class."""

    metric: Callable[[Thresholds], float]
    positive: Literal["ood", "id"]


class Convention(NamedTuple):
    """Columns by their names in that codebase, and the factor of all values: 100 for percent."""

    scale: int
    columns: dict[str, Column]


CONVENTIONS = {
    # openood/evaluators: metrics.py, ood_evaluator.py (v1.5).
    "openood": Convention(
        100,
        {
            "FPR@95": Column(false_positive_rate, "ood"),
            "AUROC": Column(auroc, "ood"),
            "AUPR_IN": Column(trapezoid, "id"),
            "AUPR_OUT": Column(trapezoid, "ood"),
        },
    ),
    # pytorch_ood.metrics.OODMetrics (0.4).
    "pytorch_ood": Convention(
        1,
        {
            "AUROC": Column(auroc, "ood"),
            "AUPR-IN": Column(trapezoid, "id"),
            "AUPR-OUT": Column(trapezoid, "ood"),
            "FPR95TPR": Column(false_positive_rate, "ood"),
        },
    ),
    # hendrycks/outlier-exposure, utils/display_results.py.
    "official_oe": Convention(
        100,
        {
            "FPR95": Column(nearest_recall, "ood"),
            "AUROC": Column(auroc, "ood"),
            "AUPR": Column(average_precision, "ood"),
        },
    ),
    # wetliu/energy_ood, CIFAR/test.py: the same functions, the other side.
    "energy_ood": Convention(
        100,
        {
            "FPR95": Column(nearest_recall, "id"),
            "AUROC": Column(auroc, "id"),
            "AUPR": Column(average_precision, "id"),
        },
    ),
}


def translate_metrics(
    convention: str, id_scores: np.ndarray, ood_sets: Iterable[np.ndarray]
) -> list[dict[str, float | int]]:
    """Return the columns of a convention, for each of several OOD sets.

    A higher score is more anomalous. base_rate, n_in and n_out are added, as in
    oecal.metrics.detection_metrics. Raises ValueError for empty or non-finite scores.

    >>> translate_metrics("openood", np.array([0, 1]), [np.array([1, 2])])[0]["AUROC"]
    87.5
    """
    scale, columns = CONVENTIONS[convention]
    inside, rows = count_sample(id_scores, "ID"), []
    for scores in ood_sets:
        comparison = compare_samples(inside, count_sample(scores, "OOD"))
        values = {
            name: scale * column.metric(getattr(comparison, column.positive))
            for name, column in columns.items()
        }
        rows.append(values | describe_sizes(comparison))
    return rows
