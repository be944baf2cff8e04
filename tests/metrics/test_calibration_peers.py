"""Calibration metrics against netcal, scikit-learn, torchmetrics, PyTorch and pytorch-ood on inputs
that are hard to get right.

Where a peer differs, the test says why the peer is wrong, and proves ours from the definition in
exact fractions or by a closed form.
"""

from fractions import Fraction

import numpy as np
import pytest
import torch
from netcal.metrics import ACE, ECE, MCE
from pytorch_ood.metrics import functional as pytorch_ood
from sklearn.calibration import calibration_curve
from sklearn.metrics import f1_score
from torchmetrics.functional.classification import multiclass_calibration_error

from oecal.metrics.calibration_metrics import (
    bin_by_mass,
    bin_by_rank,
    bin_by_width,
    confidence_metrics,
    gap,
    soft_f1,
)
from tests.metrics.calibration_cases import CASES, LOGITS, close, predictions, without


def ece_by_definition(confidence, correct, bins):
    """ECE and MCE in fractions, bins (b / B, (b + 1) / B]."""
    groups = {}
    for c, y in zip(map(Fraction, confidence.tolist()), correct.tolist(), strict=True):
        groups.setdefault(-(-c * bins // 1), []).append(c - int(y))
    sums = [abs(sum(g)) for g in groups.values()]
    return {
        "ece": sum(sums) / len(confidence),
        "mce": max(s / len(g) for s, g in zip(sums, groups.values(), strict=True)),
    }


@pytest.mark.parametrize("name", CASES)
def test_ece_and_mce_equal_the_definition_and_netcal(name):
    _, _, confidence, correct = CASES[name]
    found, expected = (
        confidence_metrics(confidence, correct, 15),
        ece_by_definition(confidence, correct, 15),
    )
    assert (found["ece"], found["mce"]) == close((float(expected["ece"]), float(expected["mce"])))
    assert found["ece"] == close(ECE(15, detection=True).measure(confidence, correct))
    assert found["mce"] == close(MCE(15, detection=True).measure(confidence, correct))
    true, mean = calibration_curve(correct, confidence, n_bins=15)
    assert found["mce"] == close(np.abs(true - mean).max())


@pytest.mark.parametrize("name", without(CASES, "saturated", "huge"))
def test_ece_and_mce_equal_torchmetrics(name):
    p, labels, confidence, correct = CASES[name]
    found = confidence_metrics(confidence, correct, 15)
    for key, norm in (("ece", "l1"), ("mce", "max")):
        theirs = multiclass_calibration_error(
            torch.from_numpy(p), torch.from_numpy(labels), p.shape[1], n_bins=15, norm=norm
        )
        assert found[key] == close(theirs.item())


def test_torchmetrics_gives_a_confidence_of_1_a_bin_of_its_own():
    """Of ten saturated predictions one is wrong; ten more at 0.95 are all right.

    In one bin, (14/15, 1], the gaps -0.1 and 0.05 cancel in
    part: |0.975 - 0.95|. Torchmetrics puts just 1.0 into a 16th bin and finds (0.1 + 0.05) / 2."""
    confidence, correct = np.r_[np.ones(10), np.full(10, 0.95)], np.r_[0.0, np.ones(19)]
    assert confidence_metrics(confidence, correct, 15)["ece"] == close(0.025)
    assert ECE(15, detection=True).measure(confidence, correct) == close(0.025)
    p, labels = (
        torch.from_numpy(np.stack([confidence, 1 - confidence], axis=1)),
        torch.from_numpy(1 - correct).long(),
    )
    assert multiclass_calibration_error(p, labels, 2, n_bins=15).item() == close(0.075)


def test_bins_are_closed_on_the_right():
    """Guo et al., ICML 2017, section 2: ((m - 1) / M, m / M].

    Scikit-learn agrees; torchmetrics and netcal close the left side.
    """
    confidence, correct = np.array([0.5, 0.75]), np.array([1.0, 0.0])
    assert confidence_metrics(confidence, correct, 2)["ece"] == close(
        (0.5 + 0.75) / 2
    )  # (0, 0.5] and (0.5, 1]
    np.testing.assert_allclose(
        calibration_curve(correct, confidence, n_bins=2), [[1, 0], [0.5, 0.75]]
    )
    assert ECE(2, detection=True).measure(confidence, correct) == close(
        abs(0.625 - 0.5)
    )  # both in [0.5, 1]
    p = torch.from_numpy(np.stack([confidence, 1 - confidence], axis=1))
    assert multiclass_calibration_error(p, torch.tensor([0, 1]), 2, n_bins=2).item() == close(0.125)


def test_ace_is_adaptive_and_netcals_ace_is_another_metric():
    """ACE means bins of equal mass here (Nixon et al., CVPR workshops 2019): where n is a multiple
    of the bins, netcal's ECE with `equal_intervals=False`. Netcal's ACE is the mean over the bins
    of equal width that are not empty, each weighted alike.
    """
    _, _, confidence, correct = CASES["random"]
    theirs = ECE(15, equal_intervals=False, detection=True).measure(confidence, correct)
    assert confidence_metrics(confidence, correct, 15)["ace"] == close(theirs)
    full = [b for b in zip(*bin_by_width(confidence, correct, 15), strict=True) if b[0]]
    assert ACE(15, detection=True).measure(confidence, correct) == close(
        np.mean([abs(c - a) for _, c, a in full])
    )


@pytest.mark.parametrize("name", ["constant", "one", "two"])
def test_equal_mass_with_ties(name):
    """Netcal's quantiles keep ties in one bin, ours spread their correctness over their ranks: the
    same gap.
    """
    _, _, confidence, correct = CASES[name]
    for bins in (1, 2, 3):
        expected = (
            abs(confidence - correct).mean()
            if name == "two" and bins > 1
            else abs(confidence.mean() - correct.mean())
        )
        assert gap(bin_by_mass(confidence, correct, bins), 1) == close(expected)
    assert ECE(1, equal_intervals=False, detection=True).measure(confidence, correct) == close(
        gap(bin_by_mass(confidence, correct, 1), 1)
    )


def test_the_order_of_the_images_says_nothing():
    """Left to a stable sort, ties would keep it: with the right ones first, the RMS error would be
    sqrt((0.4^2 + 0.6^2) / 2), not 0.1.
    """
    confidence, right_first = np.full(200, 0.6), np.r_[np.ones(100), np.zeros(100)]
    mixed = np.tile([1.0, 0.0], 100)
    for correct in (right_first, mixed, 1 - right_first):
        assert gap(bin_by_rank(confidence, correct), 2) == close(0.1)
        assert gap(bin_by_mass(confidence, correct, 2), 1) == close(0.1)


@pytest.mark.parametrize("size", [1, 7, 100])
@pytest.mark.parametrize("name", without(CASES, "ties", "saturated", "huge", "float32", "constant"))
def test_rms_and_mad_equal_pytorch_ood(name, size):
    """Where no confidences tie; pytorch-ood leaves their order to the sort."""
    _, _, confidence, correct = CASES[name]
    bins = bin_by_rank(confidence, correct, size)
    for norm, p in ((2, "2"), (1, "1"), (np.inf, "infty")):
        assert gap(bins, norm) == close(
            pytorch_ood.calibration_error(
                torch.from_numpy(confidence), torch.from_numpy(correct), p, size
            )
        )


def test_the_official_rms_drops_the_most_confident_bin():
    """Its loop ends one bin early: with less than 200 images nothing is left, and the error is 0.
    Here all are wrong at 0.9.
    """
    confidence, correct = np.full(150, 0.9), np.zeros(150)
    bins = [(i * 100, (i + 1) * 100) for i in range(150 // 100)]
    official = (
        sum(
            (b - a) / 150 * abs(confidence[a:b].mean() - correct[a:b].mean()) ** 2
            for a, b in bins[:-1]
        )
        ** 0.5
    )
    assert official == 0
    assert confidence_metrics(confidence, correct)["rms"] == close(0.9)


def test_the_largest_logit_is_no_confidence():
    """OpenOOD's ECE takes it for one.

    A softmax is the same for z and z + 1; the largest logit is not, and ours refuses it.
    """
    logits, labels = LOGITS["random"]
    ours = [confidence_metrics(*predictions(logits + shift, labels)[2:])["ece"] for shift in (0, 1)]
    assert ours[0] == close(ours[1])
    with pytest.raises(ValueError, match="of 450 confidences lie outside"):
        confidence_metrics(logits.max(axis=1), CASES["random"][3])
    with pytest.raises(ValueError, match="1 of 2 confidences lie outside"):
        confidence_metrics(np.array([0.5, np.nan]), np.ones(2))


def test_netcal_takes_two_classes_for_a_binary_problem():
    """With one of three classes missing among the labels, it fails.

    Ours needs no labels, only what is right.
    """
    p, labels, confidence, correct = CASES["one class missing"]
    with pytest.raises(RuntimeError, match="binary"):
        ECE(15).measure(p, labels)
    assert ECE(15, detection=True).measure(confidence, correct) == close(
        confidence_metrics(confidence, correct)["ece"]
    )


def test_soft_f1_of_sure_answers_is_f1(rng):
    doubt, error = rng.integers(0, 2, 50), rng.integers(0, 2, 50)
    assert soft_f1(1.0 - doubt, 1.0 - error) == close(f1_score(error, doubt))
