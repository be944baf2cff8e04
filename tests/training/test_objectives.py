"""What holds for every objective.

Those for classifiers are found in the folder: a new one is tested without an edit here.
"""

import importlib
import math
from pathlib import Path

import pytest
import torch
from pytorch_ood.loss import OutlierExposureLoss
from torch import nn

from oecal.core.components import list_components, read_constant
from oecal.models import wrn
from oecal.study.loading import read
from oecal.training import background, baseline, margin, oe

CLASSIFIERS = [
    name
    for name in list_components("training")
    if "classifier" in read_constant("training", name, "FOR")
]
N, M, K = 8, 6, 3


class Table(nn.Module):
    """A model that gives each image the output that its first pixel points to."""

    def __init__(self, outputs):
        super().__init__()
        self.outputs = nn.Parameter(torch.tensor(outputs))

    def forward(self, x):
        return self.outputs[x[:, 0, 0, 0].long()]


class Fixed(nn.Module):
    """A model with these logits for the first, second, ...

    Image of a batch, whatever the images are.
    """

    def __init__(self, logits):
        super().__init__()
        self.logits = nn.Parameter(logits)
        self.batches = []

    def forward(self, x):
        self.batches.append(len(x))
        return self.logits[torch.arange(len(x)) % len(self.logits)]


def images(*rows):
    return torch.tensor(rows, dtype=torch.float32).view(-1, 1, 1, 1)


def objective_of(name, device="cpu"):
    """The loss that it gives a model for one and the same batch, and the model's outputs.

    With default options; the outputs are how many the model must have.
    """
    module = importlib.import_module(f"oecal.training.{name}")
    torch.manual_seed(0)
    inside, labels, outliers = (
        x.to(device) for x in (torch.rand(N, 1, 8, 8), torch.arange(N) % K, torch.rand(M, 1, 8, 8))
    )
    batch = inside, labels, outliers if read_constant("training", name, "OUTLIERS") else None

    def loss(model):
        torch.manual_seed(1)
        return module.loss(model, *batch, module.Options())

    return loss, K + read_constant("training", name, "EXTRA_CLASSES", 0)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_one_step_lowers_the_loss(name):
    loss, classes = objective_of(name)
    model = wrn.build(wrn.Options(depth=10, width=1, dropout=0.0), (1, 8, 8), classes)
    before = loss(model)["loss"]
    gradients = torch.autograd.grad(before, list(model.parameters()))
    norm = math.sqrt(sum(g.square().sum().item() for g in gradients))
    with torch.no_grad():
        for parameter, gradient in zip(model.parameters(), gradients, strict=True):
            parameter -= 0.01 / norm * gradient
    assert 0 < (before - loss(model)["loss"]).item() < 2 * 0.01 * norm


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_under_bfloat16_autocast(name):
    loss, classes = objective_of(name)
    model = wrn.build(wrn.Options(depth=10, width=1, dropout=0.0), (1, 8, 8), classes)
    with torch.autocast("cpu", torch.bfloat16):
        parts = loss(model)
    parts["loss"].backward()
    assert {part.dtype for part in parts.values()} == {torch.float32}
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())
    for part, exact in loss(model).items():
        assert parts[part].item() == pytest.approx(exact.item(), rel=0.05, abs=0.02)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_on_another_device(name):
    """The device `meta` computes nothing, but refuses a tensor left on the CPU as CUDA does.

    So no GPU is needed to find one.
    """
    loss, classes = objective_of(name, "meta")
    model = wrn.build(wrn.Options(depth=10, width=1), (1, 8, 8), classes).to("meta")
    parts = loss(model)
    parts["loss"].backward()
    assert {part.device.type for part in parts.values()} == {"meta"}


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("size", [0.0, 1e-6, 50.0, 1e4])
def test_extreme_logits(name, size):
    loss, classes = objective_of(name)
    model = Fixed(
        size
        * torch.tensor([1.0, -1.0, 0.0, 1.0])[
            (torch.arange(5)[:, None] + torch.arange(classes)) % 4
        ]
    )
    parts = loss(model)
    parts["loss"].backward()
    assert all(part.isfinite() for part in parts.values())
    assert model.logits.grad.isfinite().all()


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_all_images_go_through_the_network_as_one_batch(name):
    loss, classes = objective_of(name)
    model = Fixed(torch.randn(N + M, classes))
    first, again = loss(model), loss(model)
    assert all(
        torch.equal(first[part], again[part]) for part in first
    )  # no randomness but torch's global generator
    assert len(model.batches) == 2
    assert (
        model.batches[0] == N + M
        if read_constant("training", name, "OUTLIERS")
        else model.batches[0] >= N
    )


def test_the_tiny_study_of_objectives_has_them_all():
    studies = Path(__file__).parents[2] / "studies"
    study = read(studies / "tiny.yaml", studies / "small/tiny.yaml")
    runs = [study.training(run.in_dist, run.model, run.training) for run in study.runs()]
    assert {run["objective"]["name"] for run in runs} >= set(CLASSIFIERS)
    assert {run["recipe"]["epochs"] for run in runs} == {1}


LOGITS = [[2.0, 0.0], [0.0, 1.0], [3.0, 3.0], [1.0, -1.0]]


def test_baseline_by_hand():
    found = baseline.loss(
        Table(LOGITS), images(0, 1), torch.tensor([0, 0]), None, baseline.Options()
    )["loss"]
    assert found.item() == pytest.approx(
        (math.log(1 + math.exp(-2)) + math.log(1 + math.exp(1))) / 2
    )


def test_baseline_of_a_density_model_is_nats_per_dimension():
    found = baseline.loss(
        Table([-8.0, -4.0]),
        images(0, 1).repeat(1, 1, 2, 2),
        torch.zeros(2),
        None,
        baseline.Options(),
    )
    # x[:, 0, 0, 0] still points at the row; four dimensions
    assert found["loss"].item() == pytest.approx(6 / 4)


def test_oe_by_hand():
    parts = oe.loss(
        Table(LOGITS), images(0, 1), torch.tensor([0, 1]), images(2, 3), oe.Options(weight=0.5)
    )
    inside = (math.log(1 + math.exp(-2)) + math.log(1 + math.exp(-1))) / 2
    outside = (math.log(2) + math.log(math.exp(1) + math.exp(-1)) - 0) / 2
    assert parts["loss_in"].item() == pytest.approx(inside)
    assert parts["loss_out"].item() == pytest.approx(outside)
    assert parts["loss"].item() == pytest.approx(inside + 0.5 * outside)


def test_uniform_cross_entropy_has_its_minimum_at_uniform():
    assert oe.uniform_cross_entropy(torch.full((1, 5), 7.0)).item() == pytest.approx(math.log(5))
    assert oe.uniform_cross_entropy(torch.tensor([[1.0, 0, 0, 0, 0]])).item() > math.log(5)


def test_oe_against_pytorch_ood_which_averages_over_the_whole_batch():
    logits, labels = torch.randn(6, 3), torch.tensor([0, 1, -1, -1, -1, -1])
    inside = nn.functional.cross_entropy(logits[:2], labels[:2])
    outside = oe.uniform_cross_entropy(logits[2:]).mean()
    assert OutlierExposureLoss(alpha=0.5)(logits, labels).item() == pytest.approx(
        ((2 * inside + 0.5 * 4 * outside) / 6).item(), rel=1e-5
    )


def test_margin_by_hand():
    # Four dimensions each: NLL per dimension 2, 3 inside; 2.5, 9 outside; margin 1 nat per
    # dimension = 4 nats per image.
    model = Table([-8.0, -12.0, -10.0, -36.0])
    inside, outliers = images(0, 1).repeat(1, 1, 2, 2), images(2, 3).repeat(1, 1, 2, 2)
    options = margin.Options(margin=4.0, unit="nats_per_image", weight=2.0)
    parts = margin.loss(model, inside, torch.zeros(2), outliers, options)
    assert parts["loss_in"].item() == pytest.approx(2.5)
    assert parts["loss_out"].item() == pytest.approx((0.5 + 1.5 + 0 + 0) / 4)
    assert parts["loss"].item() == pytest.approx(2.5 + 2 * 0.5)
    means = margin.Options(margin=4.0, unit="nats_per_image", reduction="means")
    assert margin.loss(model, inside, torch.zeros(2), outliers, means)[
        "loss_out"
    ].item() == pytest.approx(0)


def test_a_margin_of_one_bit_per_dimension():
    assert margin.loss(Table([-4.0, -4.0]), images(0), torch.zeros(1), images(1), margin.Options())[
        "loss_out"
    ].item() == pytest.approx(math.log(2))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: oe.Options(-1.0),
        lambda: margin.Options(margin=-1.0),
        lambda: margin.Options(weight=math.nan),
    ],
)
def test_refuses(wrong):
    with pytest.raises(ValueError, match="expected 0 or more"):
        wrong()


def test_background_replaces_values_at_its_rate():
    torch.manual_seed(0)
    x = torch.randint(256, (50, 1, 20, 20)) / 255
    found = background.mutate(x, 0.3)
    assert (found != x).float().mean().item() == pytest.approx(0.3 * 255 / 256, abs=0.01)
    torch.testing.assert_close((found * 255).round() / 255, found)
    assert torch.equal(background.mutate(x, 0.0), x)
    levels = (background.mutate(x, 1.0) * 255).round()
    assert levels.mean().item() == pytest.approx(127.5, abs=2)
    assert (levels.min(), levels.max()) == (0, 255)


def test_background_is_the_likelihood_of_what_it_sees():
    model = Table([-8.0, -4.0])
    options = background.Options(rate=0.0)
    found = background.loss(model, images(0, 1).repeat(1, 1, 2, 2), torch.zeros(2), None, options)
    assert found["loss"].item() == pytest.approx(6 / 4)
    with pytest.raises(ValueError, match="rate is 2; expected a number from 0 to 1"):
        background.Options(rate=2)
