import numpy as np
import pytest
from scipy.stats import entropy

from oecal.scores import passes
from oecal.scores.catalogue import COSTLY, list_scores

ALL = [s for s in list_scores().values() if s.family == "passes"]


@pytest.mark.parametrize("score", ALL, ids=lambda s: s.name)
def test_by_definition(score, rng):
    p, n = rng.dirichlet(np.ones(6), 50), rng.uniform(0, 1, 50)
    method, _, statistic = score.name.partition("_")
    expected = {
        "msp": (p, 1 - p.max(axis=1)),
        "entropy": (p, entropy(p, axis=1)),
        "mutual_information": (n, n),
        "variation_ratio": (n, 1 - n),
    }
    assert {COSTLY[argument] for argument in score.arguments} == {method}
    argument, values = expected[statistic]
    np.testing.assert_allclose(getattr(passes, score.name)(argument), values)


@pytest.mark.parametrize(
    "name", ["tta_msp", "tta_entropy", "dropout_entropy", "swag_msp", "swag_entropy"]
)
def test_a_mean_probability_that_rounds_to_1_keeps_its_rank(name):
    doubts = np.array(
        [1e-10, 1e-17, 1e-40, 1e-87, 1e-300]
    )  # p_max is 1 in float64 from the second on
    p = np.stack([1 - doubts, doubts / 4, doubts * 3 / 4, 0 * doubts], axis=1)
    values = getattr(passes, name)(p)
    assert (np.diff(values) < 0).all()
    exact = (
        doubts
        if name.endswith("msp")
        else doubts * (1 - np.log(doubts)) + doubts * entropy([1 / 4, 3 / 4])
    )  # + O(doubt^2)
    np.testing.assert_allclose(values, exact, rtol=1e-9)


def test_ties_and_agreement():
    half = np.array([[0.5, 0.5, 0.0]])
    assert passes.tta_msp(half) == 0.5
    assert passes.dropout_entropy(half) == pytest.approx(np.log(2))
    assert passes.dropout_variation_ratio(np.array([1.0, 0.25])).tolist() == [0, 0.75]
