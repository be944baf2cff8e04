import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import softmax
from sklearn.metrics import log_loss

from oecal.metrics.calibration_metrics import (
    bin_by_mass,
    bin_by_rank,
    bin_by_width,
    classwise_ece,
    confidence_metrics,
    gap,
    label_metrics,
    soft_f1,
)

pairs = st.integers(1, 250).flatmap(
    lambda n: st.tuples(
        arrays(np.float64, n, elements=st.floats(0, 1)),
        arrays(np.float64, n, elements=st.sampled_from([0.0, 1.0])),
    )
)


def test_ece_by_hand():
    # Bins (0.5, 0.75]: confidence 0.6, accuracy 0.5; (0.75, 1]: confidence 0.9, accuracy 1. ECE =
    # 0.5 * 0.1 + 0.5 * 0.1.
    bins = bin_by_width(np.array([0.6, 0.6, 0.9, 0.9]), np.array([1.0, 0, 1, 1]), 4)
    np.testing.assert_array_equal(bins.counts, [0, 0, 2, 2])
    assert gap(bins, 1) == pytest.approx(0.1)
    assert gap(bins, np.inf) == pytest.approx(0.1)


def test_adaptive_bins_give_the_remainder_to_the_most_confident():
    confidence = np.linspace(0, 1, 250)
    np.testing.assert_array_equal(bin_by_rank(confidence, confidence, 100).counts, [100, 150])
    np.testing.assert_array_equal(
        bin_by_rank(confidence[:150], confidence[:150], 100).counts, [150]
    )
    assert gap(bin_by_rank(np.full(150, 0.8), np.zeros(150), 100), 2) == pytest.approx(
        0.8
    )  # the official code finds 0 here
    np.testing.assert_array_equal(bin_by_mass(confidence, confidence, 4).counts, [63, 62, 63, 62])


@given(pairs)
def test_metrics_are_fractions_and_ordered(pair):
    found = confidence_metrics(*pair)
    debiased, auroc = found.pop("ce2_debiased"), found.pop("error_auroc")
    assert (
        np.isnan(debiased) or -1 / 4 <= debiased <= 1 + 1e-12
    )  # at most y (1 - y) is taken off a bin
    assert np.isnan(auroc) or 0 <= auroc <= 1
    assert all(-1e-12 <= v <= 1 + 1e-12 for v in found.values())
    assert found["rms_official"] <= found["rms"] + 1e-12
    assert found["mad"] <= found["rms"] + 1e-12
    assert found["ece"] <= found["mce"] + 1e-12
    # Within bins, gaps may cancel: binning can only hide the overall difference of confidence and
    # accuracy, not invent it.
    assert found["ece"] >= abs(found["mean_confidence"] - found["accuracy"]) - 1e-12


def test_no_confidences():
    with pytest.raises(ValueError, match="no confidences"):
        confidence_metrics(np.array([]), np.array([]))


def test_soft_f1_by_hand():
    # m = [0, 1], 1 - c = [0.1, 0.6]: 2 * 0.6 / (0.1 + 0 + 0.6 + 1)
    assert soft_f1(np.array([0.9, 0.4]), np.array([1.0, 0.0])) == pytest.approx(1.2 / 1.7)
    assert soft_f1(np.ones(3), np.ones(3)) == 0
    assert soft_f1(np.zeros(3), np.zeros(3)) == 1


def test_nll_and_brier(rng):
    logits, labels = rng.normal(0, 2, (300, 4)), rng.integers(4, size=300)
    found, p = label_metrics(logits, labels), softmax(logits, axis=1)
    assert found["nll"] == pytest.approx(log_loss(labels, p, labels=range(4)))
    assert found["brier"] == pytest.approx(((p - np.eye(4)[labels]) ** 2).sum(axis=1).mean())
    sure = label_metrics(np.array([[50.0, 0.0], [50.0, 0.0]]), np.array([0, 1]))
    assert sure["brier"] == pytest.approx(1.0)
    assert sure["nll"] == pytest.approx(25.0)


def test_classwise_ece_by_hand():
    # Class 0: all at 0.8, right in half of the cases: 0.3; class 1: all at 0.2 against one half:
    # 0.3.
    assert classwise_ece(np.tile([0.8, 0.2], (10, 1)), np.arange(10) % 2) == pytest.approx(0.3)
