from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oecal.metrics.selective_metrics import accepted_errors, risk_coverage, selective_metrics


def test_by_hand():
    # Accepted in the order right, wrong, right, wrong: risks 0, 1/2, 1/3, 1/2; best order: 0, 0,
    # 1/3, 1/2.
    found = selective_metrics(
        np.arange(4.0), np.array([0, 1, 0, 1]), target_risk=0.4, target_coverage=0.5
    )
    assert found["aurc"] == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)
    assert found["eaurc"] == pytest.approx(1 / 8)
    assert found["augrc"] == pytest.approx((0 + 1 + 1 + 2) / 16)
    assert found["coverage_at_risk"] == 0.75
    assert found["risk_at_coverage"] == 0.5


def test_the_best_order_has_no_excess():
    errors = np.r_[np.zeros(7), np.ones(3)]
    found = selective_metrics(errors, errors, 0.0, 1.0)
    assert found["eaurc"] == pytest.approx(0)
    assert found["coverage_at_risk"] == 0.7
    assert found["risk_at_coverage"] == 0.3


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1)), min_size=1, max_size=6))
def test_ties_are_the_mean_over_all_orders(pairs):
    scores, errors = np.array(pairs).T
    orders = [
        o
        for o in permutations(range(len(pairs)))
        if all(scores[a] <= scores[b] for a, b in pairwise(o))
    ]
    expected = np.mean([np.cumsum(errors[list(o)]) for o in orders], axis=0)
    np.testing.assert_allclose(accepted_errors(scores, errors), expected, atol=1e-12)


def test_nothing_reaches_the_target():
    assert selective_metrics(np.arange(3.0), np.ones(3), 0.5, 0.1)["coverage_at_risk"] == 0
    coverage, risk = risk_coverage(np.arange(3.0), np.ones(3))
    np.testing.assert_allclose(coverage, [1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(risk, 1)


@pytest.mark.parametrize("scores", [[], [np.nan]])
def test_refuses_what_cannot_be_ranked(scores):
    with pytest.raises(ValueError, match="not finite"):
        accepted_errors(np.array(scores), np.zeros(len(scores)))
