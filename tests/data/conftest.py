"""A local HTTP server for tests of downloads, and the place of the file."""

import threading

import pytest

from tests.data.downloads import BODY
from tests.data.server import Server


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def path(tmp_path):
    """Where the file is to be. After each test it is whole, or it is not there."""
    path = tmp_path / "data" / "file.bin"
    yield path
    assert not path.exists() or path.read_bytes() == BODY
    left = {p.name for p in path.parent.glob("*")} if path.parent.is_dir() else set()
    assert left <= {"file.bin", "file.bin.part", ".file.bin.lock"}
    assert not {"file.bin", "file.bin.part"} <= left
