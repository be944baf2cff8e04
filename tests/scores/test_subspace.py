import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_ood import detector
from scipy.special import logsumexp

from oecal.scores.subspace import vim

DIMS, CLASSES = 16, 5
WEIGHT, BIAS = (
    np.random.default_rng(1).normal(size=(CLASSES, DIMS)).astype(np.float32),
    np.linspace(-1, 2, CLASSES, dtype=np.float32),
)
GRID = (10, 25, 50, 75, 90)


def logits(features, weight=WEIGHT):
    return features @ weight.T + BIAS


def drawn(rng, n=400, offset=0.0):
    """Features whose axes have clearly different lengths."""
    axes = np.linalg.qr(np.random.default_rng(2).normal(size=(DIMS, DIMS)))[0] * np.logspace(
        0.5, -0.5, DIMS
    )
    return (offset + rng.normal(size=(n, DIMS)) @ axes.T).astype(np.float32)


def ours(test, train, percent=50, weight=WEIGHT):
    return vim(
        logits(test, weight), test, weight, BIAS, train, logits(train, weight), percent=percent
    )


def by_definition(test, train, percent=50):
    """From singular vectors, in float64."""
    origin = -np.linalg.pinv(WEIGHT.astype(float)) @ BIAS
    outside = np.linalg.svd(train - origin)[2][round(DIMS * percent / 100) :]
    residual, of_train = (np.linalg.norm((f - origin) @ outside.T, axis=1) for f in (test, train))
    return logits(train).max(axis=1).mean() / of_train.mean() * residual - logsumexp(
        logits(test).astype(float), axis=1
    )


def peer(test, train, dims):
    found = detector.ViM(None, dims, torch.from_numpy(WEIGHT), torch.from_numpy(BIAS))
    return (
        found.fit_features(torch.from_numpy(train), None)
        .predict_features(torch.from_numpy(test))
        .numpy()
    )


@pytest.mark.parametrize("percent", GRID)
def test_equals_its_definition_and_pytorch_ood(rng, percent):
    train, test = drawn(rng), 2 * drawn(rng, 90)
    found = ours(test, train, percent)
    assert found.dtype == np.float64
    np.testing.assert_allclose(
        found, by_definition(test, train, percent), rtol=1e-6, atol=1e-6 * np.abs(found).max()
    )
    np.testing.assert_allclose(
        found,
        peer(test, train, round(DIMS * percent / 100)),
        rtol=1e-5,
        atol=1e-5 * np.abs(found).max(),
    )


def test_of_a_line_in_a_plane():
    """W = 1, b = 0: the origin is 0.

    Training features on the first axis but for 0.1; logits (x, y), so alpha = 2 / 0.1.
    """
    weight, train = np.eye(2, dtype=np.float32), np.array([[2, 0.1], [2, -0.1]], np.float32)
    test = np.array([[2, 0.5], [0, 1]], np.float32)
    found = vim(test, test, weight, np.zeros(2, np.float32), train, train)
    np.testing.assert_allclose(
        found, [20 * 0.5 - logsumexp([2, 0.5]), 20 - logsumexp([0, 1])], rtol=1e-6
    )


def test_features_far_from_0(rng):
    """What float32 loses there is as much as what is outside: pytorch-ood is off by half of the
    largest score.
    """
    train, test = drawn(rng, offset=1e3), drawn(rng, 90, offset=1e3)
    expected = by_definition(test, train)
    np.testing.assert_allclose(
        ours(test, train), expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max()
    )
    assert np.abs(peer(test, train, 8) - expected).max() > 0.3 * np.abs(expected).max()


@pytest.mark.parametrize("percent", GRID)
def test_training_features_that_leave_nothing_outside(rng, percent):
    """Fewer images than axes: all that is outside is anomalous, and what is not has its energy."""
    train = drawn(rng, 1)
    outside = train + np.float32(0.1) * drawn(rng, 50)
    assert ours(outside, train, percent).min() > ours(train, train, percent)[0] + 100
    np.testing.assert_allclose(
        ours(train, train, percent), -logsumexp(logits(train), axis=1), atol=20
    )


def test_silent_images(rng):
    """Features and bias 0: nothing has a length."""
    zeros = np.zeros((9, DIMS), np.float32)
    found = vim(zeros[:, :5], zeros, WEIGHT, 0 * BIAS, zeros, zeros[:, :5])
    np.testing.assert_allclose(found, -np.log(5))


def test_huge_features(rng):
    train, test = drawn(rng), np.float32(1e18) * drawn(rng, 50)
    assert np.isfinite(ours(test, train)).all()
    assert np.isfinite(ours(test, np.float32(1e18) * train)).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(GRID))
def test_turning_the_feature_space_changes_nothing(seed, percent):
    rng = np.random.default_rng(seed)
    train, test = drawn(rng), drawn(rng, 50)
    turn = np.linalg.qr(rng.normal(size=(DIMS, DIMS)))[0]
    found = ours(test @ turn, train @ turn, percent, WEIGHT @ turn)
    np.testing.assert_allclose(found, ours(test, train, percent), rtol=1e-5, atol=1e-4)
