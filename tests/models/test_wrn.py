import pytest
import torch
from torch import nn

from oecal.models import wrn


def test_size_and_shapes():
    model = wrn.build(wrn.Options(10, 1, 0.0), (1, 28, 28), 10)
    assert sum(p.numel() for p in model.parameters()) == 77_562
    x = torch.rand(3, 1, 28, 28)
    model.eval()
    assert model(x).shape == (3, 10)
    assert model.features(x).shape == (3, 64)
    torch.testing.assert_close(model.head(model.features(x)), model(x))


def test_wrn_40_2_has_the_published_size():
    # Zagoruyko & Komodakis, table 4: 2.2 million parameters (CIFAR, with 10 classes).
    model = wrn.build(wrn.Options(40, 2, 0.3), (3, 32, 32), 10)
    assert sum(p.numel() for p in model.parameters()) == pytest.approx(2.2e6, rel=0.03)


def test_dropout_acts_in_training_only():
    torch.manual_seed(0)
    model = wrn.build(wrn.Options(10, 1, 0.5), (3, 16, 16), 4)
    x = torch.rand(2, 3, 16, 16)
    model.eval()
    torch.testing.assert_close(model(x), model(x))
    model.train()
    assert not torch.equal(model(x), model(x))


def test_dropout_is_a_layer_without_weights():
    with_it, without = (
        wrn.build(wrn.Options(16, 1, dropout), (3, 16, 16), 4) for dropout in (0.3, 0.0)
    )
    layers = [m for m in with_it.modules() if isinstance(m, nn.Dropout)]
    assert len(layers) == 6
    assert {layer.p for layer in layers} == {0.3}
    assert set(with_it.state_dict()) == set(without.state_dict())


@pytest.mark.parametrize("options", [{"depth": 11}, {"depth": 4}, {"width": 0}, {"dropout": 1.0}])
def test_refuses(options):
    with pytest.raises(ValueError, match="expected"):
        wrn.Options(**options)
