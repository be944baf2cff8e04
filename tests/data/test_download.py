"""Downloads that are resumed, refused, killed, or made by two processes at once."""

import contextlib
import hashlib
import logging
import multiprocessing
import random
import re
import signal
import threading
import time
from pathlib import Path

import pytest

from oecal.core.errors import OecalError
from oecal.data.checksums import compute_digest, has_checksum
from oecal.data.download import download, locked
from tests.data.downloads import BODY, CHECKSUM, bytes_so_far, get, part


def test_a_good_file_is_fetched_once(server, path, caplog):
    caplog.set_level(logging.INFO)
    url = server.at("a", BODY)
    get(path, url, size=len(BODY))
    assert path.read_bytes() == BODY
    assert [r.message for r in caplog.records] == [
        "file.bin: fetching from 127.0.0.1, 2.0 MB",
        "file.bin: fetched and verified",
    ]
    get(path, url)
    get(path)  # it needs no mirror
    assert server.starts("a") == [0]


def test_md5(server, path):
    download([server.at("a", BODY)], path, "md5:" + hashlib.md5(BODY).hexdigest().upper())
    assert path.read_bytes() == BODY
    assert compute_digest(path, "md5") == hashlib.md5(BODY).hexdigest()
    assert has_checksum(path, CHECKSUM)
    assert not has_checksum(path, "md5:" + "0" * 32)


@pytest.mark.parametrize("length", [True, False])
def test_a_broken_body_is_resumed_where_it_broke(server, path, length):
    url = server.at(
        "a", BODY, {"cut": 1000, "length": length}, {"cut": 65537, "length": length}, {}
    )
    get(path, url, size=len(BODY))
    assert path.read_bytes() == BODY
    assert server.starts("a") == [0, 1000, 66537]


def test_a_chunked_body_without_a_length_or_size(server, path):
    """Only the checksum tells its end, so what broke off looks like what is wrong."""
    get(
        path,
        server.at("a", BODY, {"cut": 1000, "length": False}, {}),
        server.at("b", BODY, {"length": False}),
    )
    assert path.read_bytes() == BODY
    assert server.starts("b") == [0]


def test_what_an_earlier_run_fetched_is_resumed(server, path):
    url = server.at("a", BODY, {"cut": 5000})
    with pytest.raises(
        OecalError, match="connection lost after 20000 bytes.*bytes fetched so far are kept"
    ):
        get(path, url)
    assert part(path).read_bytes() == BODY[:20000]
    get(path, server.at("b", BODY))
    assert server.starts("b") == [20000]


def test_a_resume_at_another_mirror_and_without_known_size(server, path):
    get(path, server.at("a", BODY, {"cut": 777}), server.at("b", BODY))
    assert (server.starts("a"), server.starts("b")) == ([0], [777])


def test_no_mirror_has_the_file(server, path):
    with pytest.raises(OecalError) as error:
        get(
            path,
            server.at("a", BODY, {"status": 404}),
            server.at("b", BODY, {"status": 403}),
            backoff=100,
        )
    assert str(error.value) == (
        f"{path}: download failed (127.0.0.1: HTTP 404; 127.0.0.1: HTTP 403); try again (the "
        "bytes fetched so far are kept), or put the file there yourself"
    )
    with pytest.raises(OecalError, match="no address is known.*put the file there"):
        get(path)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "x.zip", "https://", "http://[::"]
)
def test_other_addresses(path, url):
    with pytest.raises(
        OecalError,
        match=re.escape(f"found the address {url!r}; expected one that begins with http"),
    ):
        get(path, url)


@pytest.mark.parametrize("size", [0, len(BODY)])
def test_a_part_that_is_complete(server, path, size):
    """A run was killed between the last byte and the check."""
    path.parent.mkdir()
    part(path).write_bytes(BODY)
    get(path, server.at("a", BODY), size=size)
    assert server.starts("a") == ([] if size else [len(BODY)])  # 416


@pytest.mark.parametrize("size", [0, len(BODY)])
def test_a_part_that_is_too_long(server, path, size):
    path.parent.mkdir()
    part(path).write_bytes(BODY + b"x")
    get(path, server.at("a", BODY), size=size)
    assert path.read_bytes() == BODY
    assert server.starts("a") == ([0] if size else [len(BODY) + 1, 0])


def test_another_file_of_the_user_is_not_touched(server, tmp_path):
    path = tmp_path / "file.bin"
    path.write_bytes(b"mine")
    with pytest.raises(
        OecalError,
        match=r"file.bin: checksum mismatch \(expected sha256:.*, found .*\); delete it and run",
    ) as error:
        get(path, server.at("a", BODY))
    assert "\n" not in str(error.value)
    assert path.read_bytes() == b"mine"
    assert server.starts("a") == []


@pytest.mark.parametrize("content", [b"mine", BODY], ids=["another", "the same"])
def test_a_file_that_the_user_puts_there_meanwhile(server, tmp_path, monkeypatch, content):
    path = tmp_path / "file.bin"
    url = server.at("a", BODY, {"status": 503}, {})
    monkeypatch.setattr(
        time, "sleep", lambda seconds: path.write_bytes(content) if seconds else None
    )
    with (
        contextlib.nullcontext()
        if content == BODY
        else pytest.raises(OecalError, match="checksum mismatch")
    ):
        get(path, url)
    assert path.read_bytes() == content
    assert part(path).exists() == (content != BODY)


@pytest.mark.parametrize("checksum", ["sha256:12", "crc32:00000000", "0" * 64])
def test_a_checksum_that_is_none(server, path, checksum):
    with pytest.raises(OecalError, match="found the checksum .*; expected sha256: .*, or md5:"):
        download([server.at("a", BODY)], path, checksum)
    assert server.starts("a") == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk(server, path):
    path.parent.mkdir()
    part(path).symlink_to("/dev/full")
    with pytest.raises(OecalError, match="No space left on device.*disk not full") as error:
        get(path, server.at("a", BODY))
    assert "\n" not in str(error.value)


def test_a_folder_that_cannot_be_written(server, tmp_path):
    (tmp_path / "data").write_text("no folder")
    with pytest.raises(OecalError, match="cannot be read or written"):
        get(tmp_path / "data" / "file.bin", server.at("a", BODY))


def process(*args):
    """Runs `download` in a process of its own; it starts fast, as a server has the imports."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["oecal.data.download"])
    child = context.Process(target=download, args=args)
    child.start()
    return child


def test_two_processes_fetch_a_file_once(server, path):
    url = server.at("a", BODY, {"pause": 0.02})
    children = [process([url], path, CHECKSUM) for _ in range(2)]
    for child in children:
        child.join(20)
    assert [child.exitcode for child in children] == [0, 0]
    assert path.read_bytes() == BODY
    assert server.starts("a") == [0]


def test_who_waits_for_another_process_says_so(server, path, caplog):
    caplog.set_level(logging.INFO)
    url = server.at("a", BODY)
    with locked(path):
        thread = threading.Thread(target=get, args=(path, url))
        thread.start()
        while "waiting for another process" not in caplog.text:
            time.sleep(0.01)
        path.write_bytes(BODY)  # what the other process does
    thread.join()
    assert server.starts("a") == []


def test_killed_at_any_moment_and_no_byte_fetched_twice(server, path):
    url = server.at("a", BODY, {"chunk": 4096, "pause": 0.0005})
    rng, breaks = random.Random(0), [0]
    for left in range(20, 0, -1):
        have = breaks[-1]
        # On a busy machine a kill comes late, and little is left for the later ones.
        moment = have + rng.randrange(1, max(2, 3 * (len(BODY) - have) // (2 * left + 2)))
        child = process([url], path, CHECKSUM)
        while child.is_alive() and bytes_so_far(path) < moment:
            time.sleep(0.0005)
        child.kill()
        child.join()
        if child.exitcode == 0:  # it was done before it could be killed
            break
        assert child.exitcode == -signal.SIGKILL
        assert not path.exists()
        assert part(path).read_bytes() == BODY[: bytes_so_far(path)]
        breaks.append(bytes_so_far(path))
    get(path, url)
    assert path.read_bytes() == BODY
    assert server.starts("a") == breaks
