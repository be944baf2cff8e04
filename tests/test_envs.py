"""Conda environments, container recipe and pins name the same packages and agree on bounds."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from oecal.core.codegraph import ROOT

# conda-forge's name of a package -> PyPI's
OTHER_NAMES = {
    "pytorch": "torch",
    "matplotlib-base": "matplotlib",
    "seaborn-base": "seaborn",
    "python-lmdb": "lmdb",
}

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NEEDED = {need.name: need.specifier for need in map(Requirement, PROJECT["dependencies"])}
PINS = re.findall(
    r"(?m)^([\w.-]+)==([\w.+]+)", (ROOT / "requirements.txt").read_text()
)  # of one package several: one for each Python


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda path: path.name)
def test_a_conda_environment_is_in_step(path):
    content = yaml.safe_load(path.read_text())
    assert content["channels"] == ["conda-forge", "nodefaults"]
    for line in content["dependencies"]:
        name, bound = re.fullmatch(r"([\w-]+) ([><=].*)", line).groups()
        if name == "python":
            assert SpecifierSet(PROJECT["requires-python"]).contains(bound.lstrip("="))
            continue
        package = OTHER_NAMES.get(name, name)
        lowest = {f"{s.operator}{s.version}" for s in NEEDED[package] if s.operator == ">="}
        assert {bound} == lowest, name
        assert all(SpecifierSet(bound).contains(pin) for pin in list_pins(package)), name


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_the_pins_hold_what_is_needed(name):
    assert all(NEEDED[name].contains(pin) for pin in list_pins(name))


def list_pins(name):
    versions = [version for package, version in PINS if package == name]
    assert versions
    return versions


def test_every_package_is_pinned_with_its_hashes():
    for path in (ROOT / "requirements.txt", ROOT / "requirements-dev.txt"):
        entries = re.split(r"\n(?=\S)", Path(path).read_text().strip())
        assert len(entries) > 50
        assert all("--hash=sha256:" in entry for entry in entries)


def test_the_container_takes_the_pins():
    recipe = (ROOT / "envs" / "oecal.def").read_text()
    assert "requirements.txt /opt/requirements.txt" in recipe
    assert "pip install --no-cache-dir --require-hashes -r /opt/requirements.txt" in recipe
