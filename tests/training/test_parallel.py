"""A training shared by two processes on the CPU (gloo) against the same one alone."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from oecal.core.device import Compute
from oecal.core.errors import OecalError
from oecal.data import store
from oecal.data.store import ImageSet, ImageSplit
from oecal.training.parallel import run_together
from oecal.training.train_run import TrainingFiles, train_run
from oecal.training.training_plan import TrainingPlan

HERE = Path(__file__).resolve().parent
RECIPE = {
    "epochs": 3,
    "epoch_images": 0,
    "batch_size": 8,
    "outlier_batch_size": 4,
    "optimizer": "sgd",
    "lr": 0.01,
    "final_lr": 0.0,
    "momentum": 0.9,
    "weight_decay": 0.0005,
    "clip_norm": 1.0,
    "shift": 1,
    "flip": True,
}
WRN = {"architecture": "wrn", "options": {"depth": 10, "width": 1, "dropout": 0.0}}
PIXELCNN = {
    "architecture": "pixelcnn",
    "options": {"channels": 4, "blocks": 1, "levels": 2, "mixtures": 2, "dropout": 0.0},
}


@pytest.fixture
def stores(tmp_path, rng):
    def split(n):
        labels = np.arange(n) % 2
        return ImageSplit(
            (rng.integers(0, 120, (n, 1, 8, 8)) + 100 * labels[:, None, None, None]).astype(
                np.uint8
            ),
            labels,
        )

    store.write_store(
        tmp_path / "inside.h5",
        ImageSet({"train": split(64), "val": split(16)}, "", "", "", classes=("dark", "light")),
    )
    store.write_store(tmp_path / "around.h5", ImageSet({"train": split(20)}, "", "", ""))
    return str(tmp_path / "inside.h5"), str(tmp_path / "around.h5")


def history(stores, folder, model, objective, processes, **recipe):
    params = {
        "model": model,
        "objective": {"name": objective, "options": {}},
        "train_images": 0,
        "label_noise": 0,
        "init": "",
        "recipe": {**RECIPE, "processes": processes, **recipe},
        "outliers": ["around"] if objective == "oe" else [],
        "interpolation": "bilinear",
        "fit": "stretch",
    }
    files = TrainingFiles(stores[0], [stores[1]] if objective == "oe" else [])
    plan, compute = TrainingPlan.from_plain(params), Compute("cpu", "float32")
    train_run(plan, files, folder, 7, "code", compute)
    assert not (folder / "checkpoint.pt").exists()
    return pd.read_csv(folder / "history.csv")


@pytest.mark.parametrize(("model", "objective"), [(WRN, "oe"), (PIXELCNN, "baseline")])
def test_two_processes_have_the_loss_curve_of_one(stores, tmp_path, model, objective):
    alone = history(stores, tmp_path / "one", model, objective, 1)
    shared = history(stores, tmp_path / "two", model, objective, 2)
    assert len(shared) == 3
    assert list(shared) == list(alone)
    np.testing.assert_allclose(shared.to_numpy(), alone.to_numpy(), rtol=0, atol=1e-4)


def test_a_resumed_one_ends_in_the_same_curve(stores, tmp_path, monkeypatch):
    """Killed after its first epoch, with the controller of the other process.

    That one ends by itself.
    """
    whole = history(stores, tmp_path / "whole", WRN, "oe", 2)
    script = tmp_path / "train.py"
    script.write_text(f"""
import sys, pathlib
sys.path[:0] = [{str(HERE.parents[1])!r}, {str(HERE)!r}]
from test_parallel import WRN, history
if __name__ == "__main__":
    history({stores!r}, pathlib.Path({str(tmp_path / "cut")!r}), WRN, "oe", 2)
""")
    process = subprocess.Popen([sys.executable, str(script)])
    checkpoint = tmp_path / "cut/checkpoint.pt"
    while not checkpoint.exists():
        assert process.poll() is None
        time.sleep(0.01)
    children = [
        int(n) for n in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    ]
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert children
    deadline = time.monotonic() + 30
    while any(alive(child) for child in children) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(alive(child) for child in children)
    assert checkpoint.exists()
    pd.testing.assert_frame_equal(history(stores, tmp_path / "cut", WRN, "oe", 2), whole)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def fail_in_the_other_one(device):
    import torch.distributed as dist

    if dist.get_rank():
        raise OecalError("no room left")
    dist.barrier()


def test_what_goes_wrong_elsewhere_is_said_here():
    with pytest.raises(OecalError, match="one of the training processes failed: .*no room left"):
        run_together(2, "cpu", 1, fail_in_the_other_one)
