"""The controls, objectives without outliers, each against its formula written out in NumPy."""

import math

import numpy as np
import pytest
import torch
from pytorch_ood.loss import LogitNorm
from scipy.special import log_softmax
from torch import nn
from torch.nn import functional as F

from oecal.training import baseline, extra_augmentation, label_smoothing, logit_norm, mixup, oe

N, K = 6, 3
LABELS = torch.tensor([0, 2, 1, 1, 0, 2])


def linear():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, K))


def batch(n=N):
    torch.manual_seed(1)
    return 3 * torch.rand(n, 1, 4, 4)


def logits_of(model, x):
    weight, bias = (p.detach().double().numpy() for p in model[1].parameters())
    return x.flatten(1).double().numpy() @ weight.T + bias


class Identity(nn.Module):
    """Its images are the logits."""

    def forward(self, x):
        return x


def test_logit_norm_by_hand():
    model, images = linear(), batch()
    found = logit_norm.loss(model, images, LABELS, None, logit_norm.Options(tau=0.1))["loss"].item()
    z = logits_of(model, images)
    z /= 0.1 * np.sqrt((z**2).sum(axis=1, keepdims=True))
    assert found == pytest.approx(-log_softmax(z, axis=1)[np.arange(N), LABELS].mean(), rel=1e-5)


def test_logit_norm_equals_pytorch_ood_but_stays_moderate_at_zero():
    logits = torch.randn(N, K)
    found = logit_norm.loss(Identity(), logits, LABELS, None, logit_norm.Options())["loss"].item()
    assert found == pytest.approx(LogitNorm(t=0.04)(logits, LABELS).item(), rel=1e-5)
    slopes = []
    for ours in (True, False):
        zero = torch.zeros(N, K, requires_grad=True)
        value = (
            logit_norm.loss(Identity(), zero, LABELS, None, logit_norm.Options())["loss"]
            if ours
            else LogitNorm(t=0.04)(zero, LABELS)
        )
        assert value.item() == pytest.approx(math.log(K))
        slopes.append(torch.autograd.grad(value, zero)[0].abs().max().item())
    assert (
        0 < slopes[0] < 1 / (0.04 * logit_norm.SHORTEST) < slopes[1]
    )  # theirs would leave no weight as it was


def test_logit_norm_does_not_depend_on_the_length_and_has_its_least_value():
    best = torch.eye(K)[LABELS] - 1 / K
    least = math.log(1 + (K - 1) * math.exp(-math.sqrt(K / (K - 1)) / 0.5))
    for length in (0.1, 1.0, 100.0):
        found = logit_norm.loss(
            Identity(), length * best, LABELS, None, logit_norm.Options(tau=0.5)
        )["loss"]
        assert found.item() == pytest.approx(least, rel=1e-5)


def test_label_smoothing_by_hand():
    model, images = linear(), batch()
    found = label_smoothing.loss(model, images, LABELS, None, label_smoothing.Options(epsilon=0.2))[
        "loss"
    ].item()
    target = 0.8 * np.eye(K)[LABELS] + 0.2 / K
    assert found == pytest.approx(
        -(target * log_softmax(logits_of(model, images), axis=1)).sum(axis=1).mean(), rel=1e-5
    )
    uniform = oe.uniform_cross_entropy(model(images)).mean()
    assert found == pytest.approx(
        (0.8 * F.cross_entropy(model(images), LABELS) + 0.2 * uniform).item(), rel=1e-5
    )


def test_mixup_by_hand():
    model, images = linear(), batch()
    torch.manual_seed(7)
    share, partner = mixup.draw_share(0.4), torch.randperm(N)
    torch.manual_seed(7)
    found = mixup.loss(model, images, LABELS, None, mixup.Options(alpha=0.4))["loss"].item()
    x, y = images.numpy().astype(float), np.eye(K)[LABELS]
    mixed, target = share * x + (1 - share) * x[partner], share * y + (1 - share) * y[partner]
    z = logits_of(model, torch.from_numpy(mixed))
    assert found == pytest.approx(-(target * log_softmax(z, axis=1)).sum(axis=1).mean(), rel=1e-5)


def test_lambda_is_drawn_from_a_symmetric_beta_distribution():
    torch.manual_seed(0)
    for alpha in (0.2, 1.0, 5.0):
        drawn = np.array([mixup.draw_share(alpha) for _ in range(4000)])
        assert (drawn >= 0).all()
        assert (drawn <= 1).all()
        assert drawn.mean() == pytest.approx(0.5, abs=0.03)
        assert drawn.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.1)


@pytest.mark.parametrize(
    "share, copied",
    [(2.0, [0, 1, 2, 3, 4, 5] * 2), (0.5, [0, 1, 2]), (0.01, [0]), (1.2, [0, 1, 2, 3, 4, 5, 0])],
)
def test_extra_augmentation_by_hand(share, copied):
    model, images = linear(), batch()
    options = extra_augmentation.Options(share=share, weight=0.3, crop=0.5, erase=0.6)
    torch.manual_seed(7)
    extra = extra_augmentation.erase_randomly(
        extra_augmentation.crop_randomly(images[copied], 0.5), 0.6
    )
    torch.manual_seed(7)
    found = {
        k: v.item()
        for k, v in extra_augmentation.loss(model, images, LABELS, None, options).items()
    }
    inside = -log_softmax(logits_of(model, images), axis=1)[np.arange(N), LABELS].mean()
    outside = -log_softmax(logits_of(model, extra), axis=1)[
        np.arange(len(copied)), LABELS[copied]
    ].mean()
    assert found == pytest.approx(
        {"loss": inside + 0.3 * outside, "loss_in": inside, "loss_extra": outside}, rel=1e-5
    )


def test_extra_augmentation_of_strength_zero_is_more_of_the_same():
    images = batch()
    torch.testing.assert_close(extra_augmentation.crop_randomly(images, 1.0), images)
    assert torch.equal(extra_augmentation.erase_randomly(images, 0.0), images)
    options = extra_augmentation.Options(share=1.0, weight=0.5, crop=1.0, erase=0.0)
    found = extra_augmentation.loss(linear(), images, LABELS, None, options)["loss"].item()
    assert found == pytest.approx(
        1.5 * baseline.loss(linear(), images, LABELS, None, baseline.Options())["loss"].item(),
        rel=1e-5,
    )


def test_crops_are_parts_of_the_image_enlarged():
    """On a ramp, a crop is a flatter ramp within the same range; its slope is the crop's scale."""
    torch.manual_seed(0)
    columns = torch.arange(9.0).expand(300, 1, 5, 9)
    found = extra_augmentation.crop_randomly(columns, 0.6)
    assert found.shape == columns.shape
    scale = found.diff(dim=3)[:, 0, 2, 4]
    assert 0.6 <= scale.min() < 0.65
    assert 0.95 < scale.max() <= 1 + 1e-5
    torch.testing.assert_close(found, found[:, :, :1].expand_as(found))
    assert found.min() >= 0
    assert found.max() <= 8
    assert found[:, 0, 2, 4].min() < 2.6  # the centre moves both ways
    assert found[:, 0, 2, 4].max() > 5.4
    rows = extra_augmentation.crop_randomly(torch.arange(9.0)[:, None].expand(300, 1, 9, 5), 0.6)
    assert rows.diff(dim=2)[:, 0, 4, 2].max() > 0.95


def test_erased_is_one_rectangle_of_the_mean():
    torch.manual_seed(0)
    images = torch.rand(400, 3, 10, 6)
    found = extra_augmentation.erase_randomly(images, 0.5)
    changed = (found != images).all(dim=1)
    rows, columns = changed.any(dim=2), changed.any(dim=1)
    assert torch.equal(changed, rows[:, :, None] & columns[:, None, :])
    assert (rows.int().diff(dim=1) == 1).sum(dim=1).max() <= 1  # in one piece
    assert rows.sum(dim=1).max() == 5
    assert columns.sum(dim=1).max() == 3
    assert rows.any(dim=0).all()
    assert columns.any(dim=0).all()
    mean = images.mean(dim=(2, 3), keepdim=True).expand_as(images)
    where = changed[:, None].expand_as(images)
    assert torch.equal(found[where], mean[where])


@pytest.mark.parametrize("module", [baseline, label_smoothing, logit_norm])
def test_order_does_not_matter(module):
    model, images, order = linear(), batch(), torch.randperm(N)
    found = [
        module.loss(model, x, y, None, module.Options())["loss"].item()
        for x, y in ((images, LABELS), (images[order], LABELS[order]))
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-5)


@pytest.mark.parametrize(
    "wrong, message",
    [
        (lambda: logit_norm.Options(tau=0.0), "tau is 0.0; expected a number above 0"),
        (
            lambda: label_smoothing.Options(epsilon=1.0),
            "epsilon is 1.0; expected a number from 0 up to, not including, 1",
        ),
        (lambda: label_smoothing.Options(epsilon=math.nan), "epsilon is nan; expected"),
        (lambda: mixup.Options(alpha=-1.0), "alpha is -1.0; expected a number above 0"),
        (
            lambda: extra_augmentation.Options(share=0.0),
            "share is 0.0, weight is 0.5; expected a share above 0 and a weight of 0 or more",
        ),
        (
            lambda: extra_augmentation.Options(weight=-1.0),
            "share is 2.0, weight is -1.0; expected a share above 0",
        ),
        (
            lambda: extra_augmentation.Options(crop=0.0),
            "crop is 0.0; expected a number above 0, at most 1",
        ),
        (
            lambda: extra_augmentation.Options(erase=1.5),
            "erase is 1.5; expected a number from 0 to 1",
        ),
    ],
)
def test_refuses(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()
