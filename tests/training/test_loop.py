import functools
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from oecal.core.errors import OecalError
from oecal.training import checkpoint, oe
from oecal.training.augment import augment
from oecal.training.loop import Data, TrainingTask, cosine, train
from oecal.training.recipe import Recipe

RECIPE = Recipe(
    epochs=3,
    epoch_images=0,
    batch_size=8,
    outlier_batch_size=4,
    optimizer="sgd",
    lr=0.1,
    final_lr=0.0,
    momentum=0.9,
    weight_decay=1e-4,
    clip_norm=1.0,
    shift=1,
    flip=True,
)


def model_of():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Flatten(),
        nn.Linear(4 * 36, 2),
    )


def data_of(outliers=10):
    torch.manual_seed(5)
    images = torch.randint(0, 256, (44, 1, 8, 8), dtype=torch.uint8)
    labels = (images.float().mean(dim=(1, 2, 3)) > 127).long()
    return Data(
        images[:32],
        labels[:32],
        torch.randint(0, 256, (outliers, 1, 8, 8), dtype=torch.uint8),
        images[32:],
        labels[32:],
    )


OE = functools.partial(oe.loss, options=oe.Options())


def weights_of(folder):
    return (folder / "model.safetensors").read_bytes()


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_resumed_training_ends_in_the_same_bits(tmp_path, monkeypatch, optimizer):
    recipe = replace(RECIPE, optimizer=optimizer)
    train(model_of(), TrainingTask(OE, data_of(), recipe, seed=1), tmp_path / "whole", "f")
    save = checkpoint.save

    def save_and_die(path, state):
        save(path, state)
        if len(state["history"]) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "save", save_and_die)
    with pytest.raises(KeyboardInterrupt):
        train(model_of(), TrainingTask(OE, data_of(), recipe, seed=1), tmp_path / "cut", "f")
    monkeypatch.undo()
    assert not (tmp_path / "cut/model.safetensors").exists()
    train(model_of(), TrainingTask(OE, data_of(), recipe, seed=1), tmp_path / "cut", "f")
    assert weights_of(tmp_path / "cut") == weights_of(tmp_path / "whole")
    assert (tmp_path / "cut/history.csv").read_bytes() == (
        tmp_path / "whole/history.csv"
    ).read_bytes()
    assert not (tmp_path / "cut/checkpoint.pt").exists()


def test_history_and_learning(tmp_path):
    train(model_of(), TrainingTask(OE, data_of(), RECIPE, seed=1), tmp_path, "f")
    history = pd.read_csv(tmp_path / "history.csv")
    assert list(history["epoch"]) == [1, 2, 3]
    assert {"lr", "loss", "loss_in", "loss_out", "val_nll", "val_accuracy"} <= set(history)
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]


def test_another_seed_gives_other_weights_and_the_same_seed_the_same(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(model_of(), TrainingTask(OE, data_of(), RECIPE, seed), tmp_path / name, "f")
    assert weights_of(tmp_path / "a") == weights_of(tmp_path / "b") != weights_of(tmp_path / "c")


def test_a_checkpoint_of_another_training_or_damaged_is_not_resumed(tmp_path, caplog):
    train(model_of(), TrainingTask(OE, data_of(), RECIPE, seed=1), tmp_path / "whole", "f")
    for n, content in enumerate([b"", b"not a checkpoint", None]):
        folder = tmp_path / str(n)
        folder.mkdir()
        if content is None:
            state = {"fingerprint": "another", "model": {}, "optimizer": {}, "history": []}
            checkpoint.save(folder / "checkpoint.pt", state)
        else:
            (folder / "checkpoint.pt").write_bytes(content)
        train(model_of(), TrainingTask(OE, data_of(), RECIPE, seed=1), folder, "f")
        assert weights_of(folder) == weights_of(tmp_path / "whole")
    assert sum("starting from scratch" in r.message for r in caplog.records) == 3


class Touch:
    """Unpickled, it would create a file."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (open, (self.path, "w"))


def test_a_hostile_checkpoint_runs_no_code(tmp_path):
    checkpoint.save(
        tmp_path / "checkpoint.pt", {"fingerprint": "f", "model": Touch(tmp_path / "owned")}
    )
    assert checkpoint.load(tmp_path / "checkpoint.pt", "f") is None
    assert not (tmp_path / "owned").exists()


def test_divergence_is_one_clear_line(tmp_path):
    def bad(model, images, labels, outliers):
        return {"loss": model(images).sum() * float("nan")}

    with pytest.raises(
        OecalError,
        match=r"diverged: loss nan in epoch 1, step 1; try a smaller lr \(now 0.1\)",
    ):
        train(model_of(), TrainingTask(bad, data_of(), RECIPE, seed=1), tmp_path, "f")
    assert not (tmp_path / "model.safetensors").exists()


def test_too_few_images(tmp_path):
    with pytest.raises(OecalError, match="batch_size: found 64, but an epoch has only 32"):
        train(
            model_of(),
            TrainingTask(OE, data_of(), replace(RECIPE, batch_size=64), seed=1),
            tmp_path,
            "f",
        )


def test_cosine():
    assert cosine(0, 10, 0.1, 0.01) == pytest.approx(0.1)
    assert cosine(5, 10, 0.1, 0.01) == pytest.approx(0.055)
    assert cosine(10, 10, 0.1, 0.01) == pytest.approx(0.01)


def test_augment_moves_whole_images():
    images = torch.zeros(64, 1, 9, 9)
    images[:, 0, 4, 3] = 1
    torch.manual_seed(0)
    moved = augment(images, shift=2, flip=False)
    assert moved.shape == images.shape
    places = moved.flatten(1).argmax(dim=1)
    rows, columns = places // 9, places % 9
    assert (moved.sum(dim=(1, 2, 3)) == 1).all()
    assert {*rows.tolist()} == set(range(2, 7))
    assert {*columns.tolist()} == set(range(1, 6))
    mirrored = augment(images, shift=0, flip=True).flatten(1).argmax(dim=1) % 9
    assert {*mirrored.tolist()} == {3, 5}
    assert augment(images, 0, False) is images


KILLED = """
import sys, time
sys.path[:0] = [{root!r}, {tests!r}]
from pathlib import Path
from oecal.training import loop
import test_loop
slow = loop.train_epoch
def train_epoch(*args):
    time.sleep(0.2)
    return slow(*args)
loop.train_epoch = train_epoch
recipe = test_loop.replace(test_loop.RECIPE, epochs=20)
task = loop.TrainingTask(test_loop.OE, test_loop.data_of(), recipe, seed=1)
loop.train(test_loop.model_of(), task, Path({folder!r}), "f")
"""


def test_kill_9_and_again(tmp_path):
    """The real thing: SIGKILL in the middle, then a second process.

    Same bytes as an undisturbed training.
    """
    root, tests = str(Path.cwd()), str(Path(__file__).parent)
    script = KILLED.format(root=root, tests=tests, folder=str(tmp_path / "killed"))
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)
    deadline = time.time() + 60
    while not (tmp_path / "killed/checkpoint.pt").exists() and time.time() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed/model.safetensors").exists()
    done = len(checkpoint.load(tmp_path / "killed/checkpoint.pt", "f")["history"])
    assert 0 < done < 20
    subprocess.run([sys.executable, "-c", script], check=True, stderr=subprocess.DEVNULL)
    torch.set_num_threads(1)
    task = TrainingTask(OE, data_of(), replace(RECIPE, epochs=20), seed=1)
    train(model_of(), task, tmp_path / "whole", "f")
    killed, whole = (load_file(tmp_path / f / "model.safetensors") for f in ("killed", "whole"))
    assert all(torch.equal(killed[k], whole[k]) for k in whole)


def test_an_epoch_of_part_of_the_images(tmp_path, monkeypatch):
    seen = []

    def spy(model, images, labels, outliers):
        seen.append(len(images))
        return OE(model, images, labels, outliers)

    recipe = replace(RECIPE, epochs=2, epoch_images=17)
    train(model_of(), TrainingTask(spy, data_of(), recipe, seed=1), tmp_path, "f")
    assert seen == [8, 8] * 2
    with pytest.raises(
        OecalError,
        match="batch_size: found 8, but an epoch has only 5 training images; use at most 5",
    ):
        train(
            model_of(),
            TrainingTask(OE, data_of(), replace(RECIPE, epoch_images=5), seed=1),
            tmp_path / "less",
            "f",
        )


def test_an_epoch_of_more_images_than_there_are(tmp_path):
    """Each pass is over all of them, so no image comes more than once more often than another."""
    seen = []

    def spy(model, images, labels, outliers):
        seen.extend(image.numpy().tobytes() for image in images)
        return OE(model, images, labels, outliers)

    n = len(data_of().images)
    recipe = replace(RECIPE, epochs=1, epoch_images=2 * n + 8, shift=0, flip=False)
    train(model_of(), TrainingTask(spy, data_of(), recipe, seed=1), tmp_path, "f")
    assert len(seen) == (2 * n + 8) // RECIPE.batch_size * RECIPE.batch_size
    assert set(Counter(seen).values()) <= {2, 3}
    assert len(set(seen)) == n
