import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pytorch_ood.detector import GradNorm
from torch.nn import functional as F

from oecal.predict.repeated_passes import EPSILONS
from oecal.scores.catalogue import find_score
from oecal.scores.gradients import gradnorm, odin

D, K = 9, 5


@pytest.fixture
def layer(rng):
    """A last layer, features and logits."""
    features = np.maximum(rng.normal(0.3, 1, (40, D)), 0).astype(np.float32)
    weight, bias = rng.normal(size=(K, D)).astype(np.float32), rng.normal(size=K).astype(np.float32)
    return weight, bias, features, features @ weight.T + bias


def test_gradnorm_equals_autograd(layer):
    weight, bias, features, logits = layer
    w, expected = torch.from_numpy(weight).double().requires_grad_(), []
    for f in torch.from_numpy(features).double():
        loss = -F.log_softmax(w @ f + torch.from_numpy(bias).double(), dim=0).mean()
        expected.append(-torch.autograd.grad(loss, w)[0].abs().sum().item())
    np.testing.assert_allclose(gradnorm(logits, features), expected, rtol=1e-5)


def test_gradnorm_equals_pytorch_ood(layer):
    weight, bias, features, logits = layer
    linear = torch.nn.Linear(D, K)
    linear.load_state_dict({"weight": torch.from_numpy(weight), "bias": torch.from_numpy(bias)})
    peer = GradNorm(linear.double(), param_filter=lambda name: name == "weight").to("cpu")
    np.testing.assert_allclose(
        gradnorm(logits, features),
        peer.predict(torch.from_numpy(features).double()).numpy(),
        rtol=1e-5,
    )


def test_gradnorm_by_hand():
    # p = (3/4, 1/4): |p - 1/2| sums to 1/2, the features to 6.
    assert gradnorm(np.log([[3.0, 1.0]]), np.array([[1.0, 2.0, 3.0]])) == pytest.approx(-3)
    assert gradnorm(np.zeros((1, 4)), np.ones((1, 3))) == 0
    assert gradnorm(np.array([[1e4, 0, 0, -1e4]], np.float32), np.ones((1, 3))) == pytest.approx(
        -2 * (1 - 1 / 4) * 3
    )


@given(
    arrays(np.float32, (3, K), elements=st.floats(-1e4, 1e4, width=32)),
    arrays(np.float32, (3, D), elements=st.floats(0, 1e4, width=32)),
)
def test_gradnorm_bounds_and_invariance(logits, features):
    values = gradnorm(logits, features)
    assert (values <= 0).all()
    assert (values >= -2 * (1 - 1 / K) * features.sum(axis=1, dtype=np.float64) * (1 + 1e-12)).all()
    np.testing.assert_allclose(
        gradnorm(logits[:, ::-1], features[:, ::-1]), values, rtol=1e-9, atol=1e-9
    )
    np.testing.assert_allclose(
        gradnorm(logits.astype(float) + 64, features), values, rtol=1e-6, atol=1e-6
    )


def test_odin_takes_a_column(rng):
    values = rng.uniform(0.5, 0.9, (10, 6))
    for column in find_score("odin").grids["eps"]:
        np.testing.assert_array_equal(odin(values, eps=column), values[:, column])
    np.testing.assert_array_equal(odin(values), values[:, EPSILONS.index(0.001)])
    assert find_score("odin").grids["eps"] == tuple(range(len(EPSILONS)))
