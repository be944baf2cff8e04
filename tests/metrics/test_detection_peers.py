"""Detection metrics against scikit-learn, torchmetrics and pytorch-ood on inputs that are hard to
get right.

Where a peer differs, the test says why the peer is wrong, and proves ours from the definition in
exact fractions or by a closed form.
"""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch
from pytorch_ood.metrics import functional as pytorch_ood
from scipy.special import softmax
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.metrics import roc_curve as sklearn_roc_curve
from torchmetrics.functional.classification import (
    binary_auroc,
    binary_average_precision,
    binary_roc,
)

from oecal.metrics.detection_metrics import detection_metrics, detection_metrics_of_sets
from oecal.metrics.peer_conventions import translate_metrics

RNG = np.random.default_rng(5)


def close(expected):
    return pytest.approx(expected, rel=1e-5, abs=1e-12)


def saturated(logits):
    """MSP as most codebases compute it: in float32, where a gap of 18 rounds to a confidence of
    just 1.
    """
    return -softmax(logits.astype(np.float32), axis=1).max(axis=1)


PAIRS = {
    "random": (RNG.normal(0, 1, 90), RNG.normal(1, 1, 70)),
    "ties": (RNG.integers(0, 6, 80).astype(float), RNG.integers(2, 9, 61).astype(float)),
    "saturated": (saturated(RNG.normal(0, 60, (100, 5))), saturated(RNG.normal(0, 25, (100, 5)))),
    "constant": (np.full(30, 7.0), np.full(10, 7.0)),
    "the same": (np.arange(20.0), np.arange(20.0)),
    "apart": (np.arange(40.0), np.arange(50.0, 90.0)),
    "reversed": (np.arange(50.0, 90.0), np.arange(40.0)),
    "just 95%": (np.arange(40, dtype=np.float32), np.r_[np.full(19, 30.5), 3.0].astype(np.float32)),
    "just 95% of both": (np.r_[np.zeros(19), 9.0], np.r_[np.ones(38), -1.0, -1.0]),
    "1 and 1": (np.array([0.0]), np.array([1.0])),
    "1 and 1, tied": (np.array([1.0]), np.array([1.0])),
    "1 and 2": (np.array([0.5]), np.array([0.0, 1.0])),
    "2 and 1": (np.array([3.0, 1.0]), np.array([2.0])),
    "huge": (RNG.normal(0, 1e300, 50), RNG.normal(1e300, 1e300, 40)),
    "tiny": (RNG.integers(0, 9, 30) * 5e-324, RNG.integers(3, 12, 30) * 5e-324),
    "zeros of both signs": (np.array([0.0, -0.0, 1.0]), np.array([-0.0, 0.0])),
    "Mahalanobis": (500 + 30 * RNG.normal(size=60), 560 + 30 * RNG.normal(size=60)),
}


def by_definition(inside, outside):
    """Every metric from the curves, in fractions.

    The curves from trying every score as the threshold.
    """

    def curve(positives, negatives):
        points = [(0, 0)]
        for t in sorted({*positives.tolist(), *negatives.tolist()}, reverse=True):
            points.append((int((positives >= t).sum()), int((negatives >= t).sum())))
        return points

    def average_precision(points):
        steps = ((b[0] - a[0], Fraction(b[0], sum(b))) for a, b in pairwise(points))
        return sum(Fraction(added, points[-1][0]) * precision for added, precision in steps)

    def first(points):
        return next(
            Fraction(fp, points[-1][1])
            for tp, fp in points
            if Fraction(tp, points[-1][0]) >= Fraction(95, 100)
        )

    ood, id_ = curve(outside, inside), curve(-inside, -outside)
    wins = sum(Fraction(int(o > i)) + Fraction(int(o == i), 2) for o in outside for i in inside)
    return {
        "auroc": wins / (len(inside) * len(outside)),
        "ap_out": average_precision(ood),
        "ap_in": average_precision(id_),
        "fpr95": first(ood),
        "fpr95_id_pos": first(id_),
    }


def by_scikit_learn(inside, outside):
    ood, scores = (
        np.r_[np.zeros(len(inside)), np.ones(len(outside))],
        np.r_[inside, outside].astype(float),
    )
    curves = (
        sklearn_roc_curve(ood, scores, drop_intermediate=False),
        sklearn_roc_curve(1 - ood, -scores, drop_intermediate=False),
    )
    fpr95, fpr95_id_pos = (fpr[np.argmax(tpr >= 0.95)] for fpr, tpr, _ in curves)
    ap_out, ap_in = average_precision_score(ood, scores), average_precision_score(1 - ood, -scores)
    return {
        "auroc": roc_auc_score(ood, scores),
        "ap_out": ap_out,
        "ap_in": ap_in,
        "fpr95": fpr95,
        "fpr95_id_pos": fpr95_id_pos,
    }


def by_torchmetrics(inside, outside):
    """Of ranks in [0, 1], as torchmetrics puts other scores through a sigmoid: see below."""
    scores = np.unique(np.r_[inside, outside], return_inverse=True)[1]
    ranks = torch.from_numpy(scores / max(scores.max(), 1))
    ood = torch.cat([torch.zeros(len(inside)), torch.ones(len(outside))]).long()
    found = (
        binary_auroc(ranks, ood),
        binary_average_precision(ranks, ood),
        binary_average_precision(1 - ranks, 1 - ood),
    )
    return {
        name: value.item() for name, value in zip(("auroc", "ap_out", "ap_in"), found, strict=True)
    }


def by_pytorch_ood(inside, outside):
    scores, labels = (
        torch.from_numpy(np.r_[inside, outside]),
        torch.cat([torch.zeros(len(inside)), -torch.ones(len(outside))]),
    )
    return {
        "auroc": pytorch_ood.auroc(scores, labels).item(),
        "fpr95": pytorch_ood.fpr_at_tpr(scores, labels).item(),
    }


@pytest.mark.parametrize("peer", [by_definition, by_scikit_learn, by_torchmetrics, by_pytorch_ood])
@pytest.mark.parametrize("name", PAIRS)
def test_detection_equals_the_peer(peer, name):
    found, expected = detection_metrics(*PAIRS[name]), peer(*PAIRS[name])
    assert {key: found[key] for key in expected} == close(
        {key: float(value) for key, value in expected.items()}
    )


@pytest.mark.parametrize("name", PAIRS)
def test_several_sets_are_as_each_alone(name):
    inside, outside = PAIRS[name]
    sets = [outside, inside, outside[:1], np.r_[outside, inside]]
    assert detection_metrics_of_sets(inside, sets) == [
        detection_metrics(inside, one) for one in sets
    ]
    assert detection_metrics_of_sets(inside, []) == []


@pytest.mark.parametrize("sides", [([], [1.0]), ([1.0], [])])
def test_one_side_missing(sides):
    """No curve has a meaning then.

    Scikit-learn returns nan; torchmetrics 0, as if the score were the worst: each with a warning.
    """
    scores, ood = torch.tensor([0.2, 0.8]), torch.tensor([len(sides[0]) == 0] * 2).long()
    with pytest.warns(UserWarning, match=r"No (positive|negative) samples"):
        assert binary_auroc(scores, ood) == 0
    with pytest.warns(UndefinedMetricWarning):
        assert np.isnan(roc_auc_score(ood, scores))
    with pytest.raises(ValueError, match="(ID|OOD): no scores"):
        detection_metrics(*map(np.array, sides))


def test_torchmetrics_puts_large_scores_through_a_sigmoid():
    """At 500 + 30 s a sigmoid is 1 for each score, and the AUROC just 0.5.

    In one batch, one score above 1 is enough for that.
    """
    inside, outside = PAIRS["Mahalanobis"]
    scores, ood = (
        torch.from_numpy(np.r_[inside, outside]),
        torch.cat([torch.zeros(60), torch.ones(60)]).long(),
    )
    assert binary_auroc(scores, ood) == 0.5
    assert detection_metrics(inside, outside)["auroc"] == close(
        float(by_definition(inside, outside)["auroc"])
    )
    assert detection_metrics(inside, outside)["auroc"] > 0.85


def test_torchmetrics_misses_a_recall_of_just_95_percent():
    """Its recall is float32, where 19/20 rounds to below 0.95: in float64, `recall >= 0.95` fails
    there and takes the next threshold.
    """
    inside, outside = PAIRS["just 95%"]
    scores, ood = (
        torch.from_numpy(np.r_[inside, outside]),
        torch.cat([torch.zeros(40), torch.ones(20)]).long(),
    )
    fpr, tpr, _ = binary_roc(scores / 100, ood)
    assert fpr[np.argmax(tpr.double().numpy() >= 0.95)].item() == close(37 / 40)
    assert Fraction(19, 20) == Fraction(95, 100)
    assert detection_metrics(inside, outside)["fpr95"] == 9 / 40  # ID scores 31 ... 39


def test_openood_drops_points_on_a_line():
    """Its `roc_curve` drops points between two others on a line, also where no score ties: the
    first recall >= 95% is then 100%.
    """
    inside, outside = PAIRS["the same"]
    fpr, tpr, _ = sklearn_roc_curve(np.r_[np.zeros(20), np.ones(20)], np.r_[inside, outside])
    assert fpr[np.argmax(tpr >= 0.95)] == 1
    assert (
        detection_metrics(inside, outside)["fpr95"] == 0.95
    )  # 19 of 20 of both sides lie at 1 or above
    assert translate_metrics("openood", inside, [outside])[0]["FPR@95"] == close(95)


def test_a_trapezoid_is_too_high_where_scores_tie():
    """Half of OOD ties with all of ID.

    AP: 1/2 at precision 1 and 1/2 at 1/2; the trapezoid draws a line from 1 to 1/2 over the ties.
    """
    inside, outside = np.full(10, -1.0), np.r_[np.zeros(5), np.full(5, -1.0)]
    assert detection_metrics(inside, outside)["ap_out"] == Fraction(1, 2) + Fraction(
        1, 2
    ) * Fraction(1, 2)
    scores, labels = (
        torch.from_numpy(np.r_[inside, outside]),
        torch.cat([torch.zeros(10), -torch.ones(10)]),
    )
    assert pytorch_ood.aupr(scores, labels).item() == Fraction(1, 2) + Fraction(1, 2) * Fraction(
        3, 4
    )
    inside, outside = PAIRS["saturated"]
    assert (
        translate_metrics("pytorch_ood", inside, [outside])[0]["AUPR-OUT"]
        > detection_metrics(inside, outside)["ap_out"] + 0.01
    )
