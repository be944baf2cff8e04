"""Damaged image files of others: each reader gives images, or one line."""

import io
import pickle
import re

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from oecal.data import hdf5 as own_hdf5
from oecal.data import npz
from oecal.data.formats import cifar, idx, npy, svhn
from tests.damage import IMAGES, LABELS, result, spoiled


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
    """They have no checksums of their own; that of a published file is compared before."""
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
        ".*test_batch is not a CIFAR batch .*which is not allowed.*", result(of_cifar, path)[1]
    )
