import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import log_softmax, softmax
from scipy.stats import entropy

from oecal.scores import laplace, logits
from oecal.scores.laplace import PRECISIONS, laplace_entropy, laplace_msp

PEER = json.loads(Path(__file__).with_name("laplace_torch.json").read_text())


@pytest.fixture
def splits(rng):
    """Features and logits of train, val and test, and labels of val that a model half as sure would
    give.
    """
    weight, bias = rng.normal(size=(3, 4)).astype(np.float32), rng.normal(size=3).astype(np.float32)
    found = {}
    for split, n in (("train", 50), ("val", 40), ("test", 15)):
        features = np.maximum(rng.normal(0.3, 1, (n, 4)), 0).astype(np.float32)
        found |= {f"{split}_features": features, f"{split}_logits": features @ weight.T + bias}
    z = found["val_logits"]
    return found | {"val_labels": (z / 2 + rng.gumbel(size=z.shape)).argmax(axis=1)}


def call(score, splits):
    names = ("train_features", "train_logits", "val_features", "val_logits", "val_labels")
    return score(splits["test_logits"], splits["test_features"], *(splits[name] for name in names))


def predictive(splits, split, precision):
    """The probit predictive with all (D + 1) K x (D + 1) K matrices written out, one image at a
    time, in float64.
    """
    inputs = {
        s: np.column_stack([splits[f"{s}_features"], np.ones(len(splits[f"{s}_features"]))]).astype(
            np.float64
        )
        for s in ("train", split)
    }
    p = softmax(splits["train_logits"].astype(np.float64), axis=1)
    a = sum(np.outer(f, f) for f in inputs["train"]) / len(p)
    b = sum(np.diag(q) - np.outer(q, q) for q in p)
    covariance = np.linalg.inv(np.kron(b, a) + precision * np.eye(len(a) * len(b)))
    rows = []
    for f, z in zip(inputs[split], splits[f"{split}_logits"].astype(np.float64), strict=True):
        jacobian = np.kron(np.eye(len(b)), f)  # dz/dW, the weights of class k beside each other
        variance = np.diag(jacobian @ covariance @ jacobian.T)
        rows.append(softmax(z / np.sqrt(1 + np.pi / 8 * variance)))
    return np.array(rows)


def nll(splits, precision):
    p = predictive(splits, "val", precision)
    return -np.log(p[np.arange(len(p)), splits["val_labels"]]).mean()


def test_equals_the_matrices_written_out(splits):
    best = min(PRECISIONS, key=lambda precision: nll(splits, precision))
    assert PRECISIONS[0] < best < PRECISIONS[-1]
    p = predictive(splits, "test", best)
    np.testing.assert_allclose(call(laplace_msp, splits), 1 - p.max(axis=1), rtol=1e-9)
    np.testing.assert_allclose(call(laplace_entropy, splits), entropy(p, axis=1), rtol=1e-9)


def test_equals_the_gauss_newton_matrix_where_it_is_a_kronecker_product(splits):
    """The two factors are exact if all training images have the same p or the same features."""
    splits["train_logits"] = np.tile(splits["train_logits"][:1], (50, 1))
    p = softmax(splits["train_logits"][0].astype(np.float64))
    inputs = np.column_stack([splits["train_features"], np.ones(50)]).astype(np.float64)
    ggn = sum(np.kron(np.diag(p) - np.outer(p, p), np.outer(f, f)) for f in inputs)
    a, b = laplace._factors(splits["train_features"], splits["train_logits"])
    np.testing.assert_allclose(np.kron(b, a), ggn, rtol=1e-9, atol=1e-12)


def test_equals_laplace_torch():
    arrays = {name: np.array(values) for name, values in PEER.items() if name not in ("p", "best")}
    p = np.array(PEER["best"]["p"])
    np.testing.assert_allclose(call(laplace_msp, arrays), 1 - p.max(axis=1), rtol=1e-7)
    np.testing.assert_allclose(call(laplace_entropy, arrays), entropy(p, axis=1), rtol=1e-7)
    (a, inputs), (b, outputs) = (
        np.linalg.eigh(f)
        for f in laplace._factors(arrays["train_features"], arrays["train_logits"])
    )
    for precision, theirs in PEER["p"].items():
        posterior = laplace._Posterior(inputs, outputs, 1 / (np.outer(a, b) + float(precision)))
        ours = np.exp(
            laplace._log_predictive(arrays["test_logits"], arrays["test_features"], posterior)
        )
        np.testing.assert_allclose(ours, theirs, rtol=1e-7)


def test_many_training_images_are_summed_in_parts(splits, monkeypatch):
    whole = laplace._factors(splits["train_features"], splits["train_logits"])
    monkeypatch.setattr(laplace, "CHUNK", 7)
    for part, all_at_once in zip(
        laplace._factors(splits["train_features"], splits["train_logits"]), whole, strict=True
    ):
        np.testing.assert_allclose(part, all_at_once, rtol=1e-12)


def test_training_images_whose_p_rounds_to_1_still_count():
    """diag(p) - p p^T cancels to 0 there.

    The curvature is e^-40, which a large feature makes count.
    """
    z, features = np.array([[40.0, 0.0]] * 2), np.full((2, 1), 1e9)
    p = softmax(z, axis=1)
    assert (p[0] - p[0] ** 2)[0] == 0
    _, b = laplace._factors(features, z)
    np.testing.assert_allclose(b, 2 * np.exp(-40) * np.array([[1, -1], [-1, 1]]), rtol=1e-12)


def test_far_away_and_fewer_training_images_than_units(splits):
    """Far from the data the confidence has a limit below 1 (Kristiadi et al. 2020), where that of
    MSP goes to 1.
    """
    for train in (slice(None), slice(3)):
        few = splits | {name: splits[name][train] for name in ("train_features", "train_logits")}
        near, far = (
            {name: scale * splits[name] for name in ("test_features", "test_logits")}
            for scale in (1e5, 1e7)
        )
        assert (call(laplace_msp, few | far) > 1e-4).all()
        np.testing.assert_allclose(
            call(laplace_msp, few | far), call(laplace_msp, few | near), rtol=1e-3
        )
        assert (logits.msp(far["test_logits"]) == 0).all()


@pytest.mark.parametrize(
    "change", ["constant features", "a class without images", "no activations"]
)
def test_finite(splits, change):
    if change == "constant features":
        splits["train_features"] = np.ones((50, 4), np.float32)
    if change == "a class without images":
        splits["train_logits"][:, 2] = -1e4
        splits["val_labels"] = splits["val_labels"] % 2
    if change == "no activations":
        splits |= {
            name: np.zeros_like(splits[name]) for name in ("train_features", "test_features")
        }
    for score in (laplace_msp, laplace_entropy):
        assert np.isfinite(call(score, splits)).all()
        assert (call(score, splits) > 0).all()


def test_an_infinite_prior_precision_is_no_laplace_at_all(splits, monkeypatch):
    monkeypatch.setattr(laplace, "PRECISIONS", np.array([1e30]))
    np.testing.assert_allclose(call(laplace_entropy, splits), logits.entropy(splits["test_logits"]))
    saturated = splits | {
        "test_logits": np.tile(np.float32([200, 0, 0]), (15, 1))
        + np.arange(15, dtype=np.float32)[:, None] * [1, 0, 0]
    }
    assert (np.diff(call(laplace_msp, saturated)) < 0).all()


@given(
    arrays(np.float32, (4, 3), elements=st.floats(-1e4, 1e4, width=32)),
    arrays(np.float32, (4, 2), elements=st.floats(0, 1e4, width=32)),
)
def test_bounds_and_symmetry(z, features):
    rng = np.random.default_rng(0)
    own = (
        rng.random((20, 2)),
        rng.normal(size=(20, 3)),
        rng.random((10, 2)),
        rng.normal(size=(10, 3)),
        rng.integers(3, size=10),
    )
    msp, h = laplace_msp(z, features, *own), laplace_entropy(z, features, *own)
    assert ((msp >= 0) & (msp <= 2 / 3 + 1e-12)).all()
    assert ((h >= 0) & (h <= np.log(3) + 1e-12)).all()
    mirrored = own[0], own[1][:, ::-1], own[2], own[3][:, ::-1], 2 - own[4]
    np.testing.assert_allclose(
        laplace_entropy(z[:, ::-1], features, *mirrored), h, rtol=1e-5, atol=1e-9
    )


def test_the_predictive_is_normalised(splits):
    (a, inputs), (b, outputs) = (
        np.linalg.eigh(f)
        for f in laplace._factors(splits["train_features"], splits["train_logits"])
    )
    log_p = laplace._log_predictive(
        splits["test_logits"],
        splits["test_features"],
        laplace._Posterior(inputs, outputs, 1 / (np.outer(a, b) + 1)),
    )
    np.testing.assert_allclose(log_p, log_softmax(log_p, axis=1), atol=1e-12)
