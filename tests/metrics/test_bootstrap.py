"""Bootstrap intervals: what is resampled is what it says, and the intervals hold the truth as often
as they should.
"""

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.metrics import roc_auc_score

from oecal.metrics import bootstrap as module
from oecal.metrics.bootstrap import (
    bootstrap,
    draw_chunks,
    make_class_statistics,
    make_confidence_statistics,
)
from oecal.metrics.calibration_metrics import (
    bin_by_mass,
    bin_by_width,
    classwise_ece,
    confidence_metrics,
    gap,
    label_metrics,
    soft_f1,
)
from oecal.metrics.norm_interval import Binned, Estimate, difference_interval, norm
from oecal.metrics.resamples import percentile_interval
from oecal.metrics.selective_metrics import selective_metrics


def of_ones(found):
    return {
        name: norm(v.parts, v.order)[0] ** v.power if isinstance(v, Binned) else v[0]
        for name, v in found.items()
    }


def estimated(confidence, correct, seed=0, resamples=200):
    n = len(confidence)
    return bootstrap(
        [make_confidence_statistics(confidence, correct)],
        draw_chunks([(n, np.random.default_rng(seed))], resamples),
        n,
    )


def selected(confidence, correct):
    found = selective_metrics(-confidence, 1 - correct, 1, 1)
    return {name: found[name] for name in ("aurc", "eaurc", "augrc")}


def test_resamples_of_strata():
    def drawn():
        return np.concatenate(
            list(
                draw_chunks([(30, np.random.default_rng(1)), (20, np.random.default_rng(2))], 500)
            ),
            axis=1,
        )

    weights = drawn()
    assert weights.shape == (50, 500)
    assert (weights[:30].sum(axis=0) == 30).all()
    assert (weights[30:].sum(axis=0) == 20).all()
    np.testing.assert_allclose(weights.mean(axis=1), 1, atol=0.25)
    np.testing.assert_allclose(weights.var(), 1, atol=0.1)  # binomial: 1 - 1 / n
    np.testing.assert_array_equal(weights, drawn())


def test_resamples_do_not_depend_on_how_many_fit_into_memory(monkeypatch):
    whole = np.concatenate(list(draw_chunks([(40, np.random.default_rng(1))], 50)), axis=1)
    monkeypatch.setattr(module, "CELLS", 300)
    parts = list(draw_chunks([(40, np.random.default_rng(1))], 50))
    assert [part.shape[1] for part in parts] == [7] * 7 + [1]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)


CONFIDENCES = {
    "random": lambda rng: 0.2 + 0.8 * rng.random(450),
    "ties": lambda rng: rng.integers(1, 6, 450) / 5,
    "constant": lambda rng: np.full(250, 0.7),
    "few": lambda rng: rng.random(30),
}


@pytest.mark.parametrize("name", CONFIDENCES)
def test_each_image_once_gives_the_metrics(name, rng):
    confidence = CONFIDENCES[name](rng)
    correct = rng.random(len(confidence)) < confidence
    found = of_ones(make_confidence_statistics(confidence, correct)(np.ones((len(confidence), 1))))
    expected = confidence_metrics(confidence, correct) | selected(confidence, correct)
    squared = gap(bin_by_mass(confidence, correct.astype(float), 15), 2) ** 2
    assert found.pop("ce2_debiased") == pytest.approx(squared)  # of what it takes the bias away
    assert found.pop("smece") == pytest.approx(expected["smece"], rel=2e-3)  # at fewer points
    assert found == pytest.approx({name: expected[name] for name in found}, abs=1e-12)


def test_each_image_once_gives_the_metrics_of_classes(rng):
    logits, labels = rng.normal(0, 2, (300, 4)), rng.integers(4, size=300)
    found = of_ones(make_class_statistics(log_softmax(logits, axis=1), labels)(np.ones((300, 1))))
    assert found == pytest.approx(label_metrics(logits, labels), abs=1e-12)


@pytest.mark.parametrize("name", CONFIDENCES)
def test_weights_are_repetitions(name, rng):
    confidence = CONFIDENCES[name](rng)
    correct = rng.random(len(confidence)) < confidence
    (weights,) = draw_chunks([(len(confidence), rng)], 3)
    found = make_confidence_statistics(confidence, correct)(weights)
    for b, w in enumerate(weights.T):
        c, y = (np.repeat(v, w.astype(int)) for v in (confidence, correct.astype(float)))
        assert found["accuracy"][b] == pytest.approx(y.mean())
        assert found["mean_confidence"][b] == pytest.approx(c.mean())
        assert found["soft_f1"][b] == pytest.approx(soft_f1(c, y))
        assert found["error_auroc"][b] == pytest.approx(
            roc_auc_score(correct, confidence, sample_weight=w)
        )
        assert norm(found["ece"].parts, 1)[b] == pytest.approx(gap(bin_by_width(c, y), 1))
        assert {name: found[name][b] for name in ("aurc", "eaurc", "augrc")} == pytest.approx(
            selected(c, y)
        )


def test_intervals_of_means_have_the_normal_width(rng):
    confidence = rng.random(1000)
    found = estimated(confidence, rng.random(1000) < 0.8, resamples=2000)
    assert found["accuracy"].high - found["accuracy"].low == pytest.approx(
        2 * 1.96 * np.sqrt(0.8 * 0.2 / 1000), rel=0.1
    )
    assert found["mean_confidence"].high - found["mean_confidence"].low == pytest.approx(
        2 * 1.96 * confidence.std() / 1000**0.5, rel=0.1
    )


def simulated(rng, n, gap_at):
    """Accuracies between 0.3 and 0.85, and confidences that exceed them by the gap at each."""
    p = 0.3 + 0.55 * rng.random(n) ** 0.5
    return p + gap_at(p), rng.random(n) < p


ERRORS = ("ece", "ace", "mce", "rms", "mad", "smece", "ce2_debiased", "reliability")


def test_a_calibrated_model_is_not_called_miscalibrated(rng):
    """0 is in at least 93% of the intervals; never in one of percentiles."""
    covers, plain = [], []
    for seed in range(100):
        confidence, correct = simulated(rng, 800, np.zeros_like)
        found = estimated(confidence, correct, seed)
        covers.append([found[name].low == 0 for name in ERRORS])
        (weights,) = draw_chunks([(800, rng)], 100)
        ece = make_confidence_statistics(confidence, correct)(weights)["ece"]
        plain.append(percentile_interval(norm(ece.parts, 1))[0] <= 0.01)
    assert (np.mean(covers, axis=0) >= 0.93).all()
    assert not any(plain)


@pytest.mark.parametrize("shape", ["everywhere", "above 0.8 only"])
def test_a_true_error_is_covered(shape, rng):
    """The gap of 0.06 keeps its sign in each bin of ECE, so that the true errors are the same in
    bins and without. Nominal: 95%.
    """
    covers = []
    for seed in range(100):
        confidence, correct = simulated(
            rng,
            1500,
            lambda p: np.full_like(p, 0.06) if shape == "everywhere" else 0.06 * (p > 0.8),
        )
        share = 1.0 if shape == "everywhere" else 1 - (0.5 / 0.55) ** 2  # P(p > 0.8)
        found = estimated(confidence, correct, seed)
        truth = dict.fromkeys(("ece", "ace", "mad", "smece"), 0.06 * share) | {
            "mce": 0.06,
            "rms": 0.06 * share**0.5,
        }
        truth |= dict.fromkeys(("ce2_debiased", "reliability"), 0.06**2 * share)
        covers.append([found[name].low <= t <= found[name].high for name, t in truth.items()])
    shares = dict(zip(truth, np.mean(covers, axis=0), strict=True))
    assert all(shares[name] >= 0.9 for name in ("ece", "rms", "mad"))
    assert min(shares.values()) >= 0.88
    assert 0.92 <= np.mean(covers) <= 0.985


def test_errors_of_classes_are_covered(rng):
    """Labels drawn from ten logits, and the same logits sharpened: the class-wise ECE is 0, and
    that of many images.

    Of 1,000 images the second would be covered in 70 to 80% only: bins of rare probabilities hold
    too few images to show their noise.
    """

    def drawn(n, factor):
        logits = 2 * rng.normal(size=(n, 10))
        labels = (logits + rng.gumbel(size=(n, 10))).argmax(axis=1)
        return log_softmax(factor * logits, axis=1), labels

    log_p, labels = drawn(200_000, 1.5)
    truth, covers = classwise_ece(np.exp(log_p), labels), []
    for seed in range(30):
        one = [
            bootstrap(
                [make_class_statistics(*drawn(5000, factor))],
                draw_chunks([(5000, np.random.default_rng(seed))], 100),
                5000,
            )["cwece"]
            for factor in (1, 1.5)
        ]
        covers.append([one[0].low == 0, one[1].low <= truth <= one[1].high])
    assert (np.mean(covers, axis=0) >= 0.85).all()


def test_a_difference_is_covered(rng):
    """0.06 against a calibrated model: plain differences of replicates keep the bias of the second
    alone, and rarely hold the truth. Of two models that err alike, the difference is known better
    than either error.
    """
    covers, plain = [], []
    for seed in range(40):
        calibrated, correct = simulated(rng, 1500, np.zeros_like)
        more, less, one, two = (
            estimated(calibrated + excess, correct, seed)["rms"] for excess in (0.14, 0.11, 0.06, 0)
        )
        limits = difference_interval(one, two), difference_interval(more, less)
        covers.append(
            [low <= truth <= high for (low, high), truth in zip(limits, (0.06, 0.03), strict=True)]
        )
        assert limits[1][1] - limits[1][0] < (more.high - more.low) / 2
        both = [
            make_confidence_statistics(calibrated + excess, correct)(w)
            for excess in (0.06, 0)
            for w in draw_chunks([(1500, rng)], 100)
        ]
        low, high = percentile_interval(
            np.subtract(*(norm(found["rms"].parts, 2) for found in both))
        )
        plain.append(low <= 0.06 <= high)
    assert (np.mean(covers, axis=0) >= 0.9).all()
    assert np.mean(plain) < 0.5


def test_differences_of_means_are_paired():
    replicates = np.arange(101.0)
    one, other = Estimate(0, 0, replicates + 5), Estimate(0, 0, replicates)
    assert difference_interval(one, other) == (5, 5)


def test_a_model_does_not_differ_from_itself(rng):
    confidence, correct = simulated(rng, 800, lambda p: np.full_like(p, 0.09))
    for name, one in estimated(confidence, correct).items():
        low, high = difference_interval(one, one)
        assert low <= 0 <= high
        if name == "mce":  # of a bin with few images: cannot be told from noise
            assert one.low == 0
        else:
            square = name in ("ce2_debiased", "reliability", "resolution")
            assert high - low < (one.high - one.low) * (
                2 / 3 if square else 1 / 3
            )  # 0 but for an interval that is not symmetric


@pytest.mark.parametrize(
    ("confidence", "correct"),
    [
        (np.ones(300), np.ones(300)),
        (np.full(300, 0.9), np.ones(300)),
        (np.ones(300), np.zeros(300)),
        (np.array([0.6]), np.array([1])),
        (np.full(200, 0.5), np.arange(200) % 2),
        (np.zeros(2), np.array([0, 1])),
        (np.r_[0.4, np.ones(150)], np.r_[0, np.ones(150)]),
    ],
)
def test_hostile_inputs(confidence, correct):
    found = estimated(confidence, correct, resamples=50)
    for name, one in found.items():
        if name != "error_auroc" or 0 < correct.sum() < len(correct):
            assert 0 <= one.low <= one.high
        else:
            assert np.isnan([one.low, one.high]).all()
        low, high = difference_interval(one, one)
        assert np.isnan(one.low) or low <= 1e-6 <= high + 2e-6
    value = confidence_metrics(confidence, correct)["ece"]
    if len(np.unique(correct)) == 1:  # nothing varies but how many are drawn of what
        assert (found["ece"].low, found["ece"].high) == pytest.approx((value, value), abs=1e-4)
