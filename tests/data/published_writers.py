"""Writes small files in the formats of published sets: archives, idx, pickles, PNG."""

import io
import pickle
import struct
import tarfile
import zipfile
from typing import ClassVar

import numpy as np
from PIL import Image

N = {"train": 9, "val": 3, "test": 4}
WNIDS = ("n01443537", "n02124075", "n04067472")


class Python2(pickle._Pickler):
    """Writes texts and bytes as Python 2 did, which wrote CIFAR: both are the same there."""

    dispatch: ClassVar[dict] = dict(pickle._Pickler.dispatch)

    def save_text(self, text):
        content = text if isinstance(text, bytes) else text.encode("latin1")
        self.write(pickle.BINSTRING + struct.pack("<i", len(content)) + content)
        self.memoize(text)

    dispatch[str] = dispatch[bytes] = save_text


def write_pickle(value):
    file = io.BytesIO()
    Python2(file, protocol=2).dump(value)
    return file.getvalue().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")


def pack(file, members):
    """An archive of the kind that its name says; its members in no helpful order."""
    content, backwards = io.BytesIO(), sorted(members.items(), reverse=True)
    if file.endswith(".zip"):
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, body in backwards:
                archive.writestr(name, body)
        return content.getvalue()
    with tarfile.open(fileobj=content, mode="w:gz" if file.endswith("gz") else "w") as archive:
        for name, body in backwards:
            header = tarfile.TarInfo(name)
            header.size = len(body)
            archive.addfile(header, io.BytesIO(body))
    return content.getvalue()


def put_below(folder, members):
    return {f"{folder}/{name}": body for name, body in members.items()}


def write_idx(array):
    kind = {"uint8": 0x08, "int32": 0x0C}[array.dtype.name]
    head = struct.pack(f">HBB{array.ndim}I", 0, kind, array.ndim, *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


def write_png(image, mode=None):
    """Lossless, so that what is read must be what went in, whatever the file's name says."""
    file = io.BytesIO()
    picture = Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0))
    (picture.convert(mode) if mode else picture).save(file, "PNG")
    return file.getvalue()


def draw_splits(rng, shape, splits=("train", "test"), step=1):
    """{split: (images, labels)}, of three classes"""
    return {
        s: (rng.integers(0, 256, (N[s], *shape), np.uint8), np.arange(N[s]) % 3 * step)
        for s in splits
    }


def drop_labels(truth):
    return {split: (images, np.full(len(images), -1)) for split, (images, _) in truth.items()}
