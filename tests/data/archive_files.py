"""Small archives for tests: good ones, and a bomb."""

import io
import random
import tarfile
import zipfile

from oecal.data.archives import read_members

FILES = {"b/two.png": random.Random(0).randbytes(70_000), "one.txt": b"first", "b/c/empty": b""}
TARS = ("w", "w:gz", "w:bz2", "w:xz")


def make_tar_entry(name, content=b"", **attributes):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in attributes.items():
        setattr(info, key, value)
    return info, content


def make_tar(path, entries, mode="w", form=tarfile.PAX_FORMAT):
    with tarfile.open(path, mode, format=form) as tar:
        for info, content in entries:
            tar.addfile(info, io.BytesIO(content))
    return path


def make_zip(path, files, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def make_folder(path, files):
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def read_all(path, **options):
    return dict(read_members(path, lambda name: True, **options))


def make_bomb(path, kind):
    zeros = bytes(30_000_000)
    if kind == "zip":
        return make_zip(path, {"small": b"1", "bomb": zeros})
    return make_tar(path, [make_tar_entry("small", b"1"), make_tar_entry("bomb", zeros)], kind)
