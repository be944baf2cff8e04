import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pytorch_ood.detector import ASH, DICE, SCALE, ReAct
from scipy.special import logsumexp

from oecal.scores.catalogue import find_score
from oecal.scores.shaping import ash, dice, react, scale

D, K = 40, 7


@pytest.fixture
def head(rng):
    return rng.normal(size=(K, D)).astype(np.float32), rng.normal(size=K).astype(np.float32)


@pytest.fixture
def features(rng):
    return np.maximum(rng.normal(0.5, 1, (100, D)), 0).astype(np.float32)


@pytest.fixture
def train(rng):
    return np.maximum(rng.normal(0.7, 1, (300, D)), 0).astype(np.float32)


def double(array):
    return torch.from_numpy(np.asarray(array)).double()


def layer(head):
    return lambda f: torch.nn.functional.linear(f.flatten(1), *map(double, head))


def peer_react(f, head, train, percentile):
    peer = ReAct(None, layer(head), percentile=percentile / 100)
    return (
        peer.fit_feature_maps(torch.from_numpy(train), torch.zeros(len(train)))
        .predict_feature_maps(double(f))
        .numpy()
    )


def peer_ash(f, head, percentile):
    return (
        ASH(None, layer(head), "ash-s", percentile / 100)
        .predict_feature_maps(double(f)[:, :, None, None])
        .numpy()
    )


def peer_scale(f, head, percentile):
    return (
        SCALE(None, layer(head), percentile / 100)
        .predict_feature_maps(double(f)[:, :, None, None])
        .numpy()
    )


def peer_dice(f, head, train, percentile):
    peer = DICE(None, *map(torch.from_numpy, head), percentile / 100)
    return (
        peer.fit_features(torch.from_numpy(train), torch.zeros(len(train)))
        .predict_features(torch.from_numpy(f))
        .numpy()
    )


@pytest.mark.parametrize("percentile", find_score("react").grids["percentile"])
def test_react_equals_pytorch_ood(features, head, train, percentile):
    expected = peer_react(features, head, train, percentile)
    np.testing.assert_allclose(
        react(features, *head, train, percentile=percentile), expected, rtol=1e-5
    )


@pytest.mark.parametrize("ours, peer", [(ash, peer_ash), (scale, peer_scale)])
@pytest.mark.parametrize("percentile", find_score("ash").grids["percentile"])
def test_ash_and_scale_equal_pytorch_ood(features, head, percentile, ours, peer):
    np.testing.assert_allclose(
        ours(features, *head, percentile=percentile), peer(features, head, percentile), rtol=1e-5
    )


@pytest.mark.parametrize("percentile", find_score("dice").grids["percentile"])
def test_dice_equals_pytorch_ood(features, head, train, percentile):
    expected = peer_dice(features, head, train, percentile)
    np.testing.assert_allclose(
        dice(features, *head, train, percentile=percentile), expected, rtol=1e-5, atol=1e-5
    )


def test_defaults_are_the_published_values():
    published = {"react": 90, "ash": 90, "scale": 85, "dice": 90}
    assert {name: find_score(name).options["percentile"] for name in published} == published


def test_by_hand():
    weight, bias = np.array([[1.0, -1, 0.5, 2], [0, 1, 1, -1]]), np.array([0.5, 0])
    f = np.array([[4.0, 1, 2, 3]])
    # Half of four stay: 4 and 3, of a sum of 10; the factor is exp(10 / 7).
    factor = np.exp(10 / 7)
    ash_logits = factor * weight @ [4, 0, 0, 3] + bias
    scale_logits = factor * weight @ [4, 1, 2, 3] + bias
    np.testing.assert_allclose(ash(f, weight, bias, percentile=50), -logsumexp(ash_logits))
    np.testing.assert_allclose(scale(f, weight, bias, percentile=50), -logsumexp(scale_logits))
    # The 90th percentile of the training activations 0, 1, 2, 3, 2.5, 0 lies in the middle of 2.5
    # and 3.
    train = np.array([[0.0, 1, 2], [3, 2.5, 0]])
    np.testing.assert_allclose(
        react(f[:, :3], weight[:, :3], bias, train), -logsumexp(weight[:, :3] @ [2.75, 1, 2] + bias)
    )
    # Mean training features 1.5, 1.75, 1: contributions 1.5, -1.75, 0.5 and 0, 1.75, 1, of which
    # the three largest stay.
    kept = np.array([[1, 0, 0], [0, 1, 1]])
    np.testing.assert_allclose(
        dice(f[:, :3], weight[:, :3], bias, train, percentile=50),
        -logsumexp(kept @ f[0, :3] + bias),
    )


def test_an_image_without_activation(head, features, train):
    """0 / 0 in pytorch-ood; here no factor changes what is 0, and the logits are the bias."""
    silent = np.zeros((2, D), np.float32)
    for values in (
        ash(silent, *head),
        scale(silent, *head),
        react(silent, *head, train),
        dice(silent, *head, train),
    ):
        np.testing.assert_allclose(values, -logsumexp(head[1].astype(float)))
    assert np.isnan(peer_ash(silent, head, 90)).all()
    assert np.isnan(peer_scale(silent, head, 85)).all()


def test_ties_do_not_depend_on_the_order_of_the_units(rng, head, train):
    """Of equal activations pytorch-ood keeps whichever the sort leaves first.

    So its ASH changes with a renumbering of the units.
    """
    f = rng.integers(1, 3, (30, D)).astype(np.float32)
    order = rng.permutation(D)
    renumbered = head[0][:, order], head[1]
    for ours in (ash, scale):
        np.testing.assert_allclose(ours(f[:, order], *renumbered), ours(f, *head), rtol=1e-12)
    np.testing.assert_allclose(
        react(f[:, order], *renumbered, train[:, order]), react(f, *head, train), rtol=1e-12
    )
    np.testing.assert_allclose(
        dice(f[:, order], *renumbered, train[:, order]), dice(f, *head, train), rtol=1e-12
    )
    assert not np.allclose(peer_ash(f[:, order], renumbered, 90), peer_ash(f, head, 90))


def test_equal_contributions(features, head):
    """pytorch-ood keeps what is above the quantile: of equal contributions nothing, and all images
    look alike.
    """
    weight, bias = np.ones((K, D), np.float32), head[1]
    constant = np.ones((5, D), np.float32)
    np.testing.assert_allclose(
        dice(features, weight, bias, constant),
        -logsumexp(features.astype(float) @ weight.T + bias, axis=1),
    )
    assert len(np.unique(peer_dice(features, (weight, bias), constant, 90))) == 1


def test_fewer_training_images_than_units_and_few_units(rng, head, features):
    few = features[:3]
    np.testing.assert_allclose(
        react(features, *head, few), peer_react(features, head, few, 90), rtol=1e-5
    )
    np.testing.assert_allclose(
        dice(features, *head, few), peer_dice(features, head, few, 90), rtol=1e-5, atol=1e-5
    )
    small, narrow = np.maximum(rng.normal(0.5, 1, (20, 8)), 0.1), (head[0][:, :8], head[1])
    # 5% of eight units is none: pytorch-ood divides by 0, here the largest stays.
    top = np.where(small == small.max(axis=1, keepdims=True), small, 0)
    factor = np.exp(small.sum(axis=1) / top.sum(axis=1))[:, None]
    np.testing.assert_allclose(
        ash(small, *narrow, percentile=95),
        -logsumexp(factor * top @ narrow[0].T + narrow[1], axis=1),
    )
    assert not np.isfinite(peer_scale(small, narrow, 95)).any()


@given(arrays(np.float32, (2, 12), elements=st.floats(0, 1e4, width=32)))
def test_finite_and_react_sees_nothing_above_its_threshold(f):
    rng = np.random.default_rng(0)
    weight, bias, train = (
        rng.normal(size=(3, 12)),
        rng.normal(size=3),
        np.maximum(rng.normal(size=(20, 12)), 0),
    )
    before = f.copy()
    for values in (
        ash(f, weight, bias),
        scale(f, weight, bias),
        react(f, weight, bias, train),
        dice(f, weight, bias, train),
    ):
        assert values.dtype == np.float64
        assert np.isfinite(values).all()
    np.testing.assert_array_equal(f, before)
    inside = np.minimum(f, np.percentile(train, 90))
    np.testing.assert_allclose(
        react(f, weight, bias, train), react(inside, weight, bias, train), rtol=1e-6
    )
