"""A wheel of the package holds all that the library reads."""

import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from oecal.core.codegraph import ROOT


def run(*arguments, **more):
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, **more
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """A folder in which a wheel of the package is unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "oecal", folder / "source/oecal", ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / "source")
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder)
    run("-m", "pip", "wheel", *options, folder / "source")
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "unpacked")
    return folder / "unpacked"


def test_a_wheel_has_every_file_of_the_package(unpacked):
    def list_files(folder):
        files = (path for path in (folder / "oecal").rglob("*") if path.is_file())
        return {path.relative_to(folder) for path in files if path.suffix != ".pyc"}

    assert list_files(unpacked) == list_files(ROOT)


def test_a_wheel_loads_every_study(unpacked):
    script = ROOT / "tests/workflow/load_studies.py"
    shown = run("-P", script, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(unpacked)})
    assert shown.startswith(f"{unpacked}/oecal: imported")
