"""Each convention against the peer itself or, where it is not on PyPI, against its definition in
other words.
"""

import h5py
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pytorch_ood.metrics import functional as pytorch_ood
from sklearn.metrics import (
    auc,
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from oecal.metrics.detection_metrics import detection_metrics
from oecal.metrics.peer_conventions import CONVENTIONS, translate_metrics
from oecal.tables.conventions import compute_table

few_values = st.integers(1, 40).flatmap(
    lambda n: arrays(np.float64, n, elements=st.integers(-4, 4).map(float))
)


def in_convention(name, inside, outside):
    found = translate_metrics(name, inside, [outside])[0]
    return {key: found[key] for key in CONVENTIONS[name].columns}


def trapezoid(positive, scores):
    precision, recall, _ = precision_recall_curve(positive, scores)
    return auc(recall, precision)


def openood(inside, outside):
    """Scikit-learn's functions, but without `drop_intermediate`: see test_detection_peers on what
    that does to the FPR.
    """
    ood, scores = np.r_[np.zeros(len(inside)), np.ones(len(outside))], np.r_[inside, outside]
    fpr, tpr, _ = roc_curve(ood, scores, drop_intermediate=False)
    values = (
        fpr[np.argmax(tpr >= 0.95)],
        auc(fpr, tpr),
        trapezoid(1 - ood, -scores),
        trapezoid(ood, scores),
    )
    return {
        name: 100 * value
        for name, value in zip(("FPR@95", "AUROC", "AUPR_IN", "AUPR_OUT"), values, strict=True)
    }


def by_pytorch_ood(inside, outside):
    scores, labels = (
        torch.from_numpy(np.r_[inside, outside]),
        torch.cat([torch.zeros(len(inside)), -torch.ones(len(outside))]),
    )
    found = {
        "AUROC": pytorch_ood.auroc(scores, labels),
        "AUPR-IN": pytorch_ood.aupr(scores, labels, "id"),
        "AUPR-OUT": pytorch_ood.aupr(scores, labels),
        "FPR95TPR": pytorch_ood.fpr_at_tpr(scores, labels),
    }
    return {name: value.item() for name, value in found.items()}


def nearest(positives, negatives):
    """Try every score as the threshold: the recall nearest to 0.95, of two as near the higher one;
    there, flag as much as one can, but at recall 1 as little.
    """
    tried = [
        ((positives >= t).mean(), (negatives >= t).mean()) for t in np.r_[positives, negatives]
    ]
    recall = min({r for r, _ in tried}, key=lambda r: (abs(r - 0.95), -r))
    rates = [fpr for r, fpr in tried if r == recall]
    return min(rates) if recall == 1 else max(rates)


def official_oe(inside, outside):
    ood, scores = np.r_[np.zeros(len(inside)), np.ones(len(outside))], np.r_[inside, outside]
    values = (
        nearest(outside, inside),
        roc_auc_score(ood, scores),
        average_precision_score(ood, scores),
    )
    return {
        name: 100 * value for name, value in zip(("FPR95", "AUROC", "AUPR"), values, strict=True)
    }


PEERS = {
    "openood": openood,
    "pytorch_ood": by_pytorch_ood,
    "official_oe": official_oe,
    "energy_ood": lambda a, b: official_oe(-b, -a),
}


@pytest.mark.parametrize("name", CONVENTIONS)
@given(inside=few_values, outside=few_values)
def test_equals_the_peer_with_any_ties(name, inside, outside):
    assert in_convention(name, inside, outside) == pytest.approx(
        PEERS[name](inside, outside), rel=1e-5, abs=1e-12
    )


@pytest.mark.parametrize("name", CONVENTIONS)
def test_equals_the_peer(rng, name):
    inside, outside = rng.normal(0, 1, 700), rng.normal(1.5, 1, 300)
    assert in_convention(name, inside, outside) == pytest.approx(
        PEERS[name](inside, outside), rel=1e-5
    )


def fpr95(inside, outside):
    """In percent: first recall >= 95%, nearest recall, ID positive."""
    columns = {"openood": "FPR@95", "official_oe": "FPR95", "energy_ood": "FPR95"}
    return [in_convention(name, inside, outside)[column] for name, column in columns.items()]


def test_three_definitions_of_fpr95(rng):
    """38 of 40 OOD scores make just 95%.

    More ID scores come before the 39th; the nearest recall flags them too.
    """
    outside = np.r_[np.full(38, 2.0), 0.0, 0.0]
    inside = np.r_[np.full(6, 3.0), np.full(4, 1.0), np.full(10, -1.0)]
    assert fpr95(inside, outside) == pytest.approx([100 * 6 / 20, 100 * 10 / 20, 100])
    assert len(set(fpr95(rng.normal(0, 1, 2000), rng.exponential(1, 400)))) == 3


def test_the_nearest_recall_may_lie_below_95_percent():
    """16 of 17 OOD scores (94.1%) lie nearer to 95% than all 17 do.

    All of ID ties with the 17th.
    """
    assert fpr95(np.full(10, -1.0), np.r_[np.full(16, 1.0), -1.0])[:2] == [100, 0]


def test_a_constant_score_at_a_base_rate_of_one_half():
    """The trapezoid joins (recall 0, precision 1) to (1, 1/2) by a line.

    No threshold lies on it, and chance is 1/2.
    """
    zeros = np.zeros(50)
    ours = detection_metrics(zeros, zeros)
    assert (ours["ap_out"], ours["ap_in"]) == (0.5, 0.5)
    assert in_convention("pytorch_ood", zeros, zeros) == {
        "AUROC": 0.5,
        "AUPR-IN": 0.75,
        "AUPR-OUT": 0.75,
        "FPR95TPR": 1.0,
    }
    assert in_convention("openood", zeros, zeros) == {
        "FPR@95": 100,
        "AUROC": 50,
        "AUPR_IN": 75,
        "AUPR_OUT": 75,
    }
    for name in ("official_oe", "energy_ood"):
        assert in_convention(name, zeros, zeros) == {"FPR95": 100, "AUROC": 50, "AUPR": 50}


def test_a_negative_first_is_no_line_from_precision_1():
    # Precision and recall, descending: (0, 0) at 2, (1/2, 1) at 1: half of the square; average
    # precision: 1/2.
    assert in_convention("pytorch_ood", np.array([2.0]), np.array([1.0]))[
        "AUPR-OUT"
    ] == pytest.approx(0.25)
    assert detection_metrics(np.array([2.0]), np.array([1.0]))["ap_out"] == pytest.approx(0.5)


@pytest.mark.parametrize("name", CONVENTIONS)
def test_several_sets_are_as_each_alone(rng, name):
    inside, sets = rng.normal(size=60), [rng.normal(1, 1, n) for n in (1, 20, 33)]
    assert translate_metrics(name, inside, sets) == [
        translate_metrics(name, inside, [one])[0] for one in sets
    ]
    with pytest.raises(ValueError, match="OOD: 1 of 2 scores are not finite"):
        translate_metrics(name, inside, [np.array([0.0, np.nan])])


@pytest.fixture
def scores(tmp_path, rng):
    """Scores of one run: ID, two OOD sets, and a shifted one that is in no detection table."""
    order = ["a/val", "a/test", "b/test", "c/test", "d/test"]
    with h5py.File(tmp_path / "scores.h5", "w") as file:
        file.attrs.update(
            in_dist="a", model="m", training="t", seed=0, kind="classifier", dims=4, order=order
        )
        for place, role, n in zip(
            order, ("id", "id", "near", "far", "shift"), (5, 40, 10, 20, 40), strict=True
        ):
            group = file.create_group(place, track_order=True)
            group.attrs["role"] = role
            group["msp"], group["energy"] = rng.normal(role in ("near", "far"), 1, (2, n))
    return str(tmp_path / "scores.h5")


@pytest.mark.parametrize("name", CONVENTIONS)
def test_table(scores, name):
    found = compute_table(name, [scores])
    key = ["in_dist", "model", "training", "seed", "ood", "kind", "score"]
    assert list(found.columns) == [*key, *CONVENTIONS[name].columns, "base_rate", "n_in", "n_out"]
    assert found[["score", "ood", "kind"]].to_numpy().tolist() == [
        [score, ood, kind]
        for score in ("msp", "energy")
        for ood, kind in (("b", "near"), ("c", "far"))
    ]
    assert list(found["base_rate"]) == [10 / 50, 20 / 60] * 2
    with h5py.File(scores) as file:
        expected = PEERS[name](file["a/test/energy"][:], file["c/test/energy"][:])
    row = found[(found["score"] == "energy") & (found["ood"] == "c")].iloc[0]
    assert row[list(expected)].to_dict() == pytest.approx(expected)
