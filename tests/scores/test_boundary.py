import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_ood import detector

from oecal.scores.boundary import fdbd

DIMS, CLASSES = 12, 5
WEIGHT, BIAS = (
    np.random.default_rng(1).normal(size=(CLASSES, DIMS)).astype(np.float32),
    np.linspace(-1, 1, CLASSES, dtype=np.float32),
)


def drawn(rng, n):
    return np.maximum(rng.normal(0.3, 1, (n, DIMS)), 0).astype(np.float32)


def logits(features):
    return features @ WEIGHT.T + BIAS


def peer(features, train_features):
    head = torch.nn.Linear(DIMS, CLASSES)
    head.weight.data, head.bias.data = torch.from_numpy(WEIGHT), torch.from_numpy(BIAS)
    return (
        detector.fDBD(None, head)
        .fit_features(torch.from_numpy(train_features))
        .predict_features(torch.from_numpy(features))
        .numpy()
    )


def test_equals_pytorch_ood(rng):
    train, test = drawn(rng, 300), drawn(rng, 90)
    found = fdbd(logits(test), test, WEIGHT, train)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, peer(test, train), rtol=1e-5)


def test_distances_to_two_boundaries():
    """Weights (1, 0), (-1, 0), (0, 1).

    At (3, 1) the first class leads by 6 and 2, over widths 2 and sqrt(2); the mean is at distance
    5.
    """
    weight = np.array([[1, 0], [-1, 0], [0, 1]], np.float32)
    test, train = np.array([[3, 1]], np.float32), np.array([[3, 6], [3, 6]], np.float32)
    np.testing.assert_allclose(
        fdbd(test @ weight.T, test, weight, train), -(6 / 2 + 2 / np.sqrt(2)) / 2 / 5
    )


def test_an_image_on_a_boundary_is_most_anomalous(rng):
    z = logits(drawn(rng, 40))
    z[:, 1:] = z[:, :1]
    np.testing.assert_array_equal(fdbd(z, drawn(rng, 40), WEIGHT, drawn(rng, 9)), 0)


def test_classes_with_the_same_weights_have_no_boundary(rng):
    """The others count as before. pytorch-ood divides by 0."""
    test, train = drawn(rng, 40), drawn(rng, 300)
    twice, z = np.concatenate([WEIGHT, WEIGHT[:1]]), logits(test)
    found = fdbd(np.concatenate([z, z[:, :1] - 1], axis=1), test, twice, train)
    top = z.argmax(axis=1) == 0
    assert top.any()
    np.testing.assert_allclose(found[top], fdbd(z, test, WEIGHT, train)[top])
    np.testing.assert_array_equal(fdbd(z, test, np.ones_like(WEIGHT), train), 0)


def test_an_image_on_the_mean_has_a_score(rng):
    """As in pytorch-ood the least distance is 1e-8; it makes it the least anomalous of all."""
    train = np.full((50, DIMS), 0.5, np.float32)
    test = np.concatenate([train[:1], drawn(rng, 40)])
    found = fdbd(logits(test), test, WEIGHT, train)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, peer(test, train), rtol=1e-5)
    assert found.argmin() == 0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-5, 5))
def test_neither_scale_nor_turn_nor_a_constant_logit_mean_anything(seed, log_scale):
    rng = np.random.default_rng(seed)
    train, test = drawn(rng, 100), drawn(rng, 40)
    turn = 10**log_scale * np.linalg.qr(rng.normal(size=(DIMS, DIMS)))[0]
    z = logits(test)
    found = fdbd(
        z + rng.normal(size=(40, 1)),
        test @ turn,
        WEIGHT @ turn / 10 ** (2 * log_scale),
        train @ turn,
    )
    np.testing.assert_allclose(found, fdbd(z, test, WEIGHT, train), rtol=1e-6)
