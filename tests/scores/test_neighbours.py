import warnings
from typing import get_args, get_type_hints

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pytorch_ood import detector
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from threadpoolctl import threadpool_limits

from oecal.scores import neighbours
from oecal.scores.neighbours import knn, nnguide

GRID = (1, 5, 10, 50, 100, 200)
DIMS, CLASSES = 16, 5
WEIGHT = np.random.default_rng(1).normal(size=(CLASSES, DIMS)).astype(np.float32)


def drawn(rng, n=300):
    return np.maximum(rng.normal(0.3, 1, (n, DIMS)), 0).astype(np.float32)


def unit(features):
    f = features.astype(float)
    return f / np.maximum(np.linalg.norm(f, axis=1, keepdims=True), 1e-300)


def by_definition(features, train_features, k):
    return np.sort(cdist(unit(features), unit(train_features)), axis=1)[:, k - 1]


def peer(features, train_features, k):
    found = detector.KNN(None, k=k).fit_features(
        torch.from_numpy(train_features), torch.zeros(len(train_features))
    )
    return found.predict_features(torch.from_numpy(features)).numpy()


@pytest.mark.parametrize("score", [knn, nnguide])
def test_a_search_finds_enough_for_every_k(score):
    assert get_args(get_type_hints(score)["k"]) == GRID
    assert max(GRID) == neighbours.NEAREST


@pytest.mark.parametrize("k", GRID)
def test_knn_equals_its_definition_and_pytorch_ood(rng, k):
    train, test = drawn(rng), drawn(rng, 90)
    found = knn(test, train, k=k)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, by_definition(test, train, k), rtol=1e-6)
    np.testing.assert_allclose(found, peer(test, train, k), rtol=1e-5)


def test_knn_of_three_directions():
    """The k-th nearest of the axes x, y, and both: at 45 degrees 2 sin(22.5), at 90 sqrt(2).

    Lengths mean nothing.
    """
    train = np.array([[3.0, 0], [0, 0.5], [1, 1]], np.float32)
    test = np.array([[7.0, 0]], np.float32)
    for k, value in [
        (1, 0),
        (5, np.sqrt(2)),
    ]:  # of three images, the third is the farthest that there is
        np.testing.assert_allclose(knn(test, train, k=k), value)
    np.testing.assert_allclose(
        knn(test, np.concatenate([train[1:]] * 5), k=5), 2 * np.sin(np.pi / 8)
    )


def test_images_of_the_training_set_have_distance_0(rng):
    """2 - 2 u.v in float32 would be 1e-7 or below 0, and its root no number or 3e-4."""
    train = drawn(rng, 400)
    many = np.concatenate([train, 2 * train, train, train, 4 * train])
    np.testing.assert_array_equal(knn(train, many, k=5), 0)


def test_near_images_keep_their_order(rng):
    """Distances from 1e-6 on, which float32 products next to 1 do not tell apart."""
    centre, others = np.ones((1, DIMS)), np.eye(DIMS)
    step = np.logspace(-6, -1, 40)[:, None] * np.eye(DIMS)[0]
    found = knn(centre + step, np.concatenate([centre, others]), k=1)
    assert (np.diff(found) > 0).all()
    np.testing.assert_allclose(found, by_definition(centre + step, centre, 1), rtol=1e-6)


@pytest.mark.parametrize("silent", [0, 1, 60])
def test_images_without_any_activation(rng, silent):
    """They are at distance 1 from all others and 0 from each other, as in pytorch-ood.

    OpenOOD, which adds 1e-10 to 0/0, has NaN.
    """
    train, test = drawn(rng), drawn(rng, 40)
    train[:silent], test[:5] = 0, 0
    for k in GRID:
        np.testing.assert_allclose(knn(test, train, k=k), peer(test, train, k), rtol=1e-5)
    assert np.isfinite(nnguide(test @ WEIGHT.T, test, train, train @ WEIGHT.T)).all()
    with np.errstate(invalid="ignore"):
        assert np.isnan(np.zeros(2) / np.linalg.norm(np.zeros(2)) + 1e-10).all()


def test_constant_features_are_all_ties():
    train, test = np.ones((5000, DIMS), np.float32), np.ones((3, DIMS), np.float32)
    np.testing.assert_array_equal(knn(test, train, k=200), 0)
    np.testing.assert_allclose(
        nnguide(test @ WEIGHT.T, test, train, train @ WEIGHT.T),
        -(logsumexp(WEIGHT.sum(axis=1)) ** 2),
        rtol=1e-6,
    )


def test_huge_and_tiny_features(rng):
    """float32 squares of them are infinite or 0.

    Pytorch-ood's clamp of the length at 1e-12 shortens the tiny ones.
    """
    train, test = drawn(rng), drawn(rng, 40)
    for scale in np.float32([1e30, 1e-30]):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            np.testing.assert_allclose(
                knn(scale * test, scale * train), knn(test, train), rtol=1e-6
            )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_neither_lengths_nor_the_order_of_training_images_mean_anything(seed):
    rng = np.random.default_rng(seed)
    train, test = drawn(rng), drawn(rng, 20)
    turn = np.linalg.qr(rng.normal(size=(DIMS, DIMS)))[0]

    def length(n):
        return np.exp2(rng.integers(-20, 20, (n, 1)))

    found = knn(test * length(20) @ turn, (train * length(300) @ turn)[rng.permutation(300)], k=10)
    np.testing.assert_allclose(found, knn(test, train, k=10), rtol=1e-6)


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 300).flatmap(
        lambda n: st.tuples(arrays(np.float32, n, elements=st.integers(-9, 9)), st.integers(1, n))
    )
)
def test_the_largest_of_many_ties(drawn):
    values, k = drawn
    found = neighbours._largest(values, k)
    np.testing.assert_array_equal(values[found], np.sort(values)[::-1][:k])
    assert len(set(found)) == k


@pytest.mark.parametrize("n", [40_000, 39_999, 801, 800])
def test_the_largest_of_many(rng, n):
    values = rng.normal(size=n).astype(np.float32)
    np.testing.assert_array_equal(neighbours._largest(values, 200), np.argsort(-values)[:200])


def test_threads_and_memory_change_nothing(rng, monkeypatch):
    train, test = drawn(rng, 2000), drawn(rng, 1500)
    with threadpool_limits(1, "blas"):
        found = knn(test, train)
    with threadpool_limits(2, "blas"):
        np.testing.assert_allclose(knn(test.copy(), train), found, rtol=1e-6)
        monkeypatch.setattr(neighbours, "MEMORY", 1)  # an image at a time
        np.testing.assert_allclose(knn(test.copy(), train), found, rtol=1e-6)


@pytest.mark.parametrize("k", GRID)
def test_nnguide_equals_its_definition_and_pytorch_ood(rng, k):
    train, test = drawn(rng), drawn(rng, 90)
    head = torch.nn.Linear(DIMS, CLASSES, bias=False)
    head.weight.data = torch.from_numpy(WEIGHT)
    found = nnguide(test @ WEIGHT.T, test, train, train @ WEIGHT.T, k=k)
    guide = np.sort(
        unit(test) @ (unit(train) * logsumexp(train @ WEIGHT.T, axis=1)[:, None]).T, axis=1
    )[:, -k:].mean(axis=1)
    np.testing.assert_allclose(found, -guide * logsumexp(test @ WEIGHT.T, axis=1), rtol=1e-5)
    theirs = detector.NNGuide(None, head, k=k).fit_features(
        torch.from_numpy(train), torch.zeros(300)
    )
    np.testing.assert_allclose(
        found,
        theirs.predict_features(torch.from_numpy(test)).detach().numpy(),
        rtol=1e-5,
        atol=1e-5,
    )


def test_nnguide_of_fewer_than_k_images(rng):
    """All of them guide; pytorch-ood refuses."""
    train, test = drawn(rng, 6), drawn(rng, 20)
    products = unit(test) @ (unit(train) * logsumexp(train @ WEIGHT.T, axis=1)[:, None]).T
    found = nnguide(test @ WEIGHT.T, test, train, train @ WEIGHT.T, k=100)
    np.testing.assert_allclose(
        found, -products.mean(axis=1) * logsumexp(test @ WEIGHT.T, axis=1), rtol=1e-5
    )
    with pytest.raises(ValueError, match="at least k=100"):
        detector.NNGuide(None, None, k=100).fit_features(torch.from_numpy(train), torch.zeros(6))
