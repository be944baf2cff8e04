"""Metrics of true classes, and the temperature, against netcal, scikit-learn and PyTorch."""

import numpy as np
import pytest
import torch
from netcal.metrics import ECE
from scipy.special import softmax
from sklearn.metrics import brier_score_loss, log_loss
from torch.nn.functional import cross_entropy

from oecal.metrics.calibration_metrics import (
    classwise_ece,
    label_metrics,
)
from oecal.scores.numerics import fit_temperature
from tests.metrics.calibration_cases import CASES, LOGITS, close


@pytest.mark.parametrize("name", CASES)
def test_nll_brier_and_classwise_ece_equal_the_peers(name):
    (logits, labels), (p, _, _, _) = LOGITS[name], CASES[name]
    found = label_metrics(logits, labels)
    assert found["nll"] == close(
        cross_entropy(torch.from_numpy(np.asarray(logits, float)), torch.from_numpy(labels)).item()
    )
    assert found["brier"] == close(
        brier_score_loss(labels, p, labels=range(p.shape[1]), scale_by_half=False)
    )
    assert found["cwece"] == close(
        np.mean(
            [ECE(15, detection=True).measure(p[:, k], (labels == k) * 1) for k in range(p.shape[1])]
        )
    )


def test_scikit_learn_clips_the_log_loss():
    """A wrong class at a gap of 200 costs log(1 + e^200) = 200 nats.

    Clipped at the precision of float64 it is 36.
    """
    logits, labels = np.array([[200.0, 0.0]]), np.array([1])
    assert log_loss(labels, softmax(logits, axis=1), labels=[0, 1]) == close(
        -np.log(np.finfo(float).eps)
    )
    assert label_metrics(logits, labels)["nll"] == close(np.logaddexp(200, 0))


def test_brier_keeps_what_is_small():
    """A right class at a gap of g costs 2 / (1 + e^g)^2.

    `sum p^2 - 2 p_l + 1` would be the rounding error of 1.
    """
    for g in (5.0, 12.0, 18.0):
        assert label_metrics(np.array([[g, 0.0]]), np.array([0]))["brier"] == pytest.approx(
            2 / (1 + np.exp(g)) ** 2, rel=1e-5
        )


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_temperature_is_where_the_slope_of_the_nll_is_zero(rng, scale):
    """dNLL/dT = 0 where the mean logit of the label is the mean logit under the model.

    Found by bisection, as the official code does.
    """
    logits = scale * (rng.normal(0, 1, (400, 4)) + 2 * np.eye(4)[np.arange(400) % 4])
    labels = np.where(rng.random(400) < 0.8, np.arange(400) % 4, rng.integers(4, size=400))
    low, high = 0.2, 5.0
    for _ in range(60):
        t = (low + high) / 2
        slope = (
            (softmax(logits / t, axis=1) * logits).sum(axis=1) - logits[np.arange(400), labels]
        ).mean()
        low, high = (
            (t, high) if slope > 0 else (low, t)
        )  # too sure: the model expects a larger logit than the label has
    assert fit_temperature(logits, labels) == close(t)


def test_classwise_ece_of_a_class_that_never_occurs():
    """Its part is the mean probability that it gets: 0.2 in all 10 images."""
    p = np.tile([0.5, 0.3, 0.2], (10, 1))
    assert classwise_ece(p, np.arange(10) % 2) == close((0 + 0.2 + 0.2) / 3)
