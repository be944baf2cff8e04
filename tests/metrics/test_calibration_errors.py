import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from oecal.metrics.calibration_metrics import (
    bin_by_mass,
    bin_by_rank,
    bin_by_width,
    brier_decomposition,
    debiased_squared,
    error_auroc,
    gap,
    official_gap,
)


def test_official_gap_skips_the_last_bin(rng):
    confidence, correct = np.sort(rng.random(350)), rng.integers(0, 2, 350).astype(float)
    d = [abs((confidence - correct)[a : a + 100].mean()) for a in (0, 100)]
    bins = bin_by_rank(confidence, correct)
    assert official_gap(bins, 2) == pytest.approx(((d[0] ** 2 + d[1] ** 2) * 100 / 350) ** 0.5)
    assert official_gap(bins, 1) == pytest.approx(sum(d) * 100 / 350)
    assert official_gap(bins, np.inf) == pytest.approx(max(d))
    assert official_gap(bin_by_rank(confidence[:150], correct[:150]), 2) == 0


def test_debiased_has_mean_zero_if_calibrated(rng):
    confidence = np.repeat([0.3, 0.6, 0.9], 20)
    bins = [
        bin_by_width(confidence, (rng.random(60) < confidence).astype(float), 10)
        for _ in range(2000)
    ]
    found = np.array([debiased_squared(b) for b in bins])
    assert abs(found.mean()) < 4 * found.std() / 2000**0.5
    assert np.mean([gap(b, 2) ** 2 for b in bins]) > 0.005
    assert np.isnan(debiased_squared(bin_by_mass(confidence, confidence, 60)))


def test_error_auroc_equals_scikit_learn(rng):
    for confidence in (rng.random(200), rng.integers(0, 5, 200) / 5):
        correct = rng.integers(0, 2, 200)
        assert error_auroc(confidence, correct) == pytest.approx(
            roc_auc_score(correct, confidence), abs=1e-12
        )
    assert np.isnan(error_auroc(np.ones(3), np.ones(3)))


def test_brier_parts_add_up(rng):
    confidence, correct = rng.random(300), rng.integers(0, 2, 300).astype(float)
    found = brier_decomposition(confidence, correct, bin_by_width(confidence, correct))
    total = found["reliability"] - found["resolution"] + found["uncertainty"] + found["within"]
    assert total == pytest.approx(((confidence - correct) ** 2).mean(), abs=1e-12)
    pair = np.repeat([0.2, 0.8], 4), np.array([0, 0, 0, 1, 1, 1, 1, 0.0])  # accuracies 1/4 and 3/4
    two = brier_decomposition(*pair, bin_by_width(*pair))
    assert two == pytest.approx(
        {"reliability": 0.0025, "resolution": 0.0625, "uncertainty": 0.25, "within": 0.0}, abs=1e-12
    )
