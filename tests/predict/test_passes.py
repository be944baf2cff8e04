"""Statistics of a classifier from gradients and many passes, against closed forms and a peer."""

import numpy as np
import pytest
import torch
from pytorch_ood.detector import ODIN
from torch import nn

from oecal.core.errors import OecalError
from oecal.models import wrn
from oecal.predict.outputs import TOLERANCE
from oecal.predict.prediction_plan import Augmentation
from oecal.predict.repeated_passes import (
    EPSILONS,
    dropout,
    list_methods,
    odin,
    summarize_passes,
    tta,
)

CPU = torch.device("cpu")
SHAPE = (1, 4, 4)


class Linear(nn.Module):
    """z = W x + b."""

    def __init__(self, weight):
        super().__init__()
        self.head = nn.Linear(weight.shape[1], weight.shape[0])
        with torch.no_grad():
            self.head.weight.copy_(weight)
            self.head.bias.zero_()

    def forward(self, x):
        return self.head(x.flatten(1))


@pytest.fixture
def linear():
    torch.manual_seed(0)
    return Linear(torch.randn(3, 16))


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (150, *SHAPE), np.uint8)


def small(dropout=0.3, classes=3):
    torch.manual_seed(0)
    model = wrn.build(wrn.Options(10, 1, dropout), SHAPE, classes)
    model(torch.rand(32, *SHAPE))  # batch-norm statistics
    return model.eval()


def every(model, samples=(), passes=3, classes=3):
    return list_methods(
        model,
        ["odin", "dropout", "tta", "swag"],
        classes,
        passes,
        Augmentation(shift=1, flip=True),
        samples,
        CPU,
    )


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def test_odin_of_a_linear_model_by_hand(linear, images):
    found = odin(linear, torch.from_numpy(images).float() / 255)["odin"].detach().numpy()
    weight = linear.head.weight.detach().double().numpy()
    x = images.reshape(len(images), -1) / 255
    p = softmax(x @ weight.T / 1000)
    uphill = weight[p.argmax(axis=1)] - p @ weight  # of log p_max, times T
    for n, epsilon in enumerate(EPSILONS):
        expected = 1 - softmax((x + epsilon * np.sign(uphill)) @ weight.T / 1000).max(axis=1)
        np.testing.assert_allclose(found[:, n], expected, rtol=1e-7)
    assert found.dtype == np.float64


def test_odin_equals_pytorch_ood():
    model, x = small(), torch.rand(20, *SHAPE)
    found = odin(model, x)["odin"]
    for n, epsilon in enumerate(EPSILONS):
        torch.testing.assert_close(
            found[:, n],
            1 + ODIN(model, eps=epsilon).predict(x).detach().double(),
            rtol=0,
            atol=1e-6,
        )
    assert all(p.grad is None for p in model.parameters())


def test_odin_without_a_step_is_the_msp_at_its_temperature_and_ranks_saturated_logits(
    linear, images
):
    found = every(linear)["odin"](images)["odin"]
    with torch.no_grad():
        z = linear(torch.from_numpy(images).float() / 255).double().numpy()
    # ODIN takes other batches; what a logit then moves is divided by the temperature.
    allowed = TOLERANCE * np.abs(z).max() / 1000
    np.testing.assert_allclose(found[:, 0], 1 - softmax(z / 1000).max(axis=1), rtol=allowed)
    gaps = torch.tensor([[1e5, 0.0], [2e5, 0.0], [4e5, 0.0]])
    saturated = odin(lambda x: gaps + 0 * x, torch.zeros(3, 1))["odin"][:, 0].numpy()
    np.testing.assert_allclose(np.log(saturated), [-100, -200, -400], rtol=1e-12)


def test_summary_by_hand(rng):
    logits = rng.normal(0, 2, (5, 40, 4))
    found = {
        name: values.numpy() for name, values in summarize_passes(torch.from_numpy(logits)).items()
    }
    each = softmax(logits)
    p = each.mean(axis=0)
    np.testing.assert_allclose(found["p"], p)
    np.testing.assert_allclose(
        found["mi"], -(p * np.log(p)).sum(1) + (each * np.log(each)).sum(2).mean(0), atol=1e-14
    )
    votes = np.stack([(each.argmax(2) == k).mean(0) for k in range(4)])
    np.testing.assert_array_equal(found["agreement"], votes.max(axis=0))


def test_mutual_information_far_below_the_precision_of_one():
    """Two passes, p_2 = a and 3 a: to first order the information is a ln(27 / 16) / 2."""
    a = np.array([1e-5, 1e-10, 1e-20, 1e-100, 1e-250])
    gaps = np.log(np.stack([a, 3 * a])) - np.log1p(-np.stack([a, 3 * a]))
    logits = torch.from_numpy(np.stack([np.zeros_like(gaps), gaps], axis=2))
    mi = summarize_passes(logits)["mi"].numpy()
    np.testing.assert_allclose(mi, a * np.log(27 / 16) / 2, rtol=1e-4)
    same = summarize_passes(torch.tensor([[[500.0, 0.0, -500.0]]]).repeat(4, 1, 1))
    assert same["mi"].item() == 0
    assert same["agreement"].item() == 1


@pytest.mark.parametrize("p", [0.2, 0.5])
def test_dropout_has_the_right_mean_and_variance(p):
    torch.manual_seed(0)
    weight = torch.randn(3, 16)
    model = nn.Sequential(nn.Flatten(), nn.Dropout(p), Linear(weight)).eval()
    x = torch.rand(2, *SHAPE)
    with torch.no_grad():
        passes, plain = dropout(model, 4000, x), model(x)
    assert passes.shape == (4000, 2, 3)
    variance = x.flatten(1).square() @ weight.T.square() * p / (1 - p)
    assert ((passes.mean(dim=0) - plain).abs() < 4 * (variance / 4000).sqrt()).all()
    torch.testing.assert_close(passes.var(dim=0), variance, rtol=0.15, atol=0)
    assert not any(module.training for module in model.modules())


def test_dropout_leaves_batch_normalisation_alone():
    model = small()
    before = {name: values.clone() for name, values in model.state_dict().items()}
    with torch.no_grad():
        dropout(model, 3, torch.rand(20, *SHAPE))
    assert all(torch.equal(values, before[name]) for name, values in model.state_dict().items())


def test_dropout_of_a_model_without_it(images):
    for model in (small(dropout=0.0), Linear(torch.ones(3, 16))):
        with pytest.raises(
            OecalError, match="^dropout: the model has none, .*; set dropout above 0"
        ):
            every(model)["dropout"](images)


def test_augmentation_that_does_nothing(images):
    model, flat = small(), np.full((5, *SHAPE), 100, np.uint8)
    for how, some in ((Augmentation(), images), (Augmentation(flip=True), flat)):
        found = list_methods(model, ["tta"], 3, 4, how, [], CPU)["tta"](some)
        with torch.no_grad():
            z = model(torch.from_numpy(some).float() / 255).double().numpy()
        np.testing.assert_allclose(found["tta_p"], softmax(z), rtol=TOLERANCE)
        np.testing.assert_allclose(found["tta_mi"], 0, atol=1e-12)
        assert (found["tta_agreement"] == 1).all()


def test_the_first_copy_is_the_image_itself():
    model, x = small(), torch.rand(6, *SHAPE)
    with torch.no_grad():
        passes = tta(model, 3, Augmentation(shift=2, flip=True), x)
        torch.testing.assert_close(passes[0], model(x))
    assert not torch.allclose(passes[1], passes[0])


def test_a_sample_of_swag_is_a_pass(images):
    model, other = small(), small()
    with torch.no_grad():
        other.head.bias += torch.tensor([1.0, 0.0, -1.0])
    found = every(model, [model, other])["swag"](images)
    with torch.no_grad():
        x = torch.from_numpy(images).float() / 255
        expected = (softmax(model(x).double().numpy()) + softmax(other(x).double().numpy())) / 2
    np.testing.assert_allclose(found["swag_p"], expected, rtol=TOLERANCE)
    assert (found["swag_mi"] > 0).all()
    assert not any(p.requires_grad for p in other.parameters())


def test_contract(images):
    found = every(small(), [small()] * 2)
    for name, method in found.items():
        values = method(images)
        if name == "odin":
            assert values["odin"].shape == (150, len(EPSILONS))
        else:
            assert set(values) == {f"{name}_{value}" for value in ("p", "mi", "agreement")}
            np.testing.assert_allclose(values[f"{name}_p"].sum(axis=1), 1)
            assert (values[f"{name}_mi"] >= 0).all()
            assert ((values[f"{name}_agreement"] > 0) & (values[f"{name}_agreement"] <= 1)).all()
        assert all(v.dtype == np.float64 and len(v) == 150 for v in values.values())


def test_the_class_of_the_background_is_no_class(images):
    torch.manual_seed(0)
    with_background = small(classes=4)
    without = small()
    without.load_state_dict(
        {n: v[:3] if n.startswith("head") else v for n, v in with_background.state_dict().items()}
    )
    both = [
        every(model, [model])[name](images)
        for model in (with_background, without)
        for name in ("odin", "dropout", "tta", "swag")
    ]
    for found, expected in zip(both[:4], both[4:], strict=True):
        for name in expected:
            np.testing.assert_allclose(found[name], expected[name], rtol=TOLERANCE, atol=1e-12)


def test_whatever_ran_before_the_values_are_the_same(images):
    model = small()
    alone = {name: every(model, [model])[name](images) for name in ("dropout", "tta")}
    together = every(model, [model])
    for name in ("odin", "tta", "dropout"):
        torch.rand(7)
        values = together[name](images)
        for key in alone.get(name, ()):
            np.testing.assert_array_equal(values[key], alone[name][key])
    first = together["dropout"](images[:64])["dropout_p"]
    np.testing.assert_array_equal(first, alone["dropout"]["dropout_p"][:64])
    assert len(np.unique(alone["dropout"]["dropout_mi"])) == 150
