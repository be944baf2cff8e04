"""One training from image stores: what is written down of it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from oecal.core.device import Compute
from oecal.core.errors import OecalError
from oecal.data import store
from oecal.data.store import ImageSet, ImageSplit
from oecal.models.build_network import read_history
from oecal.training.train_run import TrainingFiles, mislabel, prepare, train_run
from oecal.training.training_plan import TrainingPlan

PARAMS = {
    "model": {
        "architecture": "pixelcnn",
        "options": {"channels": 4, "blocks": 1, "levels": 1, "mixtures": 2},
    },
    "objective": {"name": "margin", "options": {}},
    "train_images": 0,
    "label_noise": 0,
    "recipe": {
        "epochs": 1,
        "epoch_images": 8,
        "batch_size": 4,
        "outlier_batch_size": 2,
        "optimizer": "adamw",
        "lr": 0.01,
        "final_lr": 0.0,
        "momentum": 0.9,
        "weight_decay": 0.0,
        "clip_norm": 1.0,
        "shift": 0,
        "flip": False,
        "processes": 1,
    },
    "init": "",
    "outliers": ["there", "lost"],
    "interpolation": "bilinear",
    "fit": "stretch",
}
PLAN = TrainingPlan.from_plain(PARAMS)


def test_a_plan_is_stored_as_it_was_handed_over():
    assert PLAN.to_plain() == PARAMS


@pytest.fixture
def stores(tmp_path, rng):
    """In-distribution set, an auxiliary set, and one that could not be had."""
    for name in ("inside", "there"):
        splits = {
            s: ImageSplit.unlabelled(rng.integers(0, 256, (12, 1, 6, 6), np.uint8))
            for s in ("train", "val")
        }
        store.write_store(tmp_path / f"{name}.h5", ImageSet(splits, "", "", ""))
    store.write_store(tmp_path / "lost.h5", ImageSet({}, "", "", "", missing="no mirror"))
    return {name: str(tmp_path / f"{name}.h5") for name in ("inside", "there", "lost")}


def test_weights_say_which_outliers_were_used(stores, tmp_path):
    auxiliary = [stores["there"], stores["lost"]]
    files = TrainingFiles(stores["inside"], auxiliary, may_be_missing=["lost"])
    train_run(PLAN, files, tmp_path / "run", 0, "code", Compute(precision="float32"))
    assert read_history(tmp_path / "run/model.safetensors").used == ["there"]


def test_without_any_outlier_set_there_is_nothing_to_train(stores, tmp_path):
    files = TrainingFiles(stores["inside"], [stores["lost"]], may_be_missing=["lost"])
    with pytest.raises(OecalError, match="outliers: none of lost is available"):
        train_run(PLAN, files, tmp_path / "run", 0, "code", Compute())


@pytest.mark.parametrize(("limit", "there"), [(0, 12), (5, 5), (99, 12)])
def test_few_different_images(stores, limit, there):
    def drawn(limit, seed):
        plan = replace(PLAN, train_images=limit)
        files = TrainingFiles(stores["inside"], [stores["there"]])
        data = prepare(plan, files, seed, torch.device("cpu"), channels_last=False).data
        return {image.numpy().tobytes() for image in data.images}

    assert len(drawn(limit, 0)) == there
    assert drawn(5, 0) == drawn(5, 0) != drawn(5, 1)
    assert drawn(3, 0) < drawn(5, 0)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_wrong_labels(share):
    labels = np.repeat([0, 1, 4], 100)
    found = mislabel(labels, share, 0)
    assert np.count_nonzero(found != labels) == round(share * 300)
    assert set(found) == {0, 1, 4}
    assert share == 0 or not np.array_equal(found, mislabel(labels, share, 1))
    if share > 0.9:  # both others are as likely
        assert 30 < np.count_nonzero(found[labels == 0] == 1) < 70
