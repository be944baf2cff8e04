"""Speed of the metrics beside their peers, in one process, medians of several runs: `make bench`. Only the ratios carry over."""

from __future__ import annotations

import numpy as np
import torch
from pytorch_ood.metrics import functional as pytorch_ood
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve
from torchmetrics.functional.classification import binary_auroc, binary_average_precision, multiclass_calibration_error

from benchmarks.timing import show
from oecal.metrics.calibration import confidence_metrics, equal_width, gap
from oecal.metrics.detection import detection_metrics


def main() -> None:
    rng = np.random.default_rng(0)
    n = 50_000
    inside, outside = rng.normal(0, 1, n), rng.normal(1, 1, n)
    labels, scores = np.r_[np.zeros(n), np.ones(n)], np.r_[inside, outside]
    tensor, marks = torch.from_numpy(scores), torch.from_numpy(labels).long()
    show(
        f"Detection, {n:,} ID and {n:,} OOD scores",
        {
            "oecal: AUROC, 2 x AP, 2 x FPR95": lambda: detection_metrics(inside, outside),
            "scikit-learn: AUROC, 2 x AP, FPR95": lambda: (
                roc_auc_score(labels, scores), average_precision_score(labels, scores), average_precision_score(1 - labels, -scores),
                roc_curve(labels, scores),
            ),
            "torchmetrics: AUROC, 2 x AP (no FPR95)": lambda: (
                binary_auroc(tensor.sigmoid(), marks), binary_average_precision(tensor.sigmoid(), marks),
                binary_average_precision(1 - tensor.sigmoid(), 1 - marks),
            ),
            "pytorch-ood: AUROC, 2 x AUPR, FPR95": lambda: (
                pytorch_ood.auroc(tensor, -marks), pytorch_ood.aupr(tensor, -marks), pytorch_ood.aupr(tensor, -marks, "id"),
                pytorch_ood.fpr_at_tpr(tensor, -marks),
            ),
        },
    )  # fmt: skip
    logits = rng.normal(0, 2, (n, 10))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    target = rng.integers(10, size=n)
    confidence, correct = p.max(axis=1), p.argmax(axis=1) == target
    show(
        f"Calibration, {n:,} predictions",
        {
            "oecal: ECE": lambda: gap(equal_width(p.max(axis=1), p.argmax(axis=1) == target), 1),
            "oecal: ECE, ACE, MCE, RMS, MAD, soft F1": lambda: confidence_metrics(confidence, correct),
            "torchmetrics: ECE": lambda: multiclass_calibration_error(torch.from_numpy(p), torch.from_numpy(target), 10, n_bins=15),
        },
    )


if __name__ == "__main__":
    main()
