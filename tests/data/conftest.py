"""The local HTTP server for tests of downloads."""

import importlib.util
import sys
import threading
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def server_class():
    """By its path: with --import-mode=importlib, tests are in no package."""
    spec = importlib.util.spec_from_file_location(
        "local_server", Path(__file__).with_name("server.py")
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module.Server


@pytest.fixture
def server(server_class):
    with server_class() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()
