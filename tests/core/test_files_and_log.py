import errno
import logging
import os
import re
import subprocess
import sys
import warnings
from collections import Counter
from pathlib import Path

import pytest
from safetensors import SafetensorError

from oecal.core import hdf5_files, log
from oecal.core.errors import OecalError
from oecal.core.files import replacing
from oecal.core.seeds import derive_seed, make_generator

ROOT = Path(__file__).parents[2]


def test_a_file_is_whole_or_not_there(tmp_path):
    path = tmp_path / "a" / "x.txt"
    with replacing(path) as temporary:
        temporary.write_text("one")
        assert not path.exists()
    assert path.read_text() == "one"

    def break_off():
        with replacing(path) as temporary:
            temporary.write_text("tw")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    assert path.read_text() == "one"
    assert [p.name for p in path.parent.iterdir()] == ["x.txt"]


@pytest.fixture
def restored():
    root = logging.getLogger()
    handlers, level, hooks = root.handlers[:], root.level, (sys.excepthook, sys.unraisablehook)
    logging.captureWarnings(False)
    log.SHOWN.clear()
    yield
    root.handlers[:], root.level = handlers, level
    sys.excepthook, sys.unraisablehook = hooks
    logging.captureWarnings(False)


def test_log_gets_messages_warnings_and_errors(tmp_path, restored, capsys):
    log.start(tmp_path / "logs" / "x.log")
    logging.info("hello")
    warnings.warn("careful", stacklevel=1)
    for error in (OecalError("write this instead"), ValueError("a bug")):
        try:
            raise error
        except (OecalError, ValueError):
            sys.excepthook(*sys.exc_info())
    text = (tmp_path / "logs" / "x.log").read_text()
    assert "INFO hello" in text
    assert "INFO x: hello" in capsys.readouterr().err  # where several jobs share a terminal
    assert "careful" in text
    assert "ERROR write this instead" in text
    assert text.count("Traceback") == 1  # of the bug, not of the user's mistake
    assert "ValueError: a bug" in text


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "x.csv"),
            "ERROR x.csv: the disk is full; make room, then run again",
        ),
        (
            OSError("Can't write data (errno = 28, error message = 'No space left')"),
            "ERROR a file could not be written: the disk",
        ),
        (
            RuntimeError("Can't decrement id ref count (errno = 28, no room)"),
            "ERROR a file could not be written: the disk is full",
        ),
        (
            SafetensorError("Error while serializing: No space left on device (os error 28)"),
            "ERROR a file could not be written: the disk",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "y.h5"),
            "ERROR y.h5: permission denied; check the permissions of the file and its folder",
        ),
        (
            OSError(errno.EROFS, "Read-only file system", "z"),
            "ERROR z: the file system is read-only",
        ),
    ],
)
def test_what_the_system_refuses_is_one_line(tmp_path, restored, error, line):
    log.start(tmp_path / "x.log")
    sys.excepthook(type(error), error, None)
    text = (tmp_path / "x.log").read_text()
    assert line in text
    assert len(text.splitlines()) == 1


def test_any_other_error_of_the_system_has_its_traceback(tmp_path, restored):
    log.start(tmp_path / "x.log")
    sys.excepthook(OSError, OSError(errno.EIO, "Input/output error"), None)
    assert "CRITICAL OSError" in (tmp_path / "x.log").read_text()


def test_a_full_disk_is_said_once(tmp_path, restored, capsys):
    """h5py also says it for each dataset that it closes afterwards, where it cannot raise."""
    log.start(tmp_path / "x.log")

    class Closed:
        def __init__(self, message):
            self.message = message

        def __del__(self):
            raise RuntimeError(self.message)

    for message in ("Can't decrement id ref count (errno = 28, ...)",) * 2 + ("other",):
        Closed(message)
    sys.excepthook(OSError, OSError(errno.ENOSPC, "full"), None)
    assert (tmp_path / "x.log").read_text().count("the disk is full") == 1
    assert "RuntimeError: other" in capsys.readouterr().err


def python(code, folder, *arguments):
    """Run code in a process of its own, in this folder.

    A full disk leaves HDF5 in disorder, or crashes it.
    """
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


TOO_LARGE = """
import resource, sys, numpy
from oecal.core import hdf5_files, log
rows, limit = map(int, sys.argv[1:])
log.start("x.log")
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
with hdf5_files.creating("x.h5") as file:
    hdf5_files.put(file, "first", numpy.zeros(10))
    for n in range(1 + 1_000_000 // rows):
        hdf5_files.put(file, f"group/{n}", numpy.ones(rows))
    print("went on")
"""


@pytest.mark.parametrize("limit", [0, 1000, 100_000])
@pytest.mark.parametrize("rows", [1000, 100_000, 1_000_000])
def test_a_dataset_that_does_not_fit_is_an_error_at_once(tmp_path, rows, limit):
    """And not only when it is closed, where h5py could not raise it, or HDF5 crashes.

    Nor is there more to be read if the log is full.
    """
    done = python(TOO_LARGE, tmp_path, rows, limit)
    assert re.fullmatch(
        r"[\d:]+ ERROR .*the file exceeds the size limit; raise it with ulimit -f\n", done.stderr
    )
    assert done.returncode == 1
    assert not done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["x.log"]


ANY_END = """
import random, resource, numpy
from oecal.core import hdf5_files
from oecal.core.errors import OecalError

def write(draw):
    with hdf5_files.creating("x.h5") as file:
        for n in range(draw.randrange(20)):
            if draw.random() < 0.3:
                file.attrs[f"text {n}"] = "y" * draw.randrange(3000)
            elif draw.random() < 0.5:
                file.create_group(f"group/{n}").attrs["values"] = list(range(draw.randrange(1000)))
            else:
                size = draw.choice([1, 1000, 30_000, 300_000])
                hdf5_files.put(file, f"data/{n}", numpy.ones(size))
        if draw.random() < 0.3:
            raise OecalError("mine")

for seed in range(100):
    draw = random.Random(seed)
    limit = draw.choice([0, 100, 1000, 5000, 20_000, 100_000, 10**6, 10**9])
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        write(draw)
        print("whole")
    except OecalError as error:
        print(error)
    except (OSError, RuntimeError) as error:
        print("File too large" if "File too large" in str(error) else error)
"""


def test_whatever_ends_the_writing_of_a_file_is_what_is_raised(tmp_path):
    """And not what HDF5 says of the rest that it could not write, nor does it crash.

    And the next file is written as ever.
    """
    done = python(ANY_END, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    ends = Counter(done.stdout.splitlines())
    assert set(ends) == {"whole", "mine", "File too large"}
    assert sum(ends.values()) == 100
    with hdf5_files.reading(tmp_path / "x.h5"):
        assert [path.name for path in tmp_path.iterdir()] == ["x.h5"]


def test_seeds_are_fixed_and_apart():
    assert derive_seed(0, "epoch", 1) == 123735704575244949
    assert (
        len({derive_seed(s, p, n) for s in range(9) for p in ("init", "epoch") for n in range(9)})
        == 162
    )
    assert (
        make_generator("a").random() == make_generator("a").random() != make_generator("b").random()
    )
