"""The reference pages say what the code says: tables, files, glossary."""

import ast
import dataclasses
import json
import re
import runpy
from pathlib import Path

import pytest
import yaml

from oecal.core.components import list_components, read_constant
from oecal.metrics.guarantees import Threshold
from oecal.metrics.peer_conventions import CONVENTIONS
from oecal.runs import thresholds
from oecal.scores import catalogue
from oecal.screening.decision_rows import DecisionRow
from oecal.study import check_claims
from oecal.study.loading import load
from oecal.tables import conventions, trainings
from tests.pages import DOCS, cells
from tests.run_files import written

ROOT = Path(__file__).parent.parent
HELPERS = {"__init__", "rows", "conventions"}  # files of oecal/tables that are no table


# The tables


@pytest.fixture(scope="module")
def tables():
    return (DOCS / "tables.md").read_text()


@pytest.fixture(scope="module")
def described():
    return yaml.safe_load((DOCS / "columns.yaml").read_text())


@pytest.fixture(scope="module")
def shown(tables):
    """The columns that each table has by the page, in order, and those that are described there."""
    parts = dict(
        part.split("\n", 1) for part in tables.split("## Other files")[0].split("\n## ")[1:]
    )
    shared = {row[0] for row in cells(parts.pop("Columns that several tables share"))}
    orders = {
        name: re.findall(
            r"`([^`]+)`", next(line for line in part.splitlines() if line.startswith("`"))
        )
        for name, part in parts.items()
    }
    return {
        name: (orders[name], shared | {row[0] for row in cells(part)})
        for name, part in parts.items()
    }


def of_a_run(tmp_path: Path) -> list[str]:
    """The columns of trainings.csv, of a run of the smallest study."""
    study = load(
        yaml.safe_load(
            re.search(r"```yaml\n(.*?)```", (DOCS / "configuration.md").read_text(), re.DOTALL)[1]
        )
    )
    about = {
        "configuration": json.dumps(study.training("digits", "wrn", "baseline"), sort_keys=True)
    }
    path = written(
        tmp_path / "a.h5",
        {},
        parameters=1,
        steps=1,
        outliers="",
        alike="",
        precision="float32",
        **about,
    )
    return list(trainings.compute_table([path]).columns)


def test_the_page_of_the_tables_is_that_of_the_code(tables):
    assert tables == runpy.run_path(str(DOCS / "tables.py"))["page"](), "run make docs"


def test_every_table_is_on_the_page(shown):
    files = {p.stem for p in (ROOT / "oecal/tables").glob("*.py")} - HELPERS
    assert set(shown) == {f"{name}.csv" for name in files} | {
        f"detection_{name}.csv" for name in CONVENTIONS
    }


def test_the_columns_on_the_page_are_those_of_the_code(shown, tmp_path):
    others = {
        "trainings": of_a_run(tmp_path),
    }
    others |= {
        f"detection_{name}": list(conventions.compute_table(name, []).columns)
        for name in CONVENTIONS
    }
    for file, (order, about) in shown.items():
        name = file.removesuffix(".csv")
        assert order == (others.get(name) or check_claims.list_columns(name)), name
        assert {f"`{column}`" for column in order} <= about, name


def test_nothing_is_described_that_is_not_there_or_described_twice(shown, described):
    assert {f"{name}.csv" for name in described["tables"]} <= set(shown)
    for name, own in described["tables"].items():
        assert set(own) <= set(shown[f"{name}.csv"][0]), name
    for column in described["shared"]:
        users = [
            name
            for name, (order, _) in shown.items()
            if column in order and column not in described["tables"].get(name[:-4], {})
        ]
        assert len(users) > 1, column
    every = [
        described["shared"],
        described["metrics"],
        *described["tables"].values(),
        *(f["holds"] for f in described["files"].values()),
    ]
    assert all(
        {"is"} <= set(about) <= {"is", "range", "better", "term"}
        for columns in every
        for about in columns.values()
    )


def test_metrics_with_a_file_of_their_own_are_described(described):
    assert list(described["metrics"]) == list_components("metrics", "TABLE")


def test_what_files_hold_is_described(described):
    holds = {path: set(about["holds"]) for path, about in described["files"].items()}
    arrays = {
        name
        for model in list_components("models")
        for name in read_constant("models", model, "OUTPUTS")
    } | catalogue.COSTLY.keys()
    listed = holds["outputs/<run>.h5"] | {
        f"{m}_{v}" for m in ("tta", "swag") for v in ("p", "mi", "agreement")
    }
    assert arrays | {"labels", catalogue.BACKGROUND_LOGIT} == {
        name for name in listed if not name.startswith("/")
    }
    assert holds["statistics/<in_dist>.h5"] == catalogue.STATISTICS
    assert holds["screen/<name>/decisions.csv"] == set(DecisionRow._fields)
    promise = (
        {f.name for f in dataclasses.fields(thresholds.Guarantee)}
        | {f.name for f in dataclasses.fields(Threshold)}
        | {"scores"}
    )
    assert holds["thresholds/<run>.json"] == promise
    parts = {
        part
        for p in (ROOT / "oecal/training").glob("*.py")
        for part in re.findall(r'"((?:loss|energy)\w*)"', p.read_text())
    }
    assert holds["models/<run>/history.csv"] == parts | {
        "epoch",
        "lr",
        "val_nll",
        "val_accuracy",
        "val_bpd",
    }


# The glossary


@pytest.fixture(scope="module")
def glossary():
    """Each term's text."""
    return dict(
        part.split("\n", 1) for part in (DOCS / "glossary.md").read_text().split("\n### ")[1:]
    )


def defined(path: Path) -> set[str]:
    """The names that a module defines."""
    names: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        names |= {node.name} if isinstance(node, ast.FunctionDef | ast.ClassDef) else set()
        names |= (
            {target.id for target in node.targets if isinstance(target, ast.Name)}
            if isinstance(node, ast.Assign)
            else set()
        )
    return names


def test_the_terms_are_in_order(glossary):
    terms = [re.sub("[^a-z0-9]", "", term.lower()) for term in glossary]
    assert terms == sorted(terms)
    assert len(set(terms)) == len(terms)


def test_what_the_glossary_links_is_there(glossary):
    anchors = {re.sub(r"[^\w -]", "", term.lower()).replace(" ", "-") for term in glossary}
    for term, text in glossary.items():
        for label, target in re.findall(r"\[([^\]]+)\]\(([^)]+)\)", text):
            if target.startswith("#"):
                assert target[1:] in anchors, (term, target)
            elif target.endswith(".py"):
                assert label.strip("`") in defined(DOCS / target), (term, label)
            else:
                assert (DOCS / target).exists(), (term, target)


def test_a_column_with_a_formula_is_in_its_entry(glossary, described):
    for columns in (described["shared"], described["metrics"], *described["tables"].values()):
        for column, about in columns.items():
            if "term" in about:
                assert f"`{column}`" in glossary[about["term"]].partition("Columns:")[2], column
    assert {
        about["term"]
        for file in described["files"].values()
        for about in file["holds"].values()
        if "term" in about
    } <= set(glossary)


def test_a_metric_with_a_direction_has_a_formula(described):
    """All but the metric that another column names, and what a job spends."""
    plain = {"value", "control_value", "difference"}
    for columns in (described["shared"], described["metrics"], *described["tables"].values()):
        without = {
            column for column, about in columns.items() if "better" in about and "term" not in about
        }
        assert without <= plain | set(described["tables"]["costs"])


def test_the_columns_that_the_glossary_names_are_there(glossary, shown, described):
    there = (
        {column for order, _ in shown.values() for column in order}
        | set(described["metrics"])
        | {"metric"}
    )
    for term, text in glossary.items():
        named = re.sub(r"\[.*?\]\(.*?\)", "", text.partition("Columns:")[2].split(". ")[0])
        named = set(re.findall(r"`([\w@-]+)`", named)) - {"measures.metrics"}
        assert named <= there, (term, named - there)
