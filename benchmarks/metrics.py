"""Speed of the metrics beside their peers: `make bench`.

In one process on two threads, medians of several runs. Only ratios carry over.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from netcal.metrics import ECE
from pytorch_ood.metrics import AUPR, AUROC, FPRAtTPR, MetricCollection
from sklearn.metrics import auc, average_precision_score, roc_auc_score, roc_curve
from torchmetrics.functional.classification import (
    binary_auroc,
    binary_average_precision,
    multiclass_calibration_error,
)

from benchmarks.timing import show
from oecal.metrics.calibration_metrics import bin_by_width, confidence_metrics, gap
from oecal.metrics.detection_bootstrap import count_inside, resample_detection
from oecal.metrics.detection_metrics import detection_metrics_of_sets
from oecal.metrics.resamples import draw_weights


def scikit_learn(labels: np.ndarray, scores: np.ndarray) -> None:
    fpr, tpr, _ = roc_curve(labels, scores, drop_intermediate=False)
    auc(fpr, tpr)
    average_precision_score(labels, scores)
    average_precision_score(1 - labels, -scores)


def torchmetrics(labels: torch.Tensor, scores: torch.Tensor) -> None:
    binary_auroc(scores, labels)
    binary_average_precision(scores, labels)
    binary_average_precision(1 - scores, 1 - labels)


def pytorch_ood(labels: torch.Tensor, scores: torch.Tensor) -> None:
    MetricCollection([AUROC(), AUPR("id"), AUPR("ood"), FPRAtTPR()]).update(
        scores=scores, labels=-labels
    ).compute()


def detection(n: int, sets: int) -> dict[str, Callable[[], object]]:
    """Each peer gets its arrays ready made: float64, ID and OOD in one, torchmetrics in [0, 1]."""
    rng = np.random.default_rng(0)
    inside, outside = rng.normal(0, 1, n), rng.normal(1, 1, (sets, n))
    labels, scores = np.r_[np.zeros(n), np.ones(n)], [np.r_[inside, one] for one in outside]
    marks, tensors = torch.from_numpy(labels).long(), [torch.from_numpy(s) for s in scores]
    fractions = [t.sigmoid() for t in tensors]
    return {
        "oecal: AUROC, 2 x AP, 2 x FPR95": lambda: detection_metrics_of_sets(inside, outside),
        "scikit-learn: ROC curve and AUROC, 2 x AP": lambda: [
            scikit_learn(labels, s) for s in scores
        ],
        "torchmetrics: AUROC, 2 x AP": lambda: [torchmetrics(marks, t) for t in fractions],
        "pytorch-ood: AUROC, 2 x AUPR, FPR95": lambda: [pytorch_ood(marks, t) for t in tensors],
    }


def calibration(n: int, classes: int) -> dict[str, Callable[[], object]]:
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(0, 2, (n, classes)), rng.integers(classes, size=n)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    tensor, target, rows = torch.from_numpy(p), torch.from_numpy(labels), np.arange(n)

    def confidence_and_correctness() -> tuple[np.ndarray, np.ndarray]:
        best = p.argmax(axis=1)  # it takes most of the time; a max after it would double that
        return p[rows, best], best == labels

    confidence, correct = confidence_and_correctness()
    return {
        "oecal: ECE": lambda: gap(bin_by_width(*confidence_and_correctness()), 1),
        "torchmetrics: ECE": lambda: multiclass_calibration_error(
            tensor, target, classes, n_bins=15
        ),
        "netcal: ECE": lambda: ECE(15).measure(p, labels),
        "oecal: ECE, ACE, MCE, RMS, MAD, soft F1 of confidences": lambda: confidence_metrics(
            confidence, correct
        ),
    }


def bootstrap(n: int) -> dict[str, Callable[[], object]]:
    """The peer has no bootstrap; a loop over it is timed for a fiftieth of the resamples."""
    rng = np.random.default_rng(0)
    known, unknown = rng.normal(0, 1, n), rng.normal(1, 1, n)
    labels, scores = np.r_[np.zeros(n), np.ones(n)], np.r_[known, unknown]

    def ours() -> None:
        resample_detection(
            count_inside(known, draw_weights(n, 1000, rng)), unknown, draw_weights(n, 1000, rng)
        )

    def loop() -> None:
        for _ in range(20):
            chosen = np.r_[rng.integers(n, size=n), n + rng.integers(n, size=n)]
            roc_auc_score(labels[chosen], scores[chosen])

    return {
        "oecal: AUROC and FPR95 of 1,000 resamples": ours,
        "scikit-learn: AUROC of 20 resamples": loop,
    }


def main() -> None:
    torch.set_num_threads(2)
    show("Detection, 50,000 ID and 50,000 OOD scores", detection(50_000, 1))
    show("Detection, 10,000 ID scores and 10 sets of 10,000 OOD scores", detection(10_000, 10))
    show("Bootstrap, 10,000 ID and 10,000 OOD scores", bootstrap(10_000))
    show("Calibration, 50,000 predictions of 10 classes", calibration(50_000, 10))


if __name__ == "__main__":
    main()
