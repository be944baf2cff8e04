"""A small run, and a folder with whatever may lie in one."""

import json
import os

import h5py
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from oecal.data import store
from oecal.models.build_network import make_network
from oecal.models.model_spec import ModelSpec
from oecal.predict.outputs import predict_outputs
from oecal.runs import thresholds
from oecal.scores.score_run import score_run as score_run
from tests.screening.small_runs import RUNS, SHAPE, huge_png


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """results/s with an untrained classifier and density model of 8 x 8 images, 120 of them val."""
    results, rng = tmp_path_factory.mktemp("project") / "results", np.random.default_rng(0)
    splits = {
        s: store.ImageSplit(rng.integers(0, 256, (n, *SHAPE), np.uint8), rng.integers(0, 3, n))
        for s, n in (("train", 60), ("val", 120), ("test", 4))
    }
    store.write_store(
        results / "data/own.h5",
        store.ImageSet(splits, "", "", "", classes=("cat", "dog, big", "eel")),
    )
    for model, entry in RUNS.items():
        params = {
            "model": entry,
            "objective": {"name": "baseline", "options": {}},
            "interpolation": "bilinear",
            "fit": "crop",
        }
        run = f"own/{model}/baseline/seed0"
        torch.manual_seed(0)
        made = make_network(ModelSpec(**entry), "baseline", SHAPE, 3)
        kind = "classifier" if model == "wrn" else "density"
        folder = results / "s/models" / run
        folder.mkdir(parents=True)
        save_file(made.state_dict(), folder / "model.safetensors")
        for part in ("outputs", "scores"):
            (results / "s" / part / run).parent.mkdir(parents=True)
        with h5py.File(results / f"s/outputs/{run}.h5", "w") as file:
            file.attrs.update(
                in_dist="own",
                model=model,
                training="baseline",
                seed=0,
                kind=kind,
                dims=64,
                precision="float32",
            )
            file.attrs.update(configuration=json.dumps(params), order=["own/train", "own/val"])
            for split in ("train", "val"):
                found = predict_outputs(made, kind, splits[split].images, torch.device("cpu"))
                for name, values in (found | {"labels": splits[split].labels}).items():
                    file[f"own/{split}/{name}"] = values
                file[f"own/{split}"].attrs["role"] = "id"
            if kind == "classifier":
                file["head/weight"], file["head/bias"] = (
                    made.head.weight.detach().numpy(),
                    made.head.bias.detach().numpy(),
                )
        names = (
            ["msp", "mahalanobis", "kl_matching"]
            if model == "wrn"
            else ["log_likelihood", "typicality", "typicality_10"]
        )
        paths = {part: str(results / f"s/{part}/{run}.h5") for part in ("outputs", "scores")}
        score_run(paths["outputs"], names, paths["scores"], str(results / "cost.csv"))
        promises = {"reject_20": {"reject": 0.2}, "impossible": {"reject": 0.0001}}
        thresholds.write_thresholds(
            paths["scores"], paths["outputs"], promises, str(results / f"s/thresholds/{run}.json")
        )
    return results


@pytest.fixture(scope="module")
def wild(tmp_path_factory):
    """A folder as users have them."""
    from skimage import data

    folder, rng = tmp_path_factory.mktemp("wild"), np.random.default_rng(1)
    (folder / "sub").mkdir()
    Image.fromarray(data.astronaut()).save(folder / "photo.jpg")
    Image.fromarray(data.camera()).save(folder / "sub/grey.png")
    Image.fromarray(rng.integers(0, 256, (8, 8), np.uint8)).save(folder / "digit.png")
    Image.fromarray(rng.integers(0, 65536, (9, 7), np.uint16)).save(folder / "deep.tif")
    frames = [Image.fromarray(rng.integers(0, 256, (8, 8), np.uint8)) for _ in range(3)]
    frames[0].save(folder / "moving.gif", save_all=True, append_images=frames[1:])
    (folder / "text.png").write_text("no image")
    (folder / "cut.jpg").write_bytes((folder / "photo.jpg").read_bytes()[:5000])
    (folder / "nothing.png").write_bytes(b"")
    (folder / "huge.png").write_bytes(huge_png())
    (folder / "notes.txt").write_text("passed over")
    os.mkfifo(folder / "pipe.png")
    for name in (b"two\nlines.png", b"a, b.png", b"\xff\xfe.png"):
        (folder / os.fsdecode(name)).write_bytes((folder / "digit.png").read_bytes())
    return folder
