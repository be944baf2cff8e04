import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_ood import detector

from oecal.scores.hopfield import she

DIMS, CLASSES = 12, 5
WEIGHT = np.random.default_rng(1).normal(size=(CLASSES, DIMS)).astype(np.float32)
WEIGHT -= WEIGHT.mean(axis=1, keepdims=True)  # so that every class is predicted


def drawn(rng, n):
    return np.maximum(rng.normal(0.3, 1, (n, DIMS)), 0).astype(np.float32)


def trained(rng, n=300):
    """Features, logits, and labels of which two in three are what is predicted."""
    features = drawn(rng, n)
    z = features @ WEIGHT.T
    return (
        features,
        z,
        np.where(rng.random(n) < 2 / 3, z.argmax(axis=1), rng.integers(CLASSES, size=n)),
    )


def peer(features, train_features, train_labels):
    head = torch.nn.Linear(DIMS, CLASSES, bias=False)
    head.weight.data = torch.from_numpy(WEIGHT)
    found = detector.SHE(None, head).fit_features(
        torch.from_numpy(train_features), torch.from_numpy(train_labels)
    )
    return found.predict_features(torch.from_numpy(features)).detach().numpy()


def test_equals_pytorch_ood(rng):
    train, test = trained(rng), drawn(rng, 90)
    found = she(test @ WEIGHT.T, test, *train)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, peer(test, train[0], train[2]), rtol=1e-5)


def test_of_two_patterns():
    """Class 0 remembers the mean of (1, 0) and (3, 0).

    An image mistaken for class 1 is not remembered by any.
    """
    features = np.array([[1, 0], [3, 0], [0, 1], [5, 5]], np.float32)
    z = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    test = np.array([[2, 7], [2, 7]], np.float32)
    np.testing.assert_array_equal(she(z[1:3], test, features, z, np.array([0, 0, 1, 0])), [-4, -7])


def test_a_class_that_remembers_nothing(rng):
    """Its images are the most anomalous; pytorch-ood refuses."""
    features, z, labels = trained(rng)
    labels[labels == 2] = 3
    test = drawn(rng, 90)
    of_class = (test @ WEIGHT.T).argmax(axis=1) == 2
    assert of_class.any()
    found = she(test @ WEIGHT.T, test, features, z, labels)
    np.testing.assert_array_equal(found[of_class], 0)
    assert found[~of_class].max() < 0
    labels[0] = 2  # there, but mistaken
    z[0] = [0, 0, -1, 0, 1]
    np.testing.assert_array_equal(she(test @ WEIGHT.T, test, features, z, labels)[of_class], 0)
    with pytest.raises(AssertionError):
        peer(test, features[1:], labels[1:] % 2 * 3)


def test_nothing_is_classified_correctly(rng):
    features, z, _ = trained(rng)
    np.testing.assert_array_equal(she(z, features, features, z, z.argmin(axis=1)), 0)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(-40, 40))
def test_a_scale_of_the_features_is_a_scale_of_the_score(seed, exponent):
    rng = np.random.default_rng(seed)
    (features, z, labels), test = trained(rng), drawn(rng, 40)
    scale = np.float32(2.0**exponent)
    found = she(test @ WEIGHT.T, scale * test, scale * features, z, labels)
    np.testing.assert_allclose(
        found, she(test @ WEIGHT.T, test, features, z, labels) * float(scale) ** 2
    )
