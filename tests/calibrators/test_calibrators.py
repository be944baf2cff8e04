"""Every method of oecal/calibrators: what holds for all, and what is known of each."""

import importlib

import numpy as np
import pytest
from netcal.binning import HistogramBinning, IsotonicRegression
from netcal.scaling import TemperatureScaling
from scipy.optimize import check_grad
from scipy.special import softmax

from oecal.calibrators import affine
from oecal.core.components import list_components

METHODS = list_components("calibrators", "OUTLIERS")
PARAMETRIC = ("temperature", "vector", "matrix", "dirichlet", "ensemble_temperature")


def drawn(rng, n=600, k=4, factor=3.0):
    """Over-confident logits: `factor` times those that the labels are drawn from."""
    z = 1.5 * rng.normal(size=(n, k))
    labels = np.array([rng.choice(k, p=p) for p in softmax(z, axis=1)])
    return (factor * z).astype(np.float32), labels


def fitted(method, logits, labels):
    module = importlib.import_module(f"oecal.calibrators.{method}")
    return module.fit(logits, labels, *([logits[:50] * 0.5] if module.OUTLIERS else []))


def nll(log_p, labels):
    return -log_p[np.arange(len(labels)), labels].mean()


def test_there_are_eight():
    assert sorted(METHODS) == sorted(
        [*PARAMETRIC, "outlier_temperature", "isotonic", "histogram_binning"]
    )


@pytest.mark.parametrize("method", METHODS)
def test_gives_finite_log_probabilities_that_calibrate(method, rng):
    logits, labels = drawn(rng)
    calibrator = fitted(method, logits, labels)
    new, their_labels = drawn(rng, 3000)
    log_p = calibrator(new)
    assert log_p.dtype == np.float64
    assert np.isfinite(log_p).all()
    np.testing.assert_allclose(np.exp(log_p).sum(axis=1), 1)
    if method in PARAMETRIC:
        assert (
            nll(log_p, their_labels)
            < nll(np.log(softmax(new.astype(float), axis=1)), their_labels) - 0.1
        )
    confidence, right = np.exp(log_p.max(axis=1)), log_p.argmax(axis=1) == their_labels
    if (
        method == "outlier_temperature"
    ):  # these outliers look like ID images: it pays for them with too little confidence
        assert confidence.mean() < right.mean()
    else:
        assert abs(confidence.mean() - right.mean()) < 0.05
    assert (
        np.exp(np.log(softmax(new.astype(float), axis=1)).max(axis=1)).mean() - right.mean() > 0.1
    )  # before


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "case", ["a class missing", "three images", "gap of 150", "ties", "all right"]
)
def test_hostile_inputs(method, case, rng):
    logits, labels = drawn(rng, 60)
    if case == "a class missing":
        logits, labels = logits[labels != 2], labels[labels != 2]
    elif case == "three images":
        logits, labels = logits[:3], labels[:3]
    elif case == "gap of 150":
        logits = (
            np.where(np.arange(4) == labels[:, None], 150, 0).astype(np.float32)
            * np.where(np.arange(60) % 9 == 0, -1, 1)[:, None]
        )
    elif case == "ties":
        logits = np.zeros_like(logits)
    else:
        labels = logits.argmax(axis=1)
    log_p = fitted(method, logits, labels)(np.concatenate([logits, 100 * logits, 0 * logits]))
    assert np.isfinite(log_p).all()
    np.testing.assert_allclose(np.exp(log_p).sum(axis=1), 1)


@pytest.mark.parametrize("method", ["temperature", "ensemble_temperature", "outlier_temperature"])
def test_these_keep_the_prediction(method, rng):
    logits, labels = drawn(rng)
    np.testing.assert_array_equal(
        fitted(method, logits, labels)(logits).argmax(axis=1), logits.argmax(axis=1)
    )


def test_ensemble_temperature_keeps_the_prediction_where_all_are_wrong(rng):
    logits, _ = drawn(rng)
    found = fitted("ensemble_temperature", logits, logits.argmin(axis=1))(logits)
    np.testing.assert_array_equal(found.argmax(axis=1), logits.argmax(axis=1))
    np.testing.assert_allclose(np.exp(found), 1 / 4, atol=1e-6)  # nothing is better than uniform


def test_temperature_is_found_and_equals_netcal(rng):
    logits, labels = drawn(rng, 3000)
    calibrator = fitted("temperature", logits, labels)
    assert calibrator.temperature == pytest.approx(3, rel=0.15)
    peer = TemperatureScaling()
    peer.fit(softmax(logits.astype(float), axis=1), labels)
    np.testing.assert_allclose(
        np.exp(calibrator(logits)), peer.transform(softmax(logits.astype(float), axis=1)), atol=2e-3
    )


def test_outliers_raise_the_temperature(rng):
    logits, labels = drawn(rng)
    module = importlib.import_module("oecal.calibrators.outlier_temperature")
    uniform, confident = np.zeros((50, 4)), np.tile([9.0, 0, 0, 0], (50, 1))
    without = fitted("temperature", logits, labels).temperature
    assert module.fit(logits, labels, uniform).temperature == pytest.approx(
        without, rel=1e-3
    )  # nothing to gain on these
    assert module.fit(logits, labels, confident).temperature > 1.2 * without


def test_vector_scaling_finds_factors_and_offsets(rng):
    z = rng.normal(size=(20_000, 3))
    labels = np.array([rng.choice(3, p=p) for p in softmax(z, axis=1)])
    distorted = (z - [0.5, 0, -0.5]) * [2, 1, 0.5]
    log_p = fitted("vector", distorted, labels)(distorted)
    np.testing.assert_allclose(np.exp(log_p), softmax(z, axis=1), atol=0.03)


@pytest.mark.parametrize("diagonal", [True, False])
def test_gradient(diagonal, rng):
    logits, labels = drawn(rng, 40)
    free = np.eye(4, dtype=bool) if diagonal else np.ones((4, 4), bool)
    arguments = (logits.astype(float), labels, free, 0.3)
    theta = rng.normal(size=free.sum() + 4)

    def value(theta):
        return affine.loss_and_gradient(theta, *arguments)[0]

    def gradient(theta):
        return affine.loss_and_gradient(theta, *arguments)[1]

    assert check_grad(value, gradient, theta) < 1e-4


def test_histogram_binning_of_two_classes_equals_netcal(rng):
    logits, labels = drawn(rng, 2000, 2)
    p = softmax(logits.astype(float), axis=1)
    peer = HistogramBinning(bins=15)
    peer.fit(p[:, 1], labels)
    used = (
        np.bincount(np.ceil(p[:, 1] * 15).astype(int), minlength=17)[
            np.ceil(p[:, 1] * 15).astype(int)
        ]
        > 0
    )
    np.testing.assert_allclose(
        np.exp(fitted("histogram_binning", logits, labels)(logits))[used, 1],
        peer.transform(p[:, 1])[used],
        atol=1e-6,
    )


@pytest.mark.parametrize("classes", [2, 5])
def test_isotonic_equals_netcal(classes, rng):
    """Of two classes netcal maps the second's probability alone.

    That of the first is its mirror image, so normalising changes nothing.
    """
    logits, labels = drawn(rng, 1000, classes)
    new, _ = drawn(rng, 2000, classes)
    p, new_p = (softmax(z.astype(float), axis=1) for z in (logits, new))
    peer, found = IsotonicRegression(), np.exp(fitted("isotonic", logits, labels)(new))
    if classes == 2:
        peer.fit(p[:, 1], labels)
        np.testing.assert_allclose(found[:, 1], peer.transform(new_p[:, 1]), atol=1e-6)
    else:
        peer.fit(p, labels)
        np.testing.assert_allclose(found, peer.transform(new_p), atol=1e-6)


def test_isotonic_where_every_class_is_mapped_to_0():
    """Each class is never right up to 0.45, and always from 0.54 on.

    Of p = 1/3 netcal makes 0 / 0, ours is uniform.
    """
    p = np.array([[0.54, 0.45, 0.01], [0.01, 0.54, 0.45], [0.45, 0.01, 0.54]])
    peer = IsotonicRegression()
    peer.fit(p, np.arange(3))
    with np.errstate(invalid="ignore"):
        assert np.isnan(peer.transform(np.full((2, 3), 1 / 3))).all()
    found = np.exp(
        fitted("isotonic", np.log(p), np.arange(3))(
            np.log(np.concatenate([p, np.full((1, 3), 1 / 3)]))
        )
    )
    np.testing.assert_allclose(
        found, np.concatenate([np.eye(3), np.full((1, 3), 1 / 3)]), atol=1e-12
    )


def test_isotonic_by_hand():
    """Two classes, p_1 = 0.1, 0.2, 0.8, 0.9 and labels 0, 1, 0, 1: the middle two are pooled."""
    p = np.array([0.1, 0.2, 0.8, 0.9])
    logits = np.log(np.stack([1 - p, p], axis=1))
    found = np.exp(fitted("isotonic", logits, np.array([0, 1, 0, 1]))(logits))
    np.testing.assert_allclose(found[:, 1], [0, 0.5, 0.5, 1], atol=1e-12)
