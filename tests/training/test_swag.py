"""SWAG: the Gaussian against NumPy, the walk, batch-norm statistics, and the file of samples."""

import functools
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from oecal.core.device import Compute
from oecal.core.errors import OecalError
from oecal.data import store
from oecal.data.store import ImageSet, ImageSplit
from oecal.models.build_network import load_samples, load_weights, make_network
from oecal.training import oe, swag
from oecal.training.loop import Data, TrainingTask
from oecal.training.recipe import Recipe
from oecal.training.train_run import TrainingFiles, train_run
from oecal.training.training_plan import TrainingPlan

RECIPE = Recipe(
    epochs=1,
    epoch_images=0,
    batch_size=8,
    outlier_batch_size=4,
    optimizer="sgd",
    lr=0.1,
    final_lr=0.1,
    momentum=0.0,
    weight_decay=0.0,
    clip_norm=0.0,
    shift=0,
    flip=False,
)
SHAPE = (1, 6, 6)
PARAMS = {
    "model": {"architecture": "wrn", "options": {"depth": 10, "width": 1, "dropout": 0.1}},
    "objective": {"name": "background_class", "options": {}},
    "train_images": 0,
    "label_noise": 0,
    "recipe": {
        "epochs": 1,
        "epoch_images": 0,
        "batch_size": 8,
        "outlier_batch_size": 4,
        "optimizer": "adamw",
        "lr": 0.01,
        "final_lr": 0.0,
        "momentum": 0.9,
        "weight_decay": 0.0005,
        "clip_norm": 1.0,
        "shift": 1,
        "flip": True,
    },
    "init": "",
    "outliers": ["around"],
    "interpolation": "bilinear",
    "fit": "stretch",
}
PLAN = TrainingPlan.from_plain(PARAMS)
SWAG = swag.SwagPlan(steps=8, snapshots=4, samples=3, lr=0.01)
COMPUTE = Compute("cpu", "float32")


def test_moments_equal_numpy(rng):
    snapshots = rng.normal(0, 1, (6, 40)).astype(np.float32)
    mean, variance, deviations = (
        values.numpy() for values in swag.fit_gaussian(torch.from_numpy(snapshots))
    )
    np.testing.assert_allclose(mean, snapshots.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(
        variance,
        (snapshots.astype(np.float64) ** 2).mean(axis=0) - snapshots.mean(axis=0) ** 2,
        atol=1e-6,
    )
    np.testing.assert_allclose(deviations.T @ deviations / 5, np.cov(snapshots.T), atol=1e-5)


def test_samples_have_the_covariance_of_the_paper(rng):
    snapshots = rng.normal(3, 1, (5, 4)) * [1, 2, 0, 3]
    gaussian = swag.fit_gaussian(torch.from_numpy(snapshots).float())
    torch.manual_seed(0)
    samples = torch.stack([swag.draw_weights(gaussian) for _ in range(40_000)]).double().numpy()
    expected = (np.diag(snapshots.var(axis=0)) + np.cov(snapshots.T)) / 2
    np.testing.assert_allclose(samples.mean(axis=0), snapshots.mean(axis=0), atol=0.05)
    np.testing.assert_allclose(np.cov(samples.T), expected, atol=0.03 * expected.max())
    assert (samples[:, 2] == 0).all()  # a weight that does not move is not sampled


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_a_vector_of_weights_and_back(memory_format):
    torch.manual_seed(0)
    first, second = (
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.Linear(4, 2)).to(memory_format=memory_format)
        for _ in range(2)
    )
    swag.fill_weights(second, swag.flatten_weights(first))
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)
        assert a.stride() == b.stride()


def data_of(images):
    return Data(
        images,
        torch.zeros(len(images), dtype=torch.long),
        torch.empty(0, *SHAPE, dtype=torch.uint8),
        images,
        torch.zeros(0),
    )


@pytest.mark.parametrize("every", [1, 2, 4, 11])
def test_snapshots_at_equal_distances_on_a_straight_way(every):
    """Loss = the only weight: each step of SGD takes lr off.

    24 images in batches of 8 are 3 steps an epoch.
    """
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)

    def loss(model, images, labels, outliers):
        return {"loss": model(torch.ones(1, 1)).sum()}

    data, recipe = data_of(torch.zeros(24, *SHAPE, dtype=torch.uint8)), replace(RECIPE, epochs=3)
    task = TrainingTask(loss, data, recipe, seed=0, precision="float32")
    snapshots = list(swag.walk_weights(model, task, every))
    np.testing.assert_allclose(
        torch.cat(snapshots).numpy(), -0.1 * every * np.arange(1, 4), rtol=1e-5
    )


def test_batch_norm_statistics_are_those_of_whole_batches(rng):
    """Of data and outliers as one batch.

    Means over all batches of an epoch, whatever the statistics were.
    """
    model = nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(36, 2))
    model[0].running_mean.fill_(7)
    inside = torch.full((32, *SHAPE), 51, dtype=torch.uint8)
    data = Data(
        inside,
        torch.zeros(32, dtype=torch.long),
        torch.full((5, *SHAPE), 204, dtype=torch.uint8),
        inside,
        torch.zeros(0),
    )
    weights = swag.flatten_weights(model)
    loss = functools.partial(oe.loss, options=oe.Options())
    swag.refresh_batch_norm(model, TrainingTask(loss, data, RECIPE, seed=0, precision="float32"))
    assert model[0].running_mean.item() == pytest.approx((8 * 0.2 + 4 * 0.8) / 12, rel=1e-5)
    assert model[0].num_batches_tracked.item() == 4
    assert torch.equal(swag.flatten_weights(model), weights)


def test_refresh_of_a_model_without_batch_norm():
    def loss(model, images, labels, outliers):
        raise AssertionError("nothing to do")

    data = data_of(torch.zeros(8, *SHAPE, dtype=torch.uint8))
    swag.refresh_batch_norm(nn.Linear(2, 2), TrainingTask(loss, data, RECIPE, 0, "float32"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Image stores and the weights of a short training with a class for the background."""
    folder, rng = tmp_path_factory.mktemp("swag"), np.random.default_rng(0)
    for name in ("inside", "around"):
        splits = {
            s: ImageSplit(rng.integers(0, 256, (40, *SHAPE), np.uint8), np.arange(40) % 2)
            for s in ("train", "val")
        }
        store.write_store(folder / f"{name}.h5", ImageSet(splits, "", "", "", classes=("a", "b")))
    inside, around = str(folder / "inside.h5"), str(folder / "around.h5")
    files = TrainingFiles(inside, [around])
    train_run(PLAN, files, folder / "run", 0, "code", COMPUTE)
    return replace(files, weights=str(folder / "run/model.safetensors"))


def network_for(classes):
    return make_network(PLAN.model, PLAN.objective.name, SHAPE, classes)


def sampled(trained, path, seed=0, **changes):
    swag.sample_swag(PLAN, replace(SWAG, **changes), trained, str(path), seed, COMPUTE)
    return path.read_bytes()


def test_the_same_seed_gives_the_same_bytes(trained, tmp_path):
    first = sampled(trained, tmp_path / "a.safetensors")
    torch.rand(3)
    assert sampled(trained, tmp_path / "b.safetensors") == first
    assert sampled(trained, tmp_path / "c.safetensors", seed=1) != first


def test_samples_are_whole_models_around_the_trained_one(trained, tmp_path):
    sampled(trained, tmp_path / "swag.safetensors")
    model = network_for(2)
    load_weights(model, trained.weights)
    assert model.head.weight.shape == (3, 64)  # two classes and the background
    samples = load_samples(model, tmp_path / "swag.safetensors")
    assert len(samples) == 3
    own = swag.flatten_weights(model)
    distances = [(swag.flatten_weights(sample) - own).norm() / own.norm() for sample in samples]
    assert all(0 < distance < 0.5 for distance in distances)
    assert (
        len(
            {sample.norm.running_mean.sum().item() for sample in samples}
            | {model.norm.running_mean.sum().item()}
        )
        == 4
    )
    stored = load_file(tmp_path / "swag.safetensors")
    assert set(stored) == {f"sample{n}.{name}" for n in range(3) for name in model.state_dict()}


def test_samples_of_another_model(trained, tmp_path):
    sampled(trained, tmp_path / "swag.safetensors")
    with pytest.raises(
        OecalError, match="swag.safetensors: is damaged, or holds the weights of another model"
    ):
        load_samples(network_for(5), tmp_path / "swag.safetensors")
    (tmp_path / "swag.safetensors").write_bytes(b"")
    with pytest.raises(
        OecalError, match="swag.safetensors: is damaged, or holds the weights of another model"
    ):
        load_samples(network_for(2), tmp_path / "swag.safetensors")


def test_what_is_refused(trained, tmp_path):
    with pytest.raises(
        OecalError,
        match="swag.steps: found 3; expected at least 4, one for each snapshot",
    ):
        sampled(trained, tmp_path / "swag.safetensors", steps=3)
    with pytest.raises(
        OecalError, match=r"^swag: the training diverged: .*try a smaller lr \(now 1e\+30\)"
    ):
        sampled(trained, tmp_path / "swag.safetensors", lr=1e30)
    assert not (tmp_path / "swag.safetensors").exists()
