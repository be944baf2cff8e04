"""Damaged files of our own: each reader gives what was written, or one line.

Nothing in any file is executed.
"""

import hashlib
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from oecal.core import hdf5_files
from oecal.core.errors import OecalError
from oecal.data import npz, store
from oecal.data.formats import cifar, npy
from oecal.data.store import ImageSet, ImageSplit
from oecal.models.build_network import load_tensors, read_history, save_weights
from oecal.runs import run_files
from oecal.training import checkpoint
from tests.damage import IMAGES, LABELS, result, spoiled
from tests.run_files import written


def image_store(path):
    store.write_store(
        path,
        ImageSet(
            {"test": ImageSplit(IMAGES, LABELS)}, "source", "licence", "0" * 64, tuple("abcdefghij")
        ),
    )


def outputs(path):
    with hdf5_files.creating(path) as file:
        file.attrs.update(
            {
                "in_dist": "a",
                "model": "m",
                "training": "t",
                "seed": 0,
                "kind": "classifier",
                "dims": 4,
                "order": ["a/test"],
            }
        )
        file.create_group("a/test").attrs["role"] = "id"
        hdf5_files.put(file, "a/test/logits", np.random.default_rng(0).normal(size=(300, 10)))


def weights(path):
    save_weights(
        path, {"w": torch.arange(3000.0), "b": torch.arange(4)}, {"steps": 7, "used": ["x"]}
    )


def of_store(path):
    read, about = store.read_split(path, "test"), store.read_metadata(path)
    return read.images.tobytes(), read.labels.tobytes(), about.classes, about.source, about.sha256


def of_outputs(path):
    run = run_files.read_run(path)
    return (
        run.key,
        run.kind,
        run.dims,
        [
            (g.set, g.split, g.role, {k: v.tobytes() for k, v in g.arrays.items()})
            for g in run.groups
        ],
    )


def of_weights(path):
    return {
        name: tensor.numpy().tobytes() for name, tensor in load_tensors(path).items()
    }, read_history(path)


@pytest.mark.parametrize(
    ("write", "read"), [(image_store, of_store), (outputs, of_outputs), (weights, of_weights)]
)
def test_our_own_files_have_checksums(tmp_path, write, read):
    """Whatever a damaged file gives, if it gives anything, is what was written."""
    good, bad = tmp_path / "good", tmp_path / "bad"
    write(good)
    truth, refused = read(good), 0
    for content in spoiled(good.read_bytes(), 200):
        bad.write_bytes(content)
        found, line = result(read, bad)
        assert found == truth or re.fullmatch(f"{bad}: .* delete it and run again", line)
        refused += bool(line)
    assert refused > 100


def test_a_checkpoint_is_whole_or_not_used(tmp_path, caplog):
    path = tmp_path / "checkpoint.pt"
    checkpoint.save(
        path, {"fingerprint": "f", "model": {"w": torch.arange(3000.0)}, "history": [{"epoch": 1}]}
    )
    assert torch.equal(checkpoint.load(path, "f")["model"]["w"], torch.arange(3000.0))
    content = path.read_bytes()
    for damaged in spoiled(content, 200):
        path.write_bytes(damaged)
        assert checkpoint.load(path, "f") is None or damaged == content
    assert "checksum mismatch); starting from scratch" in caplog.text


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def trap(path):
    return pickle.dumps({b"data": Trap(path), b"labels": []})


def test_no_pickle_is_executed(tmp_path):
    sprung, path = tmp_path / "sprung", tmp_path / "file"
    with pytest.raises(pickle.UnpicklingError, match="which is not allowed"):
        cifar.parse_pickle(trap(sprung))
    torch.save({"fingerprint": Trap(sprung)}, path)
    assert checkpoint.load(path, "f") is None
    path.write_bytes(
        hashlib.sha256(path.read_bytes()).digest() + path.read_bytes()
    )  # with the right checksum
    assert checkpoint.load(path, "f") is None
    np.savez(tmp_path / "a.npz", images=np.array([Trap(sprung)], object))
    with pytest.raises(OecalError, match="holds Python objects, which are not read"):
        npz.build(npz.Options(str(tmp_path / "a.npz")), tmp_path, None, tmp_path / "bad.csv")
    np.save(tmp_path / "a.npy", np.array([Trap(sprung)], object))
    with pytest.raises(OecalError, match="is not an array of images"):
        npy.read({"a.npy": tmp_path / "a.npy"}, {"images": {"train": 1}}, ["train"], None)
    assert not sprung.exists()


def test_files_of_before_are_read(tmp_path):
    """Without checksums."""
    assert (
        run_files.read_run(
            written(tmp_path / "x.h5", {"a/test": ("id", {"logits": np.zeros((2, 3))})})
        )
        .groups[0]
        .set
        == "a"
    )
    save_file({"w": torch.ones(2)}, tmp_path / "x.safetensors")
    assert torch.equal(load_tensors(tmp_path / "x.safetensors")["w"], torch.ones(2))
