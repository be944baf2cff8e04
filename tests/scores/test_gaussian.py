import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_ood import detector

from oecal.scores.gaussian import mahalanobis, relative_mahalanobis

N, DIMS, CLASSES = 400, 8, 4


def drawn(rng, n=N, dims=DIMS, classes=CLASSES, offset=0.0):
    """Features of n images, with a covariance of their own, and labels."""
    labels = np.arange(n) % classes
    mix = np.eye(dims) + 0.3 * np.random.default_rng(1).normal(size=(dims, dims))
    means = 2 * np.random.default_rng(2).normal(size=(classes, dims))
    return (offset + means[labels] + rng.normal(size=(n, dims)) @ mix).astype(np.float32), labels


def by_definition(features, train_features, train_labels):
    """Squared distances to each class, (K, N), and to the background, (N,), by pseudo-inverses in
    float64.
    """
    f, train = features.astype(float), train_features.astype(float)
    of_class = [train[train_labels == k] for k in np.unique(train_labels)]
    centred = np.concatenate([part - part.mean(axis=0) for part in of_class])

    def distances(mean, covariance):
        return np.einsum("nd,de,ne->n", f - mean, np.linalg.pinv(covariance), f - mean)

    near = np.stack(
        [distances(part.mean(axis=0), centred.T @ centred / len(train)) for part in of_class]
    )
    return near, distances(train.mean(axis=0), np.cov(train.T, bias=True))


def expected(*arrays):
    near, background = by_definition(*arrays)
    return near.min(axis=0), near.min(axis=0) - background


def peers(features, train_features, train_labels):
    """pytorch-ood's two. Their covariance is not divided by N, and the first one is halved."""
    found = [
        kind(None).fit_features(torch.from_numpy(train_features), torch.from_numpy(train_labels))
        for kind in (detector.Mahalanobis, detector.RMD)
    ]
    values = [
        one.predict_features(torch.from_numpy(features)).numpy().astype(float) * len(train_features)
        for one in found
    ]
    return 2 * values[0], values[1]


def ours(features, *train):
    return mahalanobis(features, *train), relative_mahalanobis(features, *train)


def test_of_two_classes_on_a_line():
    """Means -2 and 2, variance within 1, in all 1 + 4: at 3 the distances are 1 and 9 / 5."""
    train, labels = np.array([[-3.0], [-1], [1], [3]], np.float32), np.array([0, 0, 1, 1])
    near, relative = ours(np.array([[3.0], [0]], np.float32), train, labels)
    np.testing.assert_allclose(near, [1, 4])
    np.testing.assert_allclose(relative, [1 - 9 / 5, 4])


def test_equals_its_definition_and_pytorch_ood(rng):
    train = drawn(rng)
    test = 2 * drawn(rng)[0]
    near, relative = ours(test, *train)
    for values in (expected(test, *train), peers(test, *train)):
        np.testing.assert_allclose(near, values[0], rtol=1e-5)
        np.testing.assert_allclose(
            relative, values[1], rtol=1e-5, atol=1e-5 * near.max()
        )  # a difference of distances


def test_features_far_from_0(rng):
    """pytorch-ood's float32 means are off, and its distances by a part in a hundred."""
    train, test = drawn(rng, offset=1e5), drawn(rng, offset=1e5)[0]
    near, relative = ours(test, *train)
    values = expected(test, *train)
    np.testing.assert_allclose(near, values[0], rtol=1e-5)
    np.testing.assert_allclose(relative, values[1], rtol=1e-5, atol=1e-4)
    assert np.abs(peers(test, *train)[0] / near - 1).max() > 0.01


def test_a_class_without_training_images(rng):
    """pytorch-ood refuses it; the other classes know nothing of it."""
    features, labels = drawn(rng)
    kept = labels != 1
    test = drawn(rng)[0]
    with pytest.raises(AssertionError):
        peers(test, features[kept], labels[kept])
    for found, value in zip(
        ours(test, features[kept], labels[kept]),
        expected(test, features[kept], labels[kept]),
        strict=True,
    ):
        np.testing.assert_allclose(found, value, rtol=1e-5, atol=1e-5)


def test_a_unit_that_was_never_active_in_training(rng):
    """A pseudo-inverse would not see it."""
    features, labels = drawn(rng)
    features[:, 3] = 0
    test = drawn(rng)[0]
    test[:, 3] = 0
    values = expected(test, features, labels)
    for found, value in zip(ours(test, features, labels), values, strict=True):
        np.testing.assert_allclose(found, value, rtol=1e-5, atol=1e-5)
    active = test.copy()
    active[:, 3] = 0.1
    np.testing.assert_allclose(expected(active, features, labels)[0], values[0])
    assert mahalanobis(active, features, labels).min() > mahalanobis(test, features, labels).max()


def test_fewer_images_than_dimensions(rng):
    """What leaves the space of a class is anomalous.

    There, the distance is the pseudo-inverse's, which finds some other class nearer.

    pytorch-ood's float32 inverse is nothing but rounding: some distances are below 0.
    """
    labels = np.arange(12) % 3
    features = rng.normal(size=(12, 40)).astype(np.float32)
    shares = rng.dirichlet(np.ones(4), size=50).astype(np.float32)
    inside = shares @ features[labels == 1]
    near = mahalanobis(inside, features, labels)
    distances = by_definition(inside, features, labels)[0]
    np.testing.assert_allclose(near, distances[1], rtol=1e-2)
    assert (distances.argmin(axis=0) != 1).any()
    assert (
        mahalanobis(inside + np.float32(0.01) * rng.normal(size=(50, 40)), features, labels).min()
        > 1e3 * near.max()
    )
    assert peers(inside, features, labels)[0].min() < 0


def test_constant_features(rng):
    """Without any covariance the distance is Euclidean: the background is as far as the classes."""
    features = np.full((20, DIMS), 0.5, np.float32)
    test = drawn(rng)[0]
    near, relative = ours(test, features, np.arange(20) % 2)
    np.testing.assert_allclose(near, np.square(test.astype(float) - 0.5).sum(axis=1))
    np.testing.assert_allclose(relative, 0, atol=1e-9)


def test_classes_far_from_each_other(rng):
    """|x|^2 - 2 x.y + |y|^2 would leave no digit of the distance."""
    train, labels = drawn(rng)
    train = train + 1e9 * labels[:, None]
    test = drawn(rng)[0][:, ::-1] + 1e9 * labels[:, None]
    np.testing.assert_allclose(
        mahalanobis(test, train, labels), expected(test, train, labels)[0], rtol=1e-5
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-3, 3))
def test_an_affine_map_of_the_features_changes_nothing(seed, log_scale):
    rng = np.random.default_rng(seed)
    (train, labels), test = drawn(rng), drawn(rng)[0]
    turn = np.linalg.qr(rng.normal(size=(DIMS, DIMS)))[0]
    matrix, shift = 10**log_scale * turn * rng.uniform(0.5, 2, DIMS), rng.normal(size=DIMS)
    mapped = ours(test @ matrix + shift, train @ matrix + shift, labels)
    for found, value in zip(mapped, ours(test, train, labels), strict=True):
        np.testing.assert_allclose(found, value, rtol=1e-5, atol=1e-5)
