"""The prediction job of one run, from images and weights to the files of outputs and costs."""

import sys

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from oecal.core.device import Compute
from oecal.core.errors import OecalError
from oecal.core.job_costs import Cost
from oecal.data import store
from oecal.data.store import ImageSet, ImageSplit
from oecal.models.build_network import make_network
from oecal.models.model_spec import ModelSpec
from oecal.predict.evaluated import EvaluatedEntry, EvaluatedSets
from oecal.predict.memory import read_peak, reset_peak
from oecal.predict.predict_run import PredictedRun, PredictionFiles, predict_run
from oecal.predict.prediction_plan import PredictionPlan
from oecal.predict.repeated_passes import EPSILONS
from oecal.training.recipe import Recipe
from oecal.training.training_plan import Objective, TrainingPlan

SHAPE = (1, 6, 6)
RECIPE = Recipe(1, 0, 8, 4, "sgd", 0.1, 0.0, 0.9, 0.0, 0.0, 0, False)
WRN = {"architecture": "wrn", "options": {"depth": 10, "width": 1, "dropout": 0.2}}
PIXELCNN = {
    "architecture": "pixelcnn",
    "options": {"channels": 4, "blocks": 1, "levels": 1, "mixtures": 2},
}
SETS = [
    *(
        {"name": "inside", "split": split, "role": "id", "dataset": "inside"}
        for split in ("train", "val", "test")
    ),
    {"name": "around", "split": "train", "role": "outlier", "dataset": "around"},
    {"name": "around", "split": "test", "role": "far", "dataset": "around"},
    {"name": "inside_again", "split": "test", "role": "shift", "dataset": "inside"},
    {
        "name": "contrast-3",
        "split": "test",
        "role": "corruption",
        "dataset": "inside",
        "corruption": "contrast",
        "severity": 3,
        "images": 0,
    },
]
COSTLY = ("inside/val", "inside/test", "around/train", "around/test")
MORE = {
    "images": 7,
    "samples": 0,
    "train": 0,
    "alike": [],
    "passes": 3,
    "augment": {"shift": 1, "flip": False},
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    for name in ("inside", "around"):
        splits = {
            s: ImageSplit(rng.integers(0, 256, (12, *SHAPE), np.uint8), np.arange(12) % 3)
            for s in ("train", "val", "test")
        }
        store.write_store(
            folder / f"{name}.h5", ImageSet(splits, "", "", "", classes=("a", "b", "c"))
        )
    return {name: str(folder / f"{name}.h5") for name in ("inside", "around")}


def predicted(data, folder, model, objective, costly, sets=SETS, change=lambda state: state):
    """The path of the outputs of fresh weights, and the costs."""
    training = TrainingPlan(
        ModelSpec(**model), Objective(objective, {}), RECIPE, "", [], 0, 0, "bilinear", "stretch"
    )
    torch.manual_seed(0)
    state = change(make_network(training.model, objective, SHAPE, 3).state_dict())
    save_file(state, folder / "model.safetensors")
    samples = {
        f"sample{n}.{k}": v * (1 + n / 10) if v.is_floating_point() else v + n
        for n in range(2)
        for k, v in state.items()
    }
    save_file(samples, folder / "swag.safetensors")
    who = {"in_dist": "inside", "model": "model", "training": "training", "seed": 0}
    entries = [EvaluatedEntry(**entry) for entry in sets]
    files = PredictionFiles(
        *(str(folder / name) for name in ("model.safetensors", "x.h5", "costs.csv")),
        swag=str(folder / "swag.safetensors") if "swag" in costly else None,
    )
    predict_run(
        PredictedRun(who, training, "code"),
        PredictionPlan.from_plain(MORE | {"costly": costly}),
        EvaluatedSets(entries, data, "inside", "bilinear", "stretch"),
        files,
        Compute("cpu"),
    )
    return folder / "x.h5", pd.read_csv(folder / "costs.csv").set_index("name")


def test_everything_of_a_classifier(data, tmp_path):
    path, costs = predicted(
        data, tmp_path, WRN, "background_class", ["dropout", "odin", "swag", "tta"]
    )
    summaries = {
        f"{m}_{value}": m for m in ("dropout", "swag", "tta") for value in ("p", "mi", "agreement")
    }
    with h5py.File(path) as file:
        places = list(file.attrs["order"])
        assert places == [f"{s['name']}/{s['split']}" for s in SETS]
        assert set(file["head"]) == {"weight", "bias"}
        assert file["head/weight"].shape == (3, 64)
        for place in places:
            group = file[place]
            plain = {"logits", "features", "background_logit", "labels"}
            assert set(group) == (plain | {"odin", *summaries} if place in COSTLY else plain)
            assert group["logits"].shape == (12, 3)
            assert {group[name].dtype for name in ("logits", "features", "background_logit")} == {
                np.dtype(np.float32)
            }
            assert group["background_logit"].shape == (12,)
            again = group["features"][:] @ file["head/weight"][:].T + file["head/bias"][:]
            np.testing.assert_allclose(again, group["logits"][:], rtol=1e-4, atol=1e-5)
            for name in {"odin", *summaries} & set(group):
                assert len(group[name]) == len(set(group[name].attrs["index"])) == 7
        group = file["around/test"]
        assert group["odin"].shape == (7, len(EPSILONS))
        logits = torch.from_numpy(group["logits"][:][group["odin"].attrs["index"]]).double()
        np.testing.assert_allclose(
            group["odin"][:, 0], 1 - (logits / 1000).softmax(dim=1).amax(dim=1), rtol=1e-6
        )
    assert list(costs.index) == ["outputs", "dropout", "odin", "swag", "tta"]
    assert list(costs["images"]) == [12 * len(SETS)] + [7 * len(COSTLY)] * 4
    assert (costs["seconds"] > 0).all()
    assert (costs["peak_mb"] >= 0).all()


def test_the_same_outputs_whatever_else_is_computed(data, tmp_path):
    for name, costly in (("all", ["dropout", "odin", "tta"]), ("few", ["tta"]), ("none", [])):
        (tmp_path / name).mkdir()
        predicted(data, tmp_path / name, WRN, "baseline", costly)
    with (
        h5py.File(tmp_path / "all/x.h5") as every,
        h5py.File(tmp_path / "few/x.h5") as few,
        h5py.File(tmp_path / "none/x.h5") as none,
    ):
        for place in COSTLY:
            assert set(none[place]) == {"logits", "features", "labels"}
            for name in few[place]:
                np.testing.assert_array_equal(few[place][name][:], every[place][name][:])
            np.testing.assert_array_equal(none[place]["logits"][:], every[place]["logits"][:])


def test_costs_of_a_density_model(data, tmp_path):
    path, costs = predicted(
        data, tmp_path, PIXELCNN, "baseline", ["gradient_norms"], sets=[SETS[0], SETS[2], SETS[4]]
    )
    assert list(costs.index) == ["outputs", "gradients"]
    assert list(costs["images"]) == [36, 14]
    with h5py.File(path) as file:
        assert "head" not in file
        assert set(file["inside/test"]) == {"log_likelihood", "labels", "gradient_norms"}
        assert set(file["inside/train"]) == {"log_likelihood", "labels"}


def test_values_that_are_not_finite(data, tmp_path):
    with pytest.raises(
        OecalError,
        match=r"model.safetensors: logits on inside/train are not finite; .*train again",
    ):
        predicted(
            data,
            tmp_path,
            WRN,
            "baseline",
            [],
            change=lambda state: state | {"head.bias": torch.full((3,), torch.inf)},
        )
    assert not (tmp_path / "x.h5").exists()
    assert not (tmp_path / "costs.csv").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a peak cannot be reset")
def test_memory_is_that_of_the_block_alone():
    """The same block twice counts the same.

    What the first left with the allocator does not hide the second.
    """
    found, cpu = [], torch.device("cpu")
    for _ in range(2):
        cost = Cost()
        with cost.measured(3, lambda: reset_peak(cpu), lambda: read_peak(cpu)):
            torch.cat(
                [torch.ones(10 * 2**18) for _ in range(5)]
            )  # 50 MiB of parts and 50 of the whole
        found.append(cost)
    assert [cost.images for cost in found] == [3, 3]
    assert all(95 < cost.peak_mb < 130 for cost in found)
