import pytest
import torch
from safetensors.torch import save_file

from oecal.core.components import list_components, read_constant
from oecal.core.errors import OecalError
from oecal.models.build_network import build_model, load_weights
from oecal.models.model_spec import ModelSpec

SHAPE = (1, 12, 12)


@pytest.mark.parametrize("name", list_components("models"))
def test_contract_of_every_model(name):
    """A new model is tested for free: its output's shape, and a gradient for each parameter.

    Default options are shrunk where they can be.
    """
    small = {"wrn": {"depth": 10, "width": 1}, "pixelcnn": {"blocks": 1, "channels": 4}}.get(
        name, {}
    )
    model = build_model(ModelSpec(name, small), SHAPE, 3)
    out = model(torch.rand(4, *SHAPE))
    assert out.shape == ((4, 3) if read_constant("models", name, "KIND") == "classifier" else (4,))
    out.sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_weights_of_another_architecture_or_damaged(tmp_path):
    model = build_model(ModelSpec("wrn", {"depth": 10, "width": 1}), SHAPE, 3)
    save_file({"x": torch.zeros(1)}, tmp_path / "other.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(b"\x99" * 40)
    for path in ("other", "cut", "missing"):
        with pytest.raises(
            OecalError,
            match=rf"{path}.safetensors: is damaged, or holds the weights of another model",
        ) as caught:
            load_weights(model, tmp_path / f"{path}.safetensors")
        assert "\n" not in str(caught.value)
