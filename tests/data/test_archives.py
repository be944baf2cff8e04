"""Archives and folders read in place or unpacked: every kind gives its files."""

import bz2
import gzip
import lzma
import os
import tarfile
import tracemalloc
import zipfile

import pytest

from oecal.core.errors import OecalError
from oecal.data.archives import extract, read_inflated, read_members
from tests.data.archive_files import (
    FILES,
    TARS,
    make_folder,
    make_tar,
    make_tar_entry,
    make_zip,
    read_all,
)


@pytest.fixture(params=[*TARS, "gnu", "ustar", "stored", "deflated", "zip bz2", "zip xz", "folder"])
def archive(request, tmp_path):
    path, kind = tmp_path / "data.bin", request.param  # the suffix says nothing
    methods = {
        "stored": 0,
        "deflated": zipfile.ZIP_DEFLATED,
        "zip bz2": zipfile.ZIP_BZIP2,
        "zip xz": zipfile.ZIP_LZMA,
    }
    if kind == "folder":
        return make_folder(path, FILES)
    if kind in methods:
        return make_zip(path, FILES, methods[kind])
    form = {"gnu": tarfile.GNU_FORMAT, "ustar": tarfile.USTAR_FORMAT}.get(kind, tarfile.PAX_FORMAT)
    return make_tar(
        path, [make_tar_entry(*file) for file in FILES.items()], kind if kind in TARS else "w", form
    )


def test_every_kind_gives_the_files(archive, tmp_path):
    assert read_all(archive) == FILES
    assert list(read_members(archive, lambda name: name.endswith(".txt"))) == [
        ("one.txt", b"first")
    ]
    assert (
        next(read_members(archive, lambda name: True))[0] in FILES
    )  # and it may be left half read
    extract(archive, tmp_path / "to" / "here")
    assert read_all(tmp_path / "to" / "here") == FILES
    assert sorted(p.name for p in (tmp_path / "to").iterdir()) == [".here.lock", "here"]


def test_names_are_plain(tmp_path):
    entries = [
        make_tar_entry("./", type=tarfile.DIRTYPE),
        make_tar_entry("./a/", type=tarfile.DIRTYPE),
        make_tar_entry("./a//b/./" + "long" * 60, b"x"),
        make_tar_entry("ä.txt", b"y"),
        make_tar_entry("__MACOSX/a", b"z"),
        make_tar_entry("./a/._b", b"z"),
    ]
    expected = {"a/b/" + "long" * 60: b"x", "ä.txt": b"y"}
    assert read_all(make_tar(tmp_path / "pax", entries)) == expected
    assert read_all(make_tar(tmp_path / "gnu", entries, form=tarfile.GNU_FORMAT)) == expected
    assert (
        read_all(
            make_zip(
                tmp_path / "zip", {i.name: c for i, c in entries if i.isfile()} | {"folder/": b""}
            )
        )
        == expected
    )


def test_a_folder_comes_sorted_and_its_links_stay_inside(tmp_path):
    root = make_folder(tmp_path / "root", {"b": b"1", "a/z": b"2", "a/._z": b"", "__MACOSX/q": b""})
    (root / "c").symlink_to("a")
    (root / "d").symlink_to(root / "b")
    os.mkfifo(root / "pipe")
    (tmp_path / "link").symlink_to(root)
    for path in (root, tmp_path / "link"):
        assert list(read_members(path, lambda name: True)) == [
            ("a/z", b"2"),
            ("b", b"1"),
            ("c/z", b"2"),
            ("d", b"1"),
        ]


def test_a_tar_that_ends_in_a_zip_is_a_tar(tmp_path):
    inner = make_zip(tmp_path / "inner.zip", {"evil": b"1"}).read_bytes()
    path = make_tar(
        tmp_path / "x", [make_tar_entry("good", b"1"), make_tar_entry("inner.zip", inner)]
    )
    assert zipfile.is_zipfile(path)
    assert read_all(path) == {"good": b"1", "inner.zip": inner}


def test_errors_of_the_caller_are_its_own(archive):
    def wanted(name):
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        list(read_members(archive, wanted))


def test_unpacking_again_and_after_a_killed_run(tmp_path):
    path, to = make_zip(tmp_path / "x.zip", FILES), tmp_path / "to"
    make_folder(tmp_path / ".to.tmp", {"half": b"1"})
    to.mkdir()  # an empty folder is no result
    extract(path, to)
    assert read_all(to) == FILES
    (to / "mine").write_bytes(b"1")
    extract(path, to)
    assert read_all(to) == {**FILES, "mine": b"1"}
    assert sorted(p.name for p in tmp_path.iterdir()) == [".to.lock", "to", "x.zip"]


def test_unpacking_where_it_cannot_be(tmp_path):
    path = make_zip(tmp_path / "x.zip", {"a": b"", "a/b": b""})
    with pytest.raises(OecalError, match="to: .*x.zip cannot be unpacked here"):
        extract(path, tmp_path / "to")
    assert not (tmp_path / "to").exists()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OecalError, match="cannot be unpacked here"):
        extract(path, tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_opened(tmp_path, pack):
    path, content = tmp_path / "x", FILES["b/two.png"] * 40
    path.write_bytes(pack(content))
    assert read_inflated(path) == read_inflated(path, len(content)) == content
    with pytest.raises(OecalError, match=f"x: exceeds the limit of {len(content) - 1} bytes"):
        read_inflated(path, len(content) - 1)
    if pack is not bytes:
        path.write_bytes(pack(content)[:-9])
        with pytest.raises(OecalError, match="x: is damaged or cannot be read"):
            read_inflated(path)


def test_opened_stops_at_the_limit(tmp_path):
    (tmp_path / "x").write_bytes(bz2.compress(bytes(30_000_000)))
    tracemalloc.start()
    with pytest.raises(OecalError, match="exceeds the limit of 1000 bytes"):
        read_inflated(tmp_path / "x", 1000)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()
    with pytest.raises(OecalError, match="nothing: is damaged or cannot be read .*No such file"):
        read_inflated(tmp_path / "nothing")
