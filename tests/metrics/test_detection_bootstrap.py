"""Bootstrap of AUROC and FPR95: each resample is the metric of the images drawn.

Intervals cover; differences are paired.
"""

import numpy as np
import pytest
from scipy.stats import norm

from oecal.metrics.detection_bootstrap import count_inside, resample_detection
from oecal.metrics.detection_metrics import detection_metrics
from oecal.metrics.resamples import draw_weights, percentile_interval


def replicates(known, unknown, resamples, rng):
    weights = draw_weights(len(known), resamples, rng), draw_weights(len(unknown), resamples, rng)
    return resample_detection(count_inside(known, weights[0]), unknown, weights[1]), weights


@pytest.mark.parametrize("levels", [3, 20, 10**6])
def test_each_resample_is_the_metric_of_the_images_drawn(rng, levels):
    known, unknown = (
        rng.integers(levels, size=57) / levels,
        rng.integers(levels, size=41) / levels + 0.2,
    )
    found, (w, v) = replicates(known, unknown, 30, rng)
    assert (w.sum(axis=0) == 57).all()
    assert (v.sum(axis=0) == 41).all()
    for b in range(30):
        expected = detection_metrics(
            np.repeat(known, w[:, b].astype(int)), np.repeat(unknown, v[:, b].astype(int))
        )
        for name in ("auroc", "fpr95"):
            assert found[name][b] == pytest.approx(expected[name], abs=1e-7)


def test_weights_of_one_give_the_metric_itself(rng):
    known, unknown = rng.normal(size=500), rng.normal(1, 1, 400)
    found = resample_detection(
        count_inside(known, np.ones((500, 1), np.float32)), unknown, np.ones((400, 1), np.float32)
    )
    expected = detection_metrics(known, unknown)
    assert {name: values[0] for name, values in found.items()} == pytest.approx(
        {n: expected[n] for n in found}, abs=1e-7
    )


def placements_variance(known, unknown):
    """DeLong, DeLong & Clarke-Pearson (Biometrics 1988): the variance of the AUROC."""
    above = (unknown[:, None] > known).astype(float)
    return above.mean(axis=1).var(ddof=1) / len(unknown) + above.mean(axis=0).var(ddof=1) / len(
        known
    )


def test_the_spread_is_that_of_delong(rng):
    known, unknown = rng.normal(size=600), rng.normal(1, 1.5, 300)
    found, _ = replicates(known, unknown, 4000, rng)
    assert found["auroc"].std() == pytest.approx(
        placements_variance(known, unknown) ** 0.5, rel=0.05
    )


def test_intervals_cover():
    """Normal scores, 400 simulations: 95% intervals cover the true AUROC, and the true difference
    of two paired scores, in 93 to 97%.
    """
    rng, covered, paired = np.random.default_rng(8), 0, 0
    truth = [norm.cdf(shift / np.sqrt(2)) for shift in (1.0, 1.5)]
    for _ in range(400):
        shared = rng.normal(size=300), rng.normal(size=200)  # what both scores have in common
        weights = draw_weights(300, 300, rng), draw_weights(200, 300, rng)
        both = []
        for shift in (1.0, 1.5):
            known, unknown = ((s + rng.normal(size=len(s))) / np.sqrt(2) for s in shared)
            both.append(
                resample_detection(count_inside(known, weights[0]), unknown + shift, weights[1])[
                    "auroc"
                ]
            )
        low, high = percentile_interval(both[0])
        covered += low <= truth[0] <= high
        low, high = percentile_interval(both[1] - both[0])
        paired += low <= truth[1] - truth[0] <= high
    assert 0.93 <= covered / 400 <= 0.97
    assert 0.93 <= paired / 400 <= 0.97
