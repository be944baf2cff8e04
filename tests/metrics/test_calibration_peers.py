"""Calibration metrics against netcal, scikit-learn, torchmetrics, PyTorch and pytorch-ood on inputs that are hard to get right.

Where a peer differs, the test says why the peer is wrong, and proves ours from the definition in
exact fractions or by a closed form.
"""

from fractions import Fraction

import numpy as np
import pytest
import torch
from netcal.metrics import ACE, ECE, MCE
from pytorch_ood.metrics import functional as pytorch_ood
from scipy.special import softmax
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, f1_score, log_loss
from torch.nn.functional import cross_entropy
from torchmetrics.functional.classification import multiclass_calibration_error

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
from oecal.scores.numerics import fit_temperature

RNG = np.random.default_rng(5)


def close(expected):
    return pytest.approx(expected, rel=1e-5, abs=1e-12)


def without(cases, *names):
    return [name for name in cases if name not in names]


def predictions(logits, labels):
    """Probabilities, labels, confidence and correctness."""
    p = softmax(np.asarray(logits, float), axis=1)
    return p, np.asarray(labels), p.max(axis=1), (p.argmax(axis=1) == labels).astype(float)


LOGITS = {
    "random": (RNG.normal(0, 2, (450, 5)), RNG.integers(5, size=450)),
    "ties": (RNG.integers(0, 3, (300, 3)), RNG.integers(3, size=300)),
    "saturated": (RNG.normal(0, 60, (200, 4)), RNG.integers(4, size=200)),
    "huge": (RNG.normal(0, 1e300, (60, 4)), RNG.integers(4, size=60)),
    "float32": (RNG.normal(0, 4, (300, 4)).astype(np.float32), RNG.integers(4, size=300)),
    "constant": (np.tile([2.0, 0.0, 0.0], (120, 1)), RNG.integers(3, size=120)),
    "all right": (
        RNG.normal(0, 1, (130, 3)) + 5 * np.eye(3)[np.arange(130) % 3],
        np.arange(130) % 3,
    ),
    "all wrong": (
        RNG.normal(0, 0.1, (130, 3)) + 5 * np.eye(3)[np.arange(130) % 3],
        (np.arange(130) + 1) % 3,
    ),
    "one class missing": (RNG.normal(0, 2, (150, 3)), RNG.integers(2, size=150)),
    "one": (np.array([[1.0, 0.5, 0.0]]), np.array([0])),
    "two": (np.array([[1.0, 0.5, 0.0], [0.0, 3.0, 1.0]]), np.array([2, 1])),
}
CASES = {name: predictions(*case) for name, case in LOGITS.items()}


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
    """ACE means bins of equal mass here (Nixon et al., CVPR workshops 2019): where n is a multiple of the bins, netcal's ECE with
    `equal_intervals=False`. Netcal's ACE is the mean over the bins of equal width that are not
    empty, each weighted alike."""
    _, _, confidence, correct = CASES["random"]
    theirs = ECE(15, equal_intervals=False, detection=True).measure(confidence, correct)
    assert confidence_metrics(confidence, correct, 15)["ace"] == close(theirs)
    full = [b for b in zip(*bin_by_width(confidence, correct, 15), strict=True) if b[0]]
    assert ACE(15, detection=True).measure(confidence, correct) == close(
        np.mean([abs(c - a) for _, c, a in full])
    )


@pytest.mark.parametrize("name", ["constant", "one", "two"])
def test_equal_mass_with_ties(name):
    """Netcal's quantiles keep ties in one bin, ours spread their correctness over their ranks: the same gap."""
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
    """Left to a stable sort, ties would keep it: with the right ones first, the RMS error would be sqrt((0.4^2 + 0.6^2) / 2), not 0.1."""
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
    """Its loop ends one bin early: with less than 200 images nothing is left, and the error is 0. Here all are wrong at 0.9."""
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


def test_soft_f1_of_sure_answers_is_f1(rng):
    doubt, error = rng.integers(0, 2, 50), rng.integers(0, 2, 50)
    assert soft_f1(1.0 - doubt, 1.0 - error) == close(f1_score(error, doubt))


def test_classwise_ece_of_a_class_that_never_occurs():
    """Its part is the mean probability that it gets: 0.2 in all 10 images."""
    p = np.tile([0.5, 0.3, 0.2], (10, 1))
    assert classwise_ece(p, np.arange(10) % 2) == close((0 + 0.2 + 0.2) / 3)
