"""Archives read in place: good ones of all kinds, and hostile or damaged ones, each with its one line."""

import bz2
import gzip
import io
import lzma
import os
import random
import struct
import tarfile
import tracemalloc
import warnings
import zipfile

import pytest

from oecal.core.errors import OecalError
from oecal.data import archives
from oecal.data.archives import extract, read_inflated, read_members

FILES = {"b/two.png": random.Random(0).randbytes(70_000), "one.txt": b"first", "b/c/empty": b""}
TARS = ("w", "w:gz", "w:bz2", "w:xz")


def tar_entry(name, content=b"", **attributes):
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


def all_of(path, **options):
    return dict(read_members(path, lambda name: True, **options))


def fails(path, message, **options):
    """Reading and unpacking raise the same one line, and nothing is left of the unpacking."""
    with pytest.raises(OecalError, match=message) as error:
        all_of(path, **options)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)
    to = path.parent / "to" / "x"
    with pytest.raises(OecalError, match=message):
        extract(path, to, **options)
    assert [p.name for p in to.parent.iterdir()] == [".x.lock"]


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
        path, [tar_entry(*file) for file in FILES.items()], kind if kind in TARS else "w", form
    )


def test_every_kind_gives_the_files(archive, tmp_path):
    assert all_of(archive) == FILES
    assert list(read_members(archive, lambda name: name.endswith(".txt"))) == [
        ("one.txt", b"first")
    ]
    assert (
        next(read_members(archive, lambda name: True))[0] in FILES
    )  # and it may be left half read
    extract(archive, tmp_path / "to" / "here")
    assert all_of(tmp_path / "to" / "here") == FILES
    assert sorted(p.name for p in (tmp_path / "to").iterdir()) == [".here.lock", "here"]


def test_names_are_plain(tmp_path):
    entries = [
        tar_entry("./", type=tarfile.DIRTYPE),
        tar_entry("./a/", type=tarfile.DIRTYPE),
        tar_entry("./a//b/./" + "long" * 60, b"x"),
        tar_entry("ä.txt", b"y"),
        tar_entry("__MACOSX/a", b"z"),
        tar_entry("./a/._b", b"z"),
    ]
    expected = {"a/b/" + "long" * 60: b"x", "ä.txt": b"y"}
    assert all_of(make_tar(tmp_path / "pax", entries)) == expected
    assert all_of(make_tar(tmp_path / "gnu", entries, form=tarfile.GNU_FORMAT)) == expected
    assert (
        all_of(
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


@pytest.mark.parametrize(
    "to, message",
    [
        ("../outside", "leads out of"),
        ("/etc", "leads out of"),
        ("nowhere", "No such file"),
        (".", "folder that it lies in"),
        ("me", "loop"),
    ],
)
def test_links_of_a_folder_that_lead_elsewhere(tmp_path, to, message):
    root = make_folder(tmp_path / "root", {"a": b"1"})
    (tmp_path / "outside").write_bytes(b"secret")
    (root / "me").symlink_to(to)
    fails(root, message)


def test_links_in_a_circle(tmp_path):
    root = make_folder(tmp_path / "root", {"a/x": b"", "b/x": b""})
    (root / "a/to").symlink_to("../b")
    (root / "b/to").symlink_to("../a")
    fails(root, "folder that it lies in")


OUT = ["../evil", "a/../../evil", "/etc/evil", "..", "C:/evil", "c:evil", "..\\evil", "a\\b"]


@pytest.mark.parametrize("name", OUT)
@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_names_that_lead_out_of_a_tar(tmp_path, name, form):
    for attributes in ({}, {"type": tarfile.DIRTYPE}):
        fails(
            make_tar(
                tmp_path / "x.tar",
                [tar_entry("good", b"1"), tar_entry(name, **attributes)],
                form=form,
            ),
            "leads out",
        )
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("name", OUT)
def test_names_that_lead_out_of_a_zip(tmp_path, name):
    fails(make_zip(tmp_path / "x.zip", {"good": b"1", name: b"2"}), "leads out")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    "kind, message",
    [
        (tarfile.SYMTYPE, "'bad': a symbolic link"),
        (tarfile.LNKTYPE, "'bad': a hard link"),
        (tarfile.CHRTYPE, "'bad': a special file"),
        (tarfile.BLKTYPE, "'bad': a special file"),
        (tarfile.FIFOTYPE, "'bad': a special file"),
        (b"V", "'bad': a special file"),
    ],
)
def test_a_tar_holds_files_and_folders_only(tmp_path, kind, message):
    path = make_tar(
        tmp_path / "x.tar", [tar_entry("good", b"1"), tar_entry("bad", type=kind, linkname="good")]
    )
    fails(path, message)
    with pytest.raises(OecalError, match=message):
        list(read_members(path, lambda name: name == "good"))  # also if it is not wanted


def test_a_link_in_a_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        info = zipfile.ZipInfo("bad")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    fails(tmp_path / "x.zip", "'bad': a link or special file")


def test_an_encrypted_zip(tmp_path):
    path = make_zip(tmp_path / "x.zip", {"a": b"1"})
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(signature) + offset] |= 1
    path.write_bytes(data)
    fails(path, "'a': is encrypted")


def bomb(path, kind):
    zeros = bytes(30_000_000)
    if kind == "zip":
        return make_zip(path, {"small": b"1", "bomb": zeros})
    return make_tar(path, [tar_entry("small", b"1"), tar_entry("bomb", zeros)], kind)


@pytest.mark.parametrize("kind", ["zip", *TARS[1:]])
def test_a_bomb_fills_neither_memory_nor_disk(tmp_path, kind):
    path = bomb(tmp_path / "x", kind)
    assert path.stat().st_size < 100_000
    tracemalloc.start()
    account = "by its own account" if kind == "zip" else "up to here"
    fails(path, f"more than 5000000 bytes come out of the archive,? {account}", limit=5_000_000)
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()
    if (
        kind != "zip"
    ):  # it must be inflated on the way to the end, so it counts even if it is not wanted
        with pytest.raises(OecalError, match="'bomb': more than"):
            list(read_members(path, lambda name: name == "small", limit=5_000_000))


def test_a_zip_that_lies_about_its_size(tmp_path):
    path = bomb(tmp_path / "x.zip", "zip")
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\1\2") + 24
    assert struct.unpack_from("<I", data, at) == (30_000_000,)
    struct.pack_into("<I", data, at, 10)
    path.write_bytes(data)
    fails(path, "'bomb': is damaged or cannot be read", limit=5_000_000)


def test_a_member_that_is_too_large_for_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MEMBER", 1000)
    for path in (
        bomb(tmp_path / "x.zip", "zip"),
        bomb(tmp_path / "x.tar", "w"),
        make_folder(tmp_path / "x", {"bomb": bytes(1001)}),
    ):
        with pytest.raises(
            OecalError, match="'bomb': has more than 1000 bytes, too many to hold in memory"
        ):
            all_of(path)
        extract(path, tmp_path / "to" / path.name)  # on disk there is room


def test_members_of_a_folder_count_too(tmp_path):
    fails(
        make_folder(tmp_path / "x", {"a": bytes(600), "b": bytes(600)}),
        "'b': more than 1000 bytes",
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
    fails(path, "more than 20000 bytes", limit=20_000)


@pytest.mark.parametrize("kind", [*TARS, "zip"])
def test_a_cut_off_archive(tmp_path, kind):
    """At any byte: tarfile alone takes many of these for whole."""
    files = {f"{i}.bin": random.Random(i).randbytes(900) for i in range(4)}
    path = tmp_path / "x"
    make_zip(path, files) if kind == "zip" else make_tar(
        path, [tar_entry(*file) for file in files.items()], kind
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
            all_of(path)
        assert "\n" not in str(error.value)
    fails(path, "is damaged or cannot be read")


@pytest.mark.parametrize("kind", ["w:gz", "zip"])
def test_a_bad_checksum(tmp_path, kind):
    path = tmp_path / "x"
    make_zip(path, FILES, zipfile.ZIP_STORED) if kind == "zip" else make_tar(
        path, [tar_entry(*file) for file in FILES.items()], kind
    )
    data = bytearray(path.read_bytes())
    data[1000 if kind == "zip" else -6] ^= 1  # a byte of a stored file; a byte of the gz's checksum
    path.write_bytes(data)
    fails(path, "CRC")


@pytest.mark.parametrize("kind", [*TARS, "zip"])
def test_whatever_is_damaged_raises_one_line(tmp_path, kind):
    """Random bytes at random places: either all is read, or there is an OecalError."""
    path, rng = tmp_path / "x", random.Random(0)
    make_zip(path, FILES) if kind == "zip" else make_tar(
        path, [tar_entry(*file) for file in FILES.items()], kind
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
                all_of(path, limit=10_000_000)
        except OecalError as error:
            errors.append(str(error))
    assert len(errors) > 20
    assert "\n" not in "".join(errors)


def test_a_header_that_would_fill_memory(tmp_path):
    path = make_tar(tmp_path / "x.tar", [tar_entry("a" * 2_000_000, b"1")])
    fails(path, "is damaged .*a header says 2000")


def test_a_sparse_file(tmp_path):
    """A few bytes that stand for a file of any size."""
    pax = {"GNU.sparse.map": "0,1", "GNU.sparse.size": str(1 << 50)}
    fails(
        make_tar(tmp_path / "x.tar", [tar_entry("holes", b"1", pax_headers=pax)]),
        "'holes': a special file",
    )


def test_a_tar_that_ends_in_a_zip_is_a_tar(tmp_path):
    inner = make_zip(tmp_path / "inner.zip", {"evil": b"1"}).read_bytes()
    path = make_tar(tmp_path / "x", [tar_entry("good", b"1"), tar_entry("inner.zip", inner)])
    assert zipfile.is_zipfile(path)
    assert all_of(path) == {"good": b"1", "inner.zip": inner}


def test_what_is_no_archive(tmp_path):
    (tmp_path / "x").write_text("hello" * 500)
    fails(tmp_path / "x", "neither tar nor zip")
    (tmp_path / "x").write_bytes(gzip.compress(b"hello" * 500))
    fails(tmp_path / "x", "neither tar nor zip")
    fails(tmp_path / "nothing", "No such file")


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
    assert all_of(to) == FILES
    (to / "mine").write_bytes(b"1")
    extract(path, to)
    assert all_of(to) == {**FILES, "mine": b"1"}
    assert sorted(p.name for p in tmp_path.iterdir()) == [".to.lock", "to", "x.zip"]


def test_unpacking_where_it_cannot_be(tmp_path):
    path = make_zip(tmp_path / "x.zip", {"a": b"", "a/b": b""})
    with pytest.raises(OecalError, match="to: .*x.zip cannot be unpacked there"):
        extract(path, tmp_path / "to")
    assert not (tmp_path / "to").exists()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OecalError, match="cannot be unpacked there"):
        extract(path, tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_opened(tmp_path, pack):
    path, content = tmp_path / "x", FILES["b/two.png"] * 40
    path.write_bytes(pack(content))
    assert read_inflated(path) == read_inflated(path, len(content)) == content
    with pytest.raises(OecalError, match=f"x: has more than {len(content) - 1} bytes"):
        read_inflated(path, len(content) - 1)
    if pack is not bytes:
        path.write_bytes(pack(content)[:-9])
        with pytest.raises(OecalError, match="x: is damaged or cannot be read"):
            read_inflated(path)


def test_opened_stops_at_the_limit(tmp_path):
    (tmp_path / "x").write_bytes(bz2.compress(bytes(30_000_000)))
    tracemalloc.start()
    with pytest.raises(OecalError, match="has more than 1000 bytes"):
        read_inflated(tmp_path / "x", 1000)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()
    with pytest.raises(OecalError, match="nothing: is damaged or cannot be read .*No such file"):
        read_inflated(tmp_path / "nothing")
