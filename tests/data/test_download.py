"""Downloads from a local server that breaks off, lies, stalls.

And from processes that are killed.
"""

import contextlib
import email.utils
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
from oecal.data.download import PATIENCE, digest, download, locked, verify
from oecal.data.download import _wait as wait

BODY = random.Random(0).randbytes(2_000_000)
WRONG = b"x" * len(BODY)
CHECKSUM = "sha256:" + hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def path(tmp_path):
    """Where the file shall stand. After each test: it is whole, or it is not there."""
    path = tmp_path / "data" / "file.bin"
    yield path
    assert not path.exists() or path.read_bytes() == BODY
    left = {p.name for p in path.parent.glob("*")} if path.parent.is_dir() else set()
    assert left <= {"file.bin", "file.bin.part", ".file.bin.lock"}
    assert not {"file.bin", "file.bin.part"} <= left


def part(path):
    return path.with_name("file.bin.part")


def length(path):
    return part(path).stat().st_size if part(path).exists() else 0


def get(path, *urls, **options):
    download(urls, path, CHECKSUM, **{"timeout": 0.3, "backoff": 0.001, **options})


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
    assert digest(path, "md5") == hashlib.md5(BODY).hexdigest()
    assert verify(path, CHECKSUM)
    assert not verify(path, "md5:" + "0" * 32)


@pytest.mark.parametrize("length", [True, False])
def test_a_broken_body_is_resumed_where_it_broke(server, path, length):
    url = server.at(
        "a", BODY, {"cut": 1000, "length": length}, {"cut": 65537, "length": length}, {}
    )
    get(path, url, size=len(BODY))
    assert path.read_bytes() == BODY
    assert server.starts("a") == [0, 1000, 66537]


def test_a_chunked_body_without_a_length_or_size(server, path):
    """Its end is only known by the checksum, so what broke off cannot be told from what is wrong."""
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
        OecalError, match="broke off, with 20000 bytes so far.*what was fetched is kept"
    ):
        get(path, url)
    assert part(path).read_bytes() == BODY[:20000]
    get(path, server.at("b", BODY))
    assert server.starts("b") == [20000]


def test_a_resume_at_another_mirror_and_without_known_size(server, path):
    get(path, server.at("a", BODY, {"cut": 777}), server.at("b", BODY))
    assert (server.starts("a"), server.starts("b")) == ([0], [777])


def test_wrong_bytes_then_a_good_mirror(server, path, caplog):
    get(path, server.at("a", WRONG), server.at("b", BODY))
    assert path.read_bytes() == BODY
    assert (server.starts("a"), server.starts("b")) == ([0], [0])
    assert "file.bin: 127.0.0.1: wrong checksum" in caplog.messages


def test_wrong_bytes_only(server, path):
    with pytest.raises(OecalError, match="wrong checksum") as error:
        get(path, server.at("a", WRONG), server.at("b", WRONG))
    assert "\n" not in str(error.value)
    assert (server.starts("a"), server.starts("b")) == (
        [0],
        [0],
    )  # asked once: they would send the same again
    assert not part(path).exists()


def test_a_mirror_is_not_blamed_for_the_wrong_bytes_of_another(server, path):
    """The first sends wrong bytes and breaks off.

    The second goes on from there and is asked again, from zero.
    """
    get(path, server.at("a", WRONG, {"cut": 99}, {"status": 404}), server.at("b", BODY))
    assert path.read_bytes() == BODY
    assert server.starts("b") == [99, 0]


@pytest.mark.parametrize("status", [403, 404, 410, 204])
def test_a_mirror_without_the_file_is_not_asked_again(server, path, status):
    get(path, server.at("a", BODY, {"status": status}), server.at("b", BODY, {"cut": 9}, {}))
    assert path.read_bytes() == BODY
    assert server.starts("a") == [0]


def test_no_mirror_has_the_file(server, path):
    with pytest.raises(OecalError) as error:
        get(
            path,
            server.at("a", BODY, {"status": 404}),
            server.at("b", BODY, {"status": 403}),
            backoff=100,
        )
    assert str(error.value) == (
        f"{path}: could not be fetched (127.0.0.1: HTTP 404; 127.0.0.1: HTTP 403); put the file at {path} yourself or try again; "
        "what was fetched is kept"
    )
    with pytest.raises(OecalError, match="no address is known.*put the file at"):
        get(path)


@pytest.mark.parametrize("status", [500, 503, 429])
def test_an_overloaded_server_is_asked_again(server, path, status):
    get(path, server.at("a", BODY, {"status": status}, {"status": status}, {}))
    assert path.read_bytes() == BODY
    assert len(server.starts("a")) == 3


def test_pauses_grow_and_the_server_may_ask_for_longer_ones(server, path, monkeypatch):
    pauses = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    get(
        path,
        server.at(
            "a",
            BODY,
            {"status": 503},
            {"status": 503},
            {"status": 429, "headers": {"Retry-After": "7"}},
            {},
        ),
        backoff=1,
    )
    first, second, third = [p for p in pauses if p]  # the server's own pauses are 0
    assert 1 <= first <= 1.25
    assert 2 <= second <= 2.5
    assert third == 7


def test_retry_after():
    assert wait("5") == 5
    assert wait("86400") == PATIENCE
    assert 25 < wait(email.utils.formatdate(time.time() + 30, usegmt=True)) <= 30
    assert wait("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert wait("") == wait("soon") == wait("-3") == 0


def test_a_stalled_connection_is_given_up_and_resumed(server, path):
    get(path, server.at("a", BODY, {"cut": 1234, "stall": 9}, {}))
    assert path.read_bytes() == BODY
    assert server.starts("a") == [0, 1234]


def test_no_answer_and_no_server(server, path):
    url = server.at("a", BODY)
    nobody = url.replace(str(server.server_port), "9")
    with pytest.raises(
        OecalError,
        match=r"silent for 0.2 s, with 0 bytes so far; 127.0.0.1: NewConnectionError, with 0 bytes so far",
    ) as error:
        get(path, server.at("b", BODY, {"cut": 0, "stall": 9}), nobody, tries=1, timeout=0.2)
    assert "\n" not in str(error.value)


def test_redirects(server, path):
    to = server.at("b", BODY)
    get(path, server.at("a", BODY, {"status": 302, "headers": {"Location": to}}))
    assert server.starts("b") == [0]


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/x", "/a"])
def test_redirects_to_nowhere(server, path, to):
    with pytest.raises(OecalError, match="InvalidSchema|TooManyRedirects"):
        get(path, server.at("a", BODY, {"status": 302, "headers": {"Location": to}}))
    assert len(server.starts("a")) in (1, 11)  # and no second round


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "x.zip", "https://", "http://[::"]
)
def test_other_addresses(path, url):
    with pytest.raises(
        OecalError, match=re.escape(f"{url!r} cannot be used; write one that begins with http")
    ):
        get(path, url)


def test_a_server_without_ranges_starts_anew(server, path):
    get(path, server.at("a", BODY, {"cut": 1000}, {"ranges": False}))
    assert path.read_bytes() == BODY
    assert server.starts("a") == [0, 1000]


def test_a_server_that_sends_another_range(server, path):
    get(path, server.at("a", BODY, {"cut": 1000}, {"shift": 5}))
    assert path.read_bytes() == BODY
    assert server.starts("a") == [0, 1000, 0]


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


def test_a_body_that_is_too_long(server, path):
    with pytest.raises(OecalError, match="sends more than 2000000 bytes"):
        get(path, server.at("a", BODY + BODY, {"length": False}), size=len(BODY))
    assert not part(path).exists()
    with pytest.raises(OecalError, match="offers a file of 4000000 bytes instead of 2000000"):
        get(path, server.at("b", BODY + BODY), size=len(BODY))


def test_bytes_are_taken_as_they_are_sent(server, path):
    """Some servers say `Content-Encoding: gzip` of a file that is a gz."""
    get(path, server.at("a", BODY, {"headers": {"Content-Encoding": "gzip"}}))
    assert path.read_bytes() == BODY


def test_another_file_of_the_user_is_not_touched(server, tmp_path):
    path = tmp_path / "file.bin"
    path.write_bytes(b"mine")
    with pytest.raises(
        OecalError,
        match=r"file.bin: is another file \(found .*, expected sha256:.*\); delete it and run again",
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
        else pytest.raises(OecalError, match="is another file")
    ):
        get(path, url)
    assert path.read_bytes() == content
    assert part(path).exists() == (content != BODY)


@pytest.mark.parametrize("checksum", ["sha256:12", "crc32:00000000", "0" * 64])
def test_a_checksum_that_is_none(server, path, checksum):
    with pytest.raises(OecalError, match="the checksum .* cannot be used; write sha256: or md5:"):
        download([server.at("a", BODY)], path, checksum)
    assert server.starts("a") == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk(server, path):
    path.parent.mkdir()
    part(path).symlink_to("/dev/full")
    with pytest.raises(OecalError, match="No space left on device.*has room") as error:
        get(path, server.at("a", BODY))
    assert "\n" not in str(error.value)


def test_a_folder_that_cannot_be_written(server, tmp_path):
    (tmp_path / "data").write_text("no folder")
    with pytest.raises(OecalError, match="cannot be read or written"):
        get(tmp_path / "data" / "file.bin", server.at("a", BODY))


def process(*args):
    """Runs `download` in a process of its own, which starts fast: a server process has the imports ready."""
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
        while "waits for another process" not in caplog.text:
            time.sleep(0.01)
        path.write_bytes(BODY)  # what the other process does
    thread.join()
    assert server.starts("a") == []


def test_killed_at_any_moment_and_no_byte_fetched_twice(server, path):
    url = server.at("a", BODY, {"chunk": 4096, "pause": 0.0005})
    rng, breaks = random.Random(0), [0]
    for left in range(20, 0, -1):
        have = breaks[-1]
        moment = have + rng.randrange(1, 3 * (len(BODY) - have) // (2 * left + 2))
        child = process([url], path, CHECKSUM)
        while child.is_alive() and length(path) < moment:
            time.sleep(0.0005)
        child.kill()
        child.join()
        assert child.exitcode == -signal.SIGKILL
        assert not path.exists()
        assert part(path).read_bytes() == BODY[: length(path)]
        breaks.append(length(path))
    get(path, url)
    assert path.read_bytes() == BODY
    assert server.starts("a") == breaks
