"""Selective prediction against pytorch-ood and scikit-learn on inputs that are hard to get right;
by definition in exact fractions.
"""

from fractions import Fraction

import numpy as np
import pytest
import torch
from pytorch_ood.metrics import functional as pytorch_ood
from scipy.special import softmax
from sklearn.metrics import roc_auc_score

from oecal.metrics.selective_metrics import selective_metrics

RNG = np.random.default_rng(5)


def close(expected):
    return pytest.approx(expected, rel=1e-5, abs=1e-12)


def without(cases, *names):
    return [name for name in cases if name not in names]


def saturated(logits):
    """MSP as most codebases compute it: in float32, where a gap of 18 rounds to a confidence of
    just 1.
    """
    return -softmax(logits.astype(np.float32), axis=1).max(axis=1)


RANKED = {
    "random": (RNG.normal(size=90), RNG.integers(0, 2, 90)),
    "ties": (RNG.integers(0, 5, 80), RNG.integers(0, 2, 80)),
    "saturated": (saturated(RNG.normal(0, 12, (100, 5))), RNG.integers(0, 2, 100)),
    "constant": (np.zeros(30), np.r_[np.ones(7), np.zeros(23)]),
    "no error": (RNG.normal(size=20), np.zeros(20)),
    "all errors": (RNG.normal(size=20), np.ones(20)),
    "one": (np.array([3.0]), np.array([1])),
    "two": (np.array([2.0, 1.0]), np.array([0, 1])),
    "huge": (RNG.normal(0, 1e300, 50), RNG.integers(0, 2, 50)),
    "just 5%": (np.arange(40.0), np.r_[np.zeros(19), 1, np.ones(20)]),
}


def selective_by_definition(scores, errors, target_risk, target_coverage):
    """Coverage by coverage, in fractions; a part of a tie has its share of the tie's errors."""
    n, risks = len(scores), []
    for k in range(1, n + 1):
        last = np.sort(scores)[k - 1]
        surely, tied = scores < last, scores == last
        wrong = int(errors[surely].sum()) + Fraction(int(errors[tied].sum()), int(tied.sum())) * (
            k - int(surely.sum())
        )
        risks.append(wrong / k)
    total = int(errors.sum())
    best = [Fraction(max(k - (n - total), 0), k) for k in range(1, n + 1)]
    return {
        "aurc": sum(risks) / n,
        "eaurc": (sum(risks) - sum(best)) / n,
        "augrc": sum(r * k for k, r in enumerate(risks, 1)) / n**2,
        "coverage_at_risk": Fraction(
            max((k for k, r in enumerate(risks, 1) if r <= target_risk), default=0), n
        ),
        "risk_at_coverage": risks[-(-target_coverage * n // 1) - 1],
    }


@pytest.mark.parametrize("name", RANKED)
def test_selective_prediction_by_definition(name):
    scores, errors = RANKED[name]
    for risk, coverage in (
        (Fraction(5, 100), Fraction(80, 100)),
        (Fraction(1, 3), Fraction(1, 2)),
        (Fraction(0), Fraction(1)),
    ):
        expected = selective_by_definition(scores, errors, risk, coverage)
        assert selective_metrics(scores, errors, float(risk), float(coverage)) == close(
            {k: float(v) for k, v in expected.items()}
        )


@pytest.mark.parametrize("name", without(RANKED, "ties", "saturated", "constant"))
def test_aurc_is_one_minus_pytorch_oods_aurra(name):
    """Where no scores tie; pytorch-ood leaves their order to the sort."""
    scores, errors = RANKED[name]
    aurra = pytorch_ood.aurra(-torch.from_numpy(scores), torch.from_numpy(1 - errors))
    assert selective_metrics(scores, errors, 0.1, 0.8)["aurc"] == close(1 - aurra)


@pytest.mark.parametrize("name", without(RANKED, "no error", "all errors", "one"))
def test_augrc_is_scikit_learns_auroc_of_the_errors(name):
    """Of e errors among n, sum of accepted errors = e (n + 1) - AUROC e (n - e) - e (e + 1) / 2
    (Traub et al., NeurIPS 2024, with ties).
    """
    scores, errors = RANKED[name]
    n, e = len(errors), errors.sum()
    accepted = e * (n + 1) - roc_auc_score(errors, scores) * e * (n - e) - e * (e + 1) / 2
    assert selective_metrics(scores, errors, 0.1, 0.8)["augrc"] == close(accepted / n**2)
