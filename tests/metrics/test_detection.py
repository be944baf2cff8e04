import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.metrics import roc_curve as sklearn_roc_curve

from oecal.metrics.detection_metrics import detection_metrics, roc_curve

few_values = st.integers(1, 40).flatmap(
    lambda n: arrays(np.float64, n, elements=st.integers(-4, 4).map(float))
)


@given(inside=few_values, outside=few_values)
def test_equals_scikit_learn_with_any_ties(inside, outside):
    labels, scores = np.r_[np.zeros(len(inside)), np.ones(len(outside))], np.r_[inside, outside]
    found = detection_metrics(inside, outside)
    assert found["auroc"] == pytest.approx(roc_auc_score(labels, scores))
    assert found["ap_out"] == pytest.approx(average_precision_score(labels, scores))
    assert found["ap_in"] == pytest.approx(average_precision_score(1 - labels, -scores))
    for key, positive, values in (("fpr95", labels, scores), ("fpr95_id_pos", 1 - labels, -scores)):
        fpr, tpr, _ = sklearn_roc_curve(positive, values, drop_intermediate=False)
        assert found[key] == pytest.approx(fpr[np.argmax(tpr >= 0.95 - 1e-12)])


def test_a_constant_score_knows_nothing():
    found = detection_metrics(np.zeros(30), np.zeros(10))
    assert (found["auroc"], found["ap_out"], found["ap_in"]) == (0.5, 0.25, 0.75)
    assert (found["fpr95"], found["fpr95_id_pos"], found["base_rate"]) == (1.0, 1.0, 0.25)


def test_a_perfect_score_and_its_reverse():
    low, high = np.arange(5.0), np.arange(10.0, 20.0)
    perfect, reversed_ = detection_metrics(low, high), detection_metrics(high, low)
    assert [perfect[k] for k in ("auroc", "ap_out", "ap_in", "fpr95", "fpr95_id_pos")] == [
        1,
        1,
        1,
        0,
        0,
    ]
    assert [reversed_[k] for k in ("auroc", "fpr95", "fpr95_id_pos")] == [0, 1, 1]
    assert (perfect["n_in"], perfect["n_out"]) == (5, 10)


def test_a_recall_of_exactly_95_percent_passes():
    # 19 of 20 OOD scores lie above all ID scores: the threshold there has recall 0.95 and flags no
    # ID image.
    assert detection_metrics(np.zeros(10), np.r_[-1.0, np.ones(19)])["fpr95"] == 0
    assert detection_metrics(np.zeros(10), np.r_[-1.0, -1.0, np.ones(18)])["fpr95"] == 1


@given(inside=few_values, outside=few_values)
def test_swapping_the_sides_and_the_sign_changes_nothing(inside, outside):
    one, other = detection_metrics(inside, outside), detection_metrics(-outside, -inside)
    assert one["auroc"] == pytest.approx(other["auroc"])
    assert (one["ap_out"], one["fpr95"]) == pytest.approx((other["ap_in"], other["fpr95_id_pos"]))


def test_float32_scores_far_from_zero_keep_their_order(rng):
    inside, outside = (
        (500 + 30 * rng.normal(size=200)).astype(np.float32),
        (560 + 30 * rng.normal(size=200)).astype(np.float32),
    )
    labels = np.r_[np.zeros(200), np.ones(200)]
    assert detection_metrics(inside, outside)["auroc"] == pytest.approx(
        roc_auc_score(labels, np.r_[inside, outside])
    )


def test_roc_curve_equals_scikit_learn(rng):
    inside, outside = rng.integers(0, 9, 50).astype(float), rng.integers(3, 12, 40).astype(float)
    fpr, tpr = roc_curve(inside, outside)
    expected = sklearn_roc_curve(
        np.r_[np.zeros(50), np.ones(40)], np.r_[inside, outside], drop_intermediate=False
    )
    np.testing.assert_allclose(fpr, expected[0])
    np.testing.assert_allclose(tpr, expected[1])


@pytest.mark.parametrize(
    "wrong, message",
    [([], "no scores"), ([1.0, np.nan], "1 of 2 scores are not finite"), ([np.inf], "not finite")],
)
def test_refuses_what_cannot_be_ranked(wrong, message):
    with pytest.raises(ValueError, match=message):
        detection_metrics(np.array(wrong), np.ones(3))
