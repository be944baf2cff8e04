"""Downloads from local servers that are busy, lie, stall or have another file."""

import email.utils
import time

import pytest

from oecal.core.errors import OecalError
from oecal.data.mirrors import LONGEST_WAIT, parse_retry_after
from tests.data.downloads import BODY, get, part

WRONG = b"x" * len(BODY)


def test_wrong_bytes_then_a_good_mirror(server, path, caplog):
    get(path, server.at("a", WRONG), server.at("b", BODY))
    assert path.read_bytes() == BODY
    assert (server.starts("a"), server.starts("b")) == ([0], [0])
    assert "file.bin: 127.0.0.1: checksum mismatch" in caplog.messages


def test_wrong_bytes_only(server, path):
    with pytest.raises(OecalError, match="checksum mismatch") as error:
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
    assert parse_retry_after("5") == 5
    assert parse_retry_after("86400") == LONGEST_WAIT
    assert 25 < parse_retry_after(email.utils.formatdate(time.time() + 30, usegmt=True)) <= 30
    assert parse_retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert parse_retry_after("") == parse_retry_after("soon") == parse_retry_after("-3") == 0


def test_a_stalled_connection_is_given_up_and_resumed(server, path):
    get(path, server.at("a", BODY, {"cut": 1234, "stall": 9}, {}))
    assert path.read_bytes() == BODY
    assert server.starts("a") == [0, 1234]


def test_no_answer_and_no_server(server, path):
    url = server.at("a", BODY)
    nobody = url.replace(str(server.server_port), "9")
    with pytest.raises(
        OecalError,
        match="no answer for 0.2 s after 0 bytes; 127.0.0.1: NewConnectionError after 0 bytes",
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


def test_a_server_without_ranges_starts_anew(server, path):
    get(path, server.at("a", BODY, {"cut": 1000}, {"ranges": False}))
    assert path.read_bytes() == BODY
    assert server.starts("a") == [0, 1000]


def test_a_server_that_sends_another_range(server, path):
    get(path, server.at("a", BODY, {"cut": 1000}, {"shift": 5}))
    assert path.read_bytes() == BODY
    assert server.starts("a") == [0, 1000, 0]


def test_a_body_that_is_too_long(server, path):
    with pytest.raises(OecalError, match="sent more than 2000000 bytes"):
        get(path, server.at("a", BODY + BODY, {"length": False}), size=len(BODY))
    assert not part(path).exists()
    with pytest.raises(OecalError, match="offers 4000000 bytes; expected 2000000"):
        get(path, server.at("b", BODY + BODY), size=len(BODY))


def test_bytes_are_taken_as_they_are_sent(server, path):
    """Some servers say `Content-Encoding: gzip` of a file that is a gz."""
    get(path, server.at("a", BODY, {"headers": {"Content-Encoding": "gzip"}}))
    assert path.read_bytes() == BODY
