"""Coverage-guided fuzzing of the readers of foreign files.

Anything but an OecalError in one line ends it, and the file that caused it is kept.

    python -m tests.faults.fuzz npy 120

The arguments: a format of tests/data/test_damaged_images.py, and seconds. Needs `pip install
atheris`, which exists for Linux only.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["oecal", "pickle", "numpy.lib", "zipfile", "scipy.io"]):
    from tests.damage import result
    from tests.data.test_damaged_images import FORMATS


def main(form: str, seconds: int) -> None:
    write, read = FORMATS[form]
    folder = Path(tempfile.mkdtemp())
    (folder / "corpus").mkdir()
    write(folder / "corpus/good")
    target = folder / "file"

    def once(content: bytes) -> None:
        target.write_bytes(content)
        assert "\n" not in result(read, target)[1]

    arguments = [
        f"-max_total_time={seconds}",
        f"-max_len={2 * (folder / 'corpus/good').stat().st_size}",
        "-rss_limit_mb=8000",
    ]
    atheris.Setup(
        [sys.argv[0], *arguments, f"-artifact_prefix={folder}/", str(folder / "corpus")], once
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
