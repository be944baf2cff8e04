"""Training of each density model: resumed as if nothing had happened.

The margin loss moves the outliers away.
"""

import functools
import math
from dataclasses import replace

import pytest
import torch

from oecal.core.components import list_components, read_constant
from oecal.models.build_network import build_model
from oecal.models.model_spec import ModelSpec
from oecal.training import baseline, checkpoint, margin
from oecal.training.loop import Data, TrainingTask, train
from oecal.training.recipe import Recipe

SHAPE = (1, 8, 8)
SMALL = {
    "pixelcnn": {"channels": 6, "blocks": 1, "levels": 2, "mixtures": 2},
    "glow": {"steps": 2, "channels": 4},
    "vae": {"latent": 2, "channels": 4, "mixtures": 2, "samples": 4},
}
RECIPE = Recipe(
    epochs=2,
    epoch_images=64,
    batch_size=16,
    outlier_batch_size=8,
    optimizer="adamw",
    lr=0.01,
    final_lr=0.0,
    momentum=0.9,
    weight_decay=0.0,
    clip_norm=50.0,
    shift=0,
    flip=False,
)


def data_of():
    """Ramps, and noise as outliers."""
    torch.manual_seed(5)
    ramps = (torch.arange(64).view(1, 1, 8, 8) + torch.randint(0, 128, (96, 1, 1, 1))).to(
        torch.uint8
    )
    noise = torch.randint(0, 256, (40, *SHAPE), dtype=torch.uint8)
    return Data(ramps[:80], torch.zeros(80), noise, ramps[80:], torch.zeros(16))


def model_of(name):
    torch.manual_seed(0)
    return build_model(ModelSpec(name, SMALL[name]), SHAPE, 0)


def test_every_density_model_is_here():
    assert set(SMALL) == {
        name
        for name in list_components("models")
        if read_constant("models", name, "KIND") == "density"
    }


@pytest.mark.parametrize("name", SMALL)
def test_killed_and_resumed_gives_the_same_bits_per_dimension(name, tmp_path, monkeypatch):
    loss = functools.partial(margin.loss, options=margin.Options())
    task = TrainingTask(loss, data_of(), RECIPE, seed=1, precision="float32")
    train(model_of(name), task, tmp_path / "whole", "f")
    save = checkpoint.save

    def save_and_die(path, state):
        save(path, state)
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "save", save_and_die)
    with pytest.raises(KeyboardInterrupt):
        train(model_of(name), task, tmp_path / "cut", "f")
    monkeypatch.undo()
    train(model_of(name), task, tmp_path / "cut", "f")
    assert (tmp_path / "cut/model.safetensors").read_bytes() == (
        tmp_path / "whole/model.safetensors"
    ).read_bytes()
    assert (tmp_path / "cut/history.csv").read_bytes() == (
        tmp_path / "whole/history.csv"
    ).read_bytes()


@pytest.mark.parametrize("name", SMALL)
def test_the_margin_moves_outliers_away(name, tmp_path):
    """Constant images lose likelihood against the data if they are outliers in training.

    That is in comparison with the same training without them.
    """
    data, recipe = data_of(), replace(RECIPE, epochs=10)
    outliers = torch.full_like(data.images, 40)
    exposed = Data(data.images, data.labels, outliers, data.val_images, data.val_labels)
    alone, both = model_of(name), model_of(name)
    losses = (
        functools.partial(baseline.loss, options=baseline.Options()),
        functools.partial(margin.loss, options=margin.Options(margin=4.0)),
    )
    train(alone, TrainingTask(losses[0], data, recipe, 1, "float32"), tmp_path / "alone", "f")
    train(both, TrainingTask(losses[1], exposed, recipe, 1, "float32"), tmp_path / "both", "f")

    def gap(model):
        """How many more bits/dim the outliers take than the data."""
        torch.manual_seed(0)
        model.eval()
        with torch.no_grad():
            bits = [
                -model(images.float() / 255).mean().item() / (64 * math.log(2))
                for images in (data.val_images, outliers)
            ]
        return bits[1] - bits[0]

    found = gap(alone), gap(both)
    assert found[1] > found[0] + 0.3, found
