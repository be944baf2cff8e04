"""Archives that lead out of their folder, are bombs, are damaged: one line, and nothing is left."""

import gzip
import random
import struct
import tarfile
import tracemalloc
import warnings
import zipfile

import pytest

from oecal.core.errors import OecalError
from oecal.data import archives
from oecal.data.archives import extract, read_members
from tests.data.archive_files import (
    FILES,
    TARS,
    make_bomb,
    make_folder,
    make_tar,
    make_tar_entry,
    make_zip,
    read_all,
)


def assert_refused(path, message, **options):
    """Reading and unpacking raise the same one line, and nothing is left of the unpacking."""
    with pytest.raises(OecalError, match=message) as error:
        read_all(path, **options)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)
    to = path.parent / "to" / "x"
    with pytest.raises(OecalError, match=message):
        extract(path, to, **options)
    assert [p.name for p in to.parent.iterdir()] == [".x.lock"]


@pytest.mark.parametrize(
    "to, message",
    [
        ("../outside", "leads out of"),
        ("/etc", "leads out of"),
        ("nowhere", "No such file"),
        (".", "folder that contains it"),
        ("me", "loop"),
    ],
)
def test_links_of_a_folder_that_lead_elsewhere(tmp_path, to, message):
    root = make_folder(tmp_path / "root", {"a": b"1"})
    (tmp_path / "outside").write_bytes(b"secret")
    (root / "me").symlink_to(to)
    assert_refused(root, message)


def test_links_in_a_circle(tmp_path):
    root = make_folder(tmp_path / "root", {"a/x": b"", "b/x": b""})
    (root / "a/to").symlink_to("../b")
    (root / "b/to").symlink_to("../a")
    assert_refused(root, "folder that contains it")


OUT = ["../evil", "a/../../evil", "/etc/evil", "..", "C:/evil", "c:evil", "..\\evil", "a\\b"]


@pytest.mark.parametrize("name", OUT)
@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_names_that_lead_out_of_a_tar(tmp_path, name, form):
    for attributes in ({}, {"type": tarfile.DIRTYPE}):
        assert_refused(
            make_tar(
                tmp_path / "x.tar",
                [make_tar_entry("good", b"1"), make_tar_entry(name, **attributes)],
                form=form,
            ),
            "leads out",
        )
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("name", OUT)
def test_names_that_lead_out_of_a_zip(tmp_path, name):
    assert_refused(make_zip(tmp_path / "x.zip", {"good": b"1", name: b"2"}), "leads out")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    "kind, message",
    [
        (tarfile.SYMTYPE, "'bad': is a symbolic link"),
        (tarfile.LNKTYPE, "'bad': is a hard link"),
        (tarfile.CHRTYPE, "'bad': is a special file"),
        (tarfile.BLKTYPE, "'bad': is a special file"),
        (tarfile.FIFOTYPE, "'bad': is a special file"),
        (b"V", "'bad': is a special file"),
    ],
)
def test_a_tar_holds_files_and_folders_only(tmp_path, kind, message):
    path = make_tar(
        tmp_path / "x.tar",
        [make_tar_entry("good", b"1"), make_tar_entry("bad", type=kind, linkname="good")],
    )
    assert_refused(path, message)
    with pytest.raises(OecalError, match=message):
        list(read_members(path, lambda name: name == "good"))  # also if it is not wanted


def test_a_link_in_a_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        info = zipfile.ZipInfo("bad")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    assert_refused(tmp_path / "x.zip", "'bad': is a link or special file")


def test_an_encrypted_zip(tmp_path):
    path = make_zip(tmp_path / "x.zip", {"a": b"1"})
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(signature) + offset] |= 1
    path.write_bytes(data)
    assert_refused(path, "'a': is encrypted")


@pytest.mark.parametrize("kind", ["zip", *TARS[1:]])
def test_a_bomb_fills_neither_memory_nor_disk(tmp_path, kind):
    path = make_bomb(tmp_path / "x", kind)
    assert path.stat().st_size < 100_000
    tracemalloc.start()
    account = "declares" if kind == "zip" else "unpacks to"
    assert_refused(path, f"the archive {account} more than 5000000 bytes", limit=5_000_000)
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()
    if (
        kind != "zip"
    ):  # it must be inflated on the way to the end, so it counts even if it is not wanted
        with pytest.raises(OecalError, match="'bomb': the archive unpacks to more than"):
            list(read_members(path, lambda name: name == "small", limit=5_000_000))


def test_a_zip_that_lies_about_its_size(tmp_path):
    path = make_bomb(tmp_path / "x.zip", "zip")
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\1\2") + 24
    assert struct.unpack_from("<I", data, at) == (30_000_000,)
    struct.pack_into("<I", data, at, 10)
    path.write_bytes(data)
    assert_refused(path, "'bomb': is damaged or cannot be read", limit=5_000_000)


def test_a_member_that_is_too_large_for_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MEMBER", 1000)
    for path in (
        make_bomb(tmp_path / "x.zip", "zip"),
        make_bomb(tmp_path / "x.tar", "w"),
        make_folder(tmp_path / "x", {"bomb": bytes(1001)}),
    ):
        with pytest.raises(
            OecalError, match="'bomb': exceeds the limit of 1000 bytes that are held in memory"
        ):
            read_all(path)
        extract(path, tmp_path / "to" / path.name)  # on disk there is room


def test_members_of_a_folder_count_too(tmp_path):
    assert_refused(
        make_folder(tmp_path / "x", {"a": bytes(600), "b": bytes(600)}),
        "'b': the archive unpacks to more than 1000 bytes",
        limit=1000,
    )


def test_overlapping_members_of_a_zip(tmp_path):
    """All entries of the directory point to one and the same data (Fifield 2019)."""
    path = make_zip(tmp_path / "x.zip", {"a": bytes(1000)})
    data = path.read_bytes()
    start, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    many = data[start:end] * 50
    path.write_bytes(
        data[:start] + many + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 50, 50, len(many), start, 0)
    )
    assert_refused(path, "more than 20000 bytes", limit=20_000)


@pytest.mark.parametrize("kind", [*TARS, "zip"])
def test_a_cut_off_archive(tmp_path, kind):
    """At any byte: tarfile alone takes many of these for whole."""
    files = {f"{i}.bin": random.Random(i).randbytes(900) for i in range(4)}
    path = tmp_path / "x"
    make_zip(path, files) if kind == "zip" else make_tar(
        path, [make_tar_entry(*file) for file in files.items()], kind
    )
    whole = path.read_bytes()
    data_end = (
        whole.rindex(random.Random(3).randbytes(900)) + 1024 if kind == "w" else len(whole)
    )  # then come blocks of zeros
    for length in {
        0,
        1,
        100,
        512,
        1536,
        3072,
        data_end - 600,
        data_end - 1,
        *random.Random(0).sample(range(data_end), 30),
    }:
        path.write_bytes(whole[: max(0, min(length, data_end - 1))])
        with pytest.raises(OecalError, match="is damaged or cannot be read") as error:
            read_all(path)
        assert "\n" not in str(error.value)
    assert_refused(path, "is damaged or cannot be read")


@pytest.mark.parametrize("kind", ["w:gz", "zip"])
def test_a_bad_checksum(tmp_path, kind):
    path = tmp_path / "x"
    make_zip(path, FILES, zipfile.ZIP_STORED) if kind == "zip" else make_tar(
        path, [make_tar_entry(*file) for file in FILES.items()], kind
    )
    data = bytearray(path.read_bytes())
    data[1000 if kind == "zip" else -6] ^= 1  # a byte of a stored file; a byte of the gz's checksum
    path.write_bytes(data)
    assert_refused(path, "CRC")


@pytest.mark.parametrize("kind", [*TARS, "zip"])
def test_whatever_is_damaged_raises_one_line(tmp_path, kind):
    """Random bytes at random places: either all is read, or there is an OecalError."""
    path, rng = tmp_path / "x", random.Random(0)
    make_zip(path, FILES) if kind == "zip" else make_tar(
        path, [make_tar_entry(*file) for file in FILES.items()], kind
    )
    whole = path.read_bytes()
    places = [*range(300), *range(max(300, len(whole) - 400), len(whole))]
    errors = []
    for _ in range(150):
        data = bytearray(whole)
        for place in rng.sample(places, 2):
            data[place] = rng.randrange(256)
        path.write_bytes(data)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", RuntimeWarning)
                read_all(path, limit=10_000_000)
        except OecalError as error:
            errors.append(str(error))
    assert len(errors) > 20
    assert "\n" not in "".join(errors)


def test_a_header_that_would_fill_memory(tmp_path):
    path = make_tar(tmp_path / "x.tar", [make_tar_entry("a" * 2_000_000, b"1")])
    assert_refused(path, "is damaged .*a header declares 2000")


def test_a_sparse_file(tmp_path):
    """A few bytes that stand for a file of any size."""
    pax = {"GNU.sparse.map": "0,1", "GNU.sparse.size": str(1 << 50)}
    assert_refused(
        make_tar(tmp_path / "x.tar", [make_tar_entry("holes", b"1", pax_headers=pax)]),
        "'holes': is a special file",
    )


def test_what_is_no_archive(tmp_path):
    (tmp_path / "x").write_text("hello" * 500)
    assert_refused(tmp_path / "x", "not a tar or zip archive")
    (tmp_path / "x").write_bytes(gzip.compress(b"hello" * 500))
    assert_refused(tmp_path / "x", "not a tar or zip archive")
    assert_refused(tmp_path / "nothing", "No such file")
