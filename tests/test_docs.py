"""What the documents say is there."""

import importlib
import re
import runpy
from pathlib import Path

import numpy as np
import pytest
import yaml

import oecal.scores
from oecal.core import components
from oecal.core.components import list_components, read_constant
from oecal.report.summary_tables import SECTIONS
from oecal.scores import catalogue
from oecal.study.figure_files import list_figures, read_figure
from oecal.study.loading import load

ROOT = Path(__file__).parent.parent
DOCUMENTS = [
    "README.md",
    "CONTRIBUTING.md",
    *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))),
]


MINIMAL = {
    "study": "x",
    "datasets": {"a": {"source": "digits"}, "b": {"source": "faces"}},
    "models": {"wrn": {"scores": ["msp"], "trainings": {"baseline": {"epochs": 1, "lr": 0.1}}}},
    "experiments": {"a": {"models": {"wrn": ["baseline"]}, "far": ["b"]}},
}


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
    for path in re.findall(
        r"`((?:oecal|workflow|studies|envs|profiles|tests|benchmarks)/[\w/.-]+)`",
        (ROOT / document).read_text(),
    ):
        assert (ROOT / path).exists(), path


def test_the_list_of_data_sets_is_that_of_the_table():
    page = runpy.run_path(str(ROOT / "docs/datasets.py"))["page"]
    assert (ROOT / "docs/datasets.md").read_text() == page(), "run make docs"


def test_the_configuration_in_the_documents_is_right():
    for block in re.findall(r"(?:^    .*\n)+", (ROOT / "docs/data.md").read_text(), re.MULTILINE):
        if block.startswith("    datasets:"):
            load(
                {
                    **MINIMAL,
                    "datasets": {**MINIMAL["datasets"], **yaml.safe_load(block)["datasets"]},
                }
            )


def test_figures_say_what_they_are():
    figures = list_figures()
    assert {"reliability", "limits"} <= set(figures)
    assert not {"__init__", "style", "sentences"} & set(figures)
    files = [read_figure(name) for name in figures]
    assert {figure.per for figure in files} == {"", "training", "treatment", "study"}
    assert {figure.section for figure in files} <= SECTIONS.keys()
    assert len({figure.title for figure in files}) == len({f.caption for f in files}) == len(files)


def test_the_default_study_draws_every_figure():
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    assert set(config["figures"]) == set(list_figures())


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_requirements_are_pinned_and_hashed_and_hold_no_address(name):
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert "torch==2.13.0" not in text
    packages = re.split(r"\n(?=[a-z])", text.strip())
    assert all("==" in p and "--hash=sha256:" in p for p in packages)


def test_the_list_of_scores_is_that_of_the_code():
    page = runpy.run_path(str(ROOT / "docs/scores.py"))["page"]
    assert (ROOT / "docs/scores.md").read_text() == page(), "run make docs"


def test_the_list_of_figures_is_that_of_the_code_and_each_has_a_picture():
    page = runpy.run_path(str(ROOT / "docs/figures.py"))["page"]()
    assert (ROOT / "docs/figures.md").read_text() == page, "run make docs"
    assert {p.stem for p in (ROOT / "docs/figures").glob("*.png")} == set(
        re.findall(r"\(figures/(\w+)\.png\)", page)
    )


def test_every_objective_is_in_the_documents():
    text = (ROOT / "docs/uncertainty.md").read_text()
    assert all(
        f"`{name}`" in text
        for name in list_components("training")
        if "classifier" in read_constant("training", name, "FOR")
    )


def test_the_score_that_the_documents_add(tmp_path, monkeypatch, rng):
    """The example as it stands there, found, tuned and computed as any other score."""
    code = re.search(r"```python\n(.*?)```", (ROOT / "docs/uncertainty.md").read_text(), re.DOTALL)[
        1
    ]
    assert code.count("\n") < 60
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores" / "centroid.py").write_text(code)
    monkeypatch.setattr(components, "PACKAGE", tmp_path)
    monkeypatch.setattr(
        oecal.scores, "__path__", [*oecal.scores.__path__, str(tmp_path / "scores")]
    )
    catalogue.list_scores.cache_clear()
    try:
        score = catalogue.find_score("centroid")
        assert (score.needs, score.grids) == ({"features", "labels"}, {"norm": (1, 2)})
        features, labels = rng.uniform(size=(20, 3)), np.arange(20) % 2
        values = importlib.import_module(score.module).centroid(features, features, labels)
        means = np.stack([features[labels == c].mean(axis=0) for c in (0, 1)])
        np.testing.assert_allclose(
            values, np.linalg.norm(features[:, None] - means, axis=2).min(axis=1)
        )
    finally:
        catalogue.list_scores.cache_clear()


def test_scores_and_metrics_without_the_workflow(rng, capsys):
    """The example as it stands there, on random features: OOD far away."""
    code = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs/uncertainty.md").read_text(), re.DOTALL
    )[-1]
    train, val, test = (rng.normal(size=(n, 3)) for n in (100, 80, 60))
    names = {
        "train_features": train,
        "train_labels": np.arange(100) % 2,
        "val_features": val,
        "test_features": test,
    }
    exec(
        code,
        {
            **names,
            "ood_features": test + 20,
            "confidence": rng.uniform(0.5, 1, 60),
            "correct": rng.uniform(size=60) < 0.75,
        },
    )
    printed = capsys.readouterr().out
    assert "'auroc': 1.0" in printed
    assert "'ece':" in printed
