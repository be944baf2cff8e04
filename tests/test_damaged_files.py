"""Files with a flipped bit, cut off, or of another kind: each reader gives what was written or one line; nothing in them is executed."""

import hashlib
import io
import pickle
import random
import re
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from scipy.io import savemat

from oecal.core import hdf5_files
from oecal.core.errors import OecalError
from oecal.data import hdf5 as own_hdf5
from oecal.data import npz, store
from oecal.data.formats import cifar, idx, npy, svhn
from oecal.data.store import ImageSet, ImageSplit
from oecal.models.build_network import load_tensors, read_history, save_weights
from oecal.runs import run_files
from oecal.training import checkpoint
from tests.run_files import written

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 3, 32, 32), np.uint8)
LABELS = np.arange(40) % 10


def spoiled(content, n, seed=0):
    """n damaged copies: a flipped bit, a few overwritten bytes, a cut, something behind the end."""
    for number in range(n):
        rng = random.Random(f"{seed} {number}")
        changed, at = bytearray(content), rng.randrange(len(content))
        match number % 4:
            case 0 | 1:
                changed[at] ^= 1 << rng.randrange(8)
            case 2:
                changed[at : at + 8] = rng.randbytes(8)
            case _:
                del changed[at:]
        yield bytes(changed)


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


def result(read, path):
    """What a reader gives, and the line with which it refuses."""
    try:
        return read(path), ""
    except OecalError as error:
        return None, str(error)


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
    assert "checksum mismatch): starting anew" in caplog.text


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
    with pytest.raises(pickle.UnpicklingError, match="which no such file needs"):
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
    with pytest.raises(OecalError, match="is no array of images"):
        npy.read({"a.npy": tmp_path / "a.npy"}, {"images": {"train": 1}}, ["train"], None)
    assert not sprung.exists()


def of_idx(path):
    found = idx.parse_idx(path.read_bytes(), path)
    assert found.dtype.kind in "iu"


def of_svhn(path):
    splits, _ = svhn.read(
        {"x.mat": path},
        {"files": {"x.mat": {"split": "test"}}, "classes": "0123456789"},
        ["test"],
        None,
    )
    assert splits["test"].images.dtype == np.uint8


def of_cifar(path):
    row = {"classes": list("0123456789")}
    folder = path.with_name("cifar")
    folder.mkdir(exist_ok=True)
    (folder / "test_batch").write_bytes(path.read_bytes())
    splits, _ = cifar.read({"cifar": folder}, row, ["test"], None)
    assert splits["test"].images.shape[1:] == (3, 32, 32)


def of_npy(path):
    splits, _ = npy.read({"x.npy": path}, {"images": {"train": 40}}, ["train"], None)
    assert splits["train"].images.dtype == np.uint8


def of_npz(path):
    npz.build(
        npz.Options(str(path), splits="test", on_bad="skip"),
        path.parent,
        None,
        path.with_name("bad.csv"),
    )


def of_own_hdf5(path):
    own_hdf5.build(
        own_hdf5.Options(str(path), splits="test", on_bad="skip"),
        path.parent,
        None,
        path.with_name("bad.csv"),
    )


def foreign_hdf5(path):
    with h5py.File(path, "w") as file:
        file["images"], file["labels"] = IMAGES, LABELS


def an_idx(path):
    path.write_bytes(
        b"\0\0\x08\x03" + np.array([40, 32, 32], ">u4").tobytes() + IMAGES[:, 0].tobytes()
    )


def an_svhn(path):
    savemat(path, {"X": IMAGES.transpose(2, 3, 1, 0), "y": LABELS[:, None]}, appendmat=False)


def a_cifar(path):
    content = pickle.dumps({b"data": IMAGES.reshape(40, -1), b"labels": LABELS.tolist()}, 2)
    path.write_bytes(content.replace(b"numpy._core", b"numpy.core"))  # as the NumPy of then wrote


def an_npy(path):
    file = io.BytesIO()
    np.save(file, IMAGES.transpose(0, 2, 3, 1))
    path.write_bytes(file.getvalue())


def an_npz(path):
    with path.open("wb") as file:
        np.savez(file, images=IMAGES, labels=LABELS)


FORMATS = {
    "idx": (an_idx, of_idx),
    "svhn": (an_svhn, of_svhn),
    "cifar": (a_cifar, of_cifar),
    "npy": (an_npy, of_npy),
    "npz": (an_npz, of_npz),
    "hdf5": (foreign_hdf5, of_own_hdf5),
}


@pytest.mark.parametrize("form", FORMATS)
def test_foreign_files(tmp_path, form):
    """They have no checksums of their own (a published file's is compared before): images, or one line."""
    write, read = FORMATS[form]
    good, bad = tmp_path / "good", tmp_path / "bad"
    write(good)
    read(good)
    content = good.read_bytes()
    heads = [content[:2000]] if len(content) > 2000 else []  # where most can go wrong
    damaged = [
        *spoiled(content, 60),
        *(part + content[2000:] for head in heads for part in spoiled(head, 200)),
        b"",
        b"\0" * 100,
    ]
    for changed in damaged:
        bad.write_bytes(changed)
        assert "\n" not in result(read, bad)[1]


def test_a_name_that_holds_a_line_break_stays_in_one_line(tmp_path):
    """Both found by tests/faults/fuzz.py."""
    path = tmp_path / "x.npz"
    with path.open("wb") as file:
        np.savez(file, **{"ima\nges": IMAGES, "labels": LABELS})
    assert re.fullmatch(".*ima ges.*", result(of_npz, path)[1])
    path.write_bytes(b"cnumpy.core.\xe2\x80\xa8ulti\n_re\n.")
    assert re.fullmatch(
        ".*test_batch is no CIFAR batch .*which no such file needs.*", result(of_cifar, path)[1]
    )


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
