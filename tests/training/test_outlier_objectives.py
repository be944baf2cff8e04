"""Objectives of classifiers that use outliers, each against its formula written out in NumPy."""

import numpy as np
import pytest
import torch
from pytorch_ood.loss import BackgroundClassLoss, EnergyRegularizedLoss, OutlierExposureLoss
from scipy.special import digamma, gammaln, log_softmax, logsumexp
from torch import nn
from torch.distributions import Dirichlet, kl_divergence
from torch.nn import functional as F

from oecal.training import background_class, baseline, energy_oe, mixoe, mixup, oe, prior_network

N, M, K = 4, 6, 3


def linear(classes=K):
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(4, classes))


def batch():
    """Images, labels, outliers."""
    torch.manual_seed(1)
    return 3 * torch.rand(N, 1, 2, 2), torch.tensor([0, 2, 1, 1]), 3 * torch.rand(M, 1, 2, 2)


def logits_of(model, x):
    weight, bias = (p.detach().double().numpy() for p in model[1].parameters())
    return x.flatten(1).double().numpy() @ weight.T + bias


def values(parts):
    return {name: part.item() for name, part in parts.items()}


def test_energy_oe_by_hand():
    model, (images, labels, outliers) = linear(), batch()
    found = values(
        energy_oe.loss(
            model, images, labels, outliers, energy_oe.Options(m_in=-1.5, m_out=-1.0, weight=0.3)
        )
    )
    inside, outside = logits_of(model, images), logits_of(model, outliers)
    energy_in, energy_out = -logsumexp(inside, axis=1), -logsumexp(outside, axis=1)
    cross_entropy = -log_softmax(inside, axis=1)[np.arange(N), labels].mean()
    hinges = (np.maximum(0, energy_in + 1.5) ** 2).mean() + (
        np.maximum(0, -1.0 - energy_out) ** 2
    ).mean()
    assert (energy_in > -1.5).any()
    assert (energy_out < -1.0).any()
    expected = {"loss": cross_entropy + 0.3 * hinges, "loss_in": cross_entropy, "loss_out": hinges}
    assert found == pytest.approx(
        {**expected, "energy_in": energy_in.mean(), "energy_out": energy_out.mean()}, rel=1e-5
    )


def test_energy_oe_leaves_alone_what_keeps_its_margin():
    images, labels, outliers = batch()
    model = linear()
    outliers.requires_grad_()
    energy_oe.loss(model, images, labels, outliers, energy_oe.Options(m_in=100.0, m_out=100.0))[
        "loss"
    ].backward()
    assert (outliers.grad.flatten(1).norm(dim=1) > 0).all()
    outliers.grad = None
    parts = energy_oe.loss(
        model, images, labels, outliers, energy_oe.Options(m_in=-100.0, m_out=-100.0)
    )
    parts["loss"].backward()
    assert (outliers.grad == 0).all()
    assert parts["loss"] > parts["loss_in"]  # the data are still above their margin


def test_energy_oe_equals_pytorch_ood():
    logits, labels = 10 * torch.randn(N + M, K), torch.tensor([0, 2, 1, 1] + [-1] * M)
    theirs = EnergyRegularizedLoss(alpha=0.1, margin_in=-8.0, margin_out=-7.0)(logits, labels)
    ours = energy_oe.loss(
        Identity(),
        logits[:N],
        labels[:N],
        logits[N:],
        energy_oe.Options(m_in=-8.0, m_out=-7.0, weight=0.1),
    )
    assert ours["loss"].item() == pytest.approx(theirs.item(), rel=1e-5)


class Identity(nn.Module):
    """Its images are the logits."""

    def forward(self, x):
        return x


@pytest.mark.parametrize("m", [N, M, 2])
def test_mixoe_by_hand(m):
    model, (images, labels, outliers) = linear(), batch()
    torch.manual_seed(7)
    share = mixup.draw_share(0.7)
    torch.manual_seed(7)
    found = values(
        mixoe.loss(model, images, labels, outliers[:m], mixoe.Options(alpha=0.7, beta=3.0))
    )
    mixed, target = [], []
    for j in range(m):
        mixed.append(share * images[j % N] + (1 - share) * outliers[j])
        target.append(share * np.eye(K)[labels[j % N]] + (1 - share) / K)
    inside = -log_softmax(logits_of(model, images), axis=1)[np.arange(N), labels].mean()
    outside = (
        -(np.array(target) * log_softmax(logits_of(model, torch.stack(mixed)), axis=1))
        .sum(axis=1)
        .mean()
    )
    assert found == pytest.approx(
        {"loss": inside + 3 * outside, "loss_in": inside, "loss_out": outside}, rel=1e-5
    )


@pytest.mark.parametrize("share, same", [(1.0, "labels"), (0.0, "oe")])
def test_mixoe_is_between_cross_entropy_and_oe(monkeypatch, share, same):
    monkeypatch.setattr(mixoe, "draw_share", lambda alpha: share)
    model, (images, labels, outliers) = linear(), batch()
    found = mixoe.loss(model, images, labels, outliers[:N], mixoe.Options())["loss_out"]
    other = oe.loss(model, images, labels, outliers[:N], oe.Options())
    assert found.item() == pytest.approx(
        other["loss_in" if same == "labels" else "loss_out"].item(), rel=1e-5
    )


def reverse_kl(z, target):
    """KL(Dir(exp(z)) || Dir(target)), written out, in float64."""
    a = np.exp(z)
    a_0, t_0 = a.sum(axis=1), target.sum(axis=1)
    inner = ((a - target) * (digamma(a) - digamma(a_0)[:, None])).sum(axis=1)
    return (
        gammaln(a_0) - gammaln(a).sum(axis=1) - gammaln(t_0) + gammaln(target).sum(axis=1) + inner
    )


def test_prior_network_by_hand():
    model, (images, labels, outliers) = linear(), batch()
    found = values(
        prior_network.loss(
            model, images, labels, outliers, prior_network.Options(concentration=50.0, gamma=2.0)
        )
    )
    inside = reverse_kl(logits_of(model, images), 1 + 50 * np.eye(K)[labels]).mean()
    outside = reverse_kl(logits_of(model, outliers), np.ones((M, K))).mean()
    assert found == pytest.approx(
        {"loss": (inside + 2 * outside) / 50, "loss_in": inside, "loss_out": outside}, rel=1e-5
    )


def test_divergence_of_dirichlets_equals_torch():
    torch.manual_seed(0)
    z, target = (
        2 * torch.randn(50, 5, dtype=torch.float64),
        1 + 10 * torch.rand(50, 5, dtype=torch.float64),
    )
    expected = kl_divergence(Dirichlet(z.clamp(-5, 25).exp()), Dirichlet(target))
    torch.testing.assert_close(prior_network.reverse_kl(z, target), expected)
    assert prior_network.reverse_kl(target.log(), target).abs().max() < 1e-10


def slope(z, target, divergence):
    z = z.clone().requires_grad_()
    return torch.autograd.grad(divergence(z, target).sum(), z)[0].double()


def test_divergence_of_sharp_dirichlets_has_the_right_slope():
    """For large z, the slope tends to p_k (t_0 - 1/2) - (t_k - 1/2), p = softmax(z).

    In float32 it would be lost by rounding.
    """
    z, target = torch.tensor([[24.0, 23.0, 22.0]]), torch.tensor([[101.0, 1.0, 1.0]])
    expected = z.double().softmax(dim=1) * (103 - 0.5) - (target.double() - 0.5)
    torch.testing.assert_close(
        slope(z, target, prior_network.reverse_kl), expected, rtol=1e-5, atol=1e-3
    )
    in_float32 = slope(z, target, lambda z, t: kl_divergence(Dirichlet(z.exp()), Dirichlet(t)))
    assert (in_float32 - expected).abs().max() > 10


def test_logits_beyond_the_limits_are_pulled_back():
    ones = torch.ones(2, K)
    found = slope(
        torch.tensor([[50.0, 0.0, 0.0], [-50.0, 0.0, 0.0]]), ones, prior_network.reverse_kl
    )
    at_the_limits = slope(
        torch.tensor([[25.0, 0.0, 0.0], [-5.0, 0.0, 0.0]]), ones, prior_network.reverse_kl
    )
    torch.testing.assert_close(found, at_the_limits)
    assert found[0, 0] > 0 > found[1, 0]
    assert found.abs().max() < 200


def test_background_class_by_hand():
    model, (images, labels, outliers) = linear(K + 1), batch()
    found = values(
        background_class.loss(
            model, images, labels, outliers, background_class.Options(weight=0.25)
        )
    )
    inside = -log_softmax(logits_of(model, images), axis=1)[np.arange(N), labels].mean()
    outside = -log_softmax(logits_of(model, outliers), axis=1)[:, K].mean()
    assert found == pytest.approx(
        {"loss": inside + 0.25 * outside, "loss_in": inside, "loss_out": outside}, rel=1e-5
    )


def test_background_class_against_pytorch_ood_which_averages_over_the_whole_batch():
    logits, labels = torch.randn(N + M, K + 1), torch.tensor([0, 2, 1, 1] + [-1] * M)
    theirs = BackgroundClassLoss(n_classes=K)(logits, labels).item()
    ours = background_class.loss(
        Identity(), logits[:N], labels[:N], logits[N:], background_class.Options(weight=M / N)
    )
    assert ours["loss"].item() * N / (N + M) == pytest.approx(theirs, rel=1e-5)


def test_oe_against_pytorch_ood_which_averages_over_the_whole_batch():
    logits, labels = torch.randn(N + M, K), torch.tensor([0, 2, 1, 1] + [-1] * M)
    parts = oe.loss(Identity(), logits[:N], labels[:N], logits[N:], oe.Options())
    expected = (N * parts["loss_in"] + 0.5 * M * parts["loss_out"]) / (N + M)
    assert OutlierExposureLoss(alpha=0.5)(logits, labels).item() == pytest.approx(
        expected.item(), rel=1e-5
    )


def gradients(loss, model):
    return torch.autograd.grad(loss, list(model.parameters()))


def test_outliers_of_weight_zero_are_seen_by_batch_normalisation_only():
    images, labels, outliers = batch()
    model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(4), nn.Linear(4, K))
    unused = gradients(
        oe.loss(model, images, labels, outliers, oe.Options(weight=0.0))["loss"], model
    )
    expected = gradients(F.cross_entropy(model(torch.cat([images, outliers]))[:N], labels), model)
    torch.testing.assert_close(unused, expected)
    alone = gradients(baseline.loss(model, images, labels, None, baseline.Options())["loss"], model)
    assert not torch.allclose(unused[0], alone[0])


def test_random_labels_for_outliers_are_oe_in_expectation():
    model, (_, _, outliers) = linear(), batch()
    over_all_labels = (
        sum(F.cross_entropy(model(outliers), torch.full((M,), k)) for k in range(K)) / K
    )
    uniform = oe.uniform_cross_entropy(model(outliers)).mean()
    assert over_all_labels.item() == pytest.approx(uniform.item(), rel=1e-6)
    torch.testing.assert_close(gradients(over_all_labels, model), gradients(uniform, model))


@pytest.mark.parametrize("module", [oe, energy_oe, mixoe, prior_network, background_class])
def test_order_does_not_matter(module):
    model, (images, labels, outliers) = linear(K + getattr(module, "EXTRA_CLASSES", 0)), batch()
    outliers, order = outliers[:N], torch.tensor([2, 0, 3, 1])
    found = []
    for batch_of in ((images, labels, outliers), (images[order], labels[order], outliers[order])):
        torch.manual_seed(3)
        found.append(values(module.loss(model, *batch_of, module.Options())))
    assert found[0] == pytest.approx(found[1], rel=1e-5)


@pytest.mark.parametrize(
    "wrong, message",
    [
        (lambda: energy_oe.Options(weight=-1.0), "weight is -1.0; expected 0 or more"),
        (
            lambda: energy_oe.Options(m_in=-5.0, m_out=-23.0),
            "m_in is -5.0, m_out is -23.0; expected m_in <= m_out",
        ),
        (
            lambda: energy_oe.Options(m_in=float("nan")),
            "m_in is nan, m_out is -5.0; expected m_in <= m_out",
        ),
        (lambda: mixoe.Options(alpha=0.0), "alpha is 0.0; expected a number above 0"),
        (lambda: mixoe.Options(beta=-1.0), "beta is -1.0; expected 0 or more"),
        (
            lambda: prior_network.Options(concentration=0.0),
            "concentration is 0.0; expected a number above 0",
        ),
        (lambda: prior_network.Options(gamma=float("nan")), "gamma is nan; expected 0 or more"),
        (lambda: background_class.Options(weight=-0.5), "weight is -0.5; expected 0 or more"),
    ],
)
def test_refuses(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()
