"""The exported schema: in step with the types, right about every study, and of use to an editor."""

import copy
import json

import pytest
import yaml
from jsonschema import Draft202012Validator

from oecal.core.codegraph import ROOT
from oecal.study.loading import merge
from oecal.study.schema import PATH, build_schema

SCHEMA = json.loads(PATH.read_text())
CHECK = Draft202012Validator(SCHEMA)
STUDIES = [ROOT / "config.yaml", *sorted((ROOT / "studies").glob("*.yaml"))]
SMALL = sorted((ROOT / "studies" / "small").glob("*.yaml"))
DEMO = yaml.safe_load(STUDIES[0].read_text())


def test_the_file_is_in_step_with_the_types():
    """`make schema` writes it anew."""
    assert build_schema() == SCHEMA
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", [*STUDIES, *SMALL], ids=lambda path: path.stem)
def test_every_study_is_valid_and_names_the_schema(path):
    first, content = path.read_text().splitlines()[0], yaml.safe_load(path.read_text())
    if path in SMALL:
        content = merge(yaml.safe_load((ROOT / "studies" / path.name).read_text()), content)
    assert [error.message for error in CHECK.iter_errors(content)] == []
    address = first.removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / address).resolve() == PATH.resolve()


TYPOS = [
    (("models", "wrn", "options"), "dept", 10, ["models", "wrn", "options"]),
    (("datasets", "gaussian"), "kind", "gausian", ["datasets", "gaussian", "kind"]),
    (("datasets", "photos"), "sise", 28, ["datasets", "photos"]),
    (
        ("models", "wrn", "trainings", "baseline"),
        "epoch",
        3,
        ["models", "wrn", "trainings", "baseline"],
    ),
    (
        ("models", "wrn", "trainings", "oe_tune"),
        "options",
        {"weigth": 1},
        ["models", "wrn", "trainings", "oe_tune", "options"],
    ),
    (
        ("experiments", "digits"),
        "corruptions",
        {"mist": [1]},
        ["experiments", "digits", "corruptions"],
    ),
    ((), "figures", ["rocs"], ["figures", 0]),
]


@pytest.mark.parametrize("path, key, value, place", TYPOS, ids=lambda value: str(value)[:20])
def test_a_typo_is_marked_where_it_stands(path, key, value, place):
    content = copy.deepcopy(DEMO)
    target = content
    for step in path:
        target = target[step]
    target[key] = value
    assert place in [list(error.absolute_path) for error in CHECK.iter_errors(content)]


def test_every_key_is_described():
    keys = [
        (kind, key, value)
        for kind, definition in {"": SCHEMA, **SCHEMA["$defs"]}.items()
        for key, value in definition.get("properties", {}).items()
    ]
    assert len(keys) > 150
    assert [(kind, key) for kind, key, value in keys if not value.get("description")] == []
