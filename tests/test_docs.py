"""What the documents say is there."""

import re
import runpy
from pathlib import Path

import pytest
import yaml

from oecal.config import load

ROOT = Path(__file__).parent.parent
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "docs/data.md", "docs/datasets.md"]


MINIMAL = {
    "study": "x", "datasets": {"a": {"source": "digits"}, "b": {"source": "faces"}},
    "models": {"wrn": {"scores": ["msp"], "trainings": {"baseline": {"epochs": 1, "lr": 0.1}}}},
    "experiments": {"a": {"models": {"wrn": ["baseline"]}, "far": ["b"]}},
}  # fmt: skip


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / document).read_text()):
        if not target.startswith("http"):
            assert ((ROOT / document).parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS)
def test_make_targets_exist(document):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|    )make ([a-z]+)\b", (ROOT / document).read_text())) <= targets


@pytest.mark.parametrize("document", DOCUMENTS)
def test_paths_named_in_the_documents_exist(document):
    for path in re.findall(r"`((?:oecal|workflow|studies|envs|profiles)/[\w/.-]+)`", (ROOT / document).read_text()):
        assert (ROOT / path).exists(), path


def test_the_list_of_data_sets_is_that_of_the_table():
    page = runpy.run_path(str(ROOT / "docs/datasets.py"))["page"]
    assert (ROOT / "docs/datasets.md").read_text() == page(), "run make docs"


def test_the_configuration_in_the_documents_is_right():
    for block in re.findall(r"(?:^    .*\n)+", (ROOT / "docs/data.md").read_text(), re.MULTILINE):
        if block.startswith("    datasets:"):
            load({**MINIMAL, "datasets": {**MINIMAL["datasets"], **yaml.safe_load(block)["datasets"]}})


def test_every_figure_has_a_rule_and_a_caption():
    figures = {p.stem for p in (ROOT / "oecal/figures").glob("*.py")} - {"__init__", "style"}
    rules = set(re.findall(r"^rule (\w+):", (ROOT / "workflow/rules/figures.smk").read_text(), re.MULTILINE))
    captions = {p.stem for p in (ROOT / "workflow/report").glob("*.rst")}
    assert figures == rules == captions


def test_the_default_study_draws_every_figure():
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    assert set(config["figures"]) == {p.stem for p in (ROOT / "workflow/report").glob("*.rst")}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_requirements_are_pinned_and_hashed_and_hold_no_address(name):
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert "torch==2.13.0" not in text
    packages = re.split(r"\n(?=[a-z])", text.strip())
    assert all("==" in p and "--hash=sha256:" in p for p in packages)
