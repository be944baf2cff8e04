"""Five hundred mutated configurations: each is a study, or refused in one line that names a key."""

import copy
import datetime
import random
import re

import pytest
import yaml

from oecal.core.codegraph import ROOT
from oecal.core.errors import OecalError
from oecal.study.configuration import Configuration
from oecal.study.loading import load

STUDIES = [
    yaml.safe_load((ROOT / path).read_text())
    for path in ("config.yaml", "studies/tiny.yaml", "studies/limits.yaml")
]
KEYS = {"(top level)", *Configuration.model_fields}
JUNK = [
    None,
    True,
    False,
    0,
    -1,
    1,
    10**30,
    0.5,
    -0.0,
    float("nan"),
    float("inf"),
    "",
    " ",
    "../../etc/passwd",
    "/etc/passwd",
    "a/b",
    "$(touch x)",
    "`id`",
    "{wildcards}",
    "{0}",
    "\x00",
    "é",
    "x" * 5000,
    "~root",
    "baseline",
    "wrn",
    [],
    [[]],
    [None],
    {},
    {"a": {}},
    {"": 1},
    {1: 2},
    [1, "a"],
    ["baseline", "baseline"],
    {"name": "x"},
    "1e3",
    "yes",
    b"\xff",
    datetime.date(2026, 1, 1),
]


def places(value, path=()):
    """All paths into a configuration."""
    yield path
    children = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, child in children:
        yield from places(child, (*path, key))


def at(value, path):
    for key in path:
        value = value[key]
    return value


def mutated(rng, content):
    """A copy with one to three random changes, and the keys that were touched."""
    content, touched = copy.deepcopy(content), []
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        path = rng.choice([p for p in places(content) if p])
        parent, key = at(content, path[:-1]), path[-1]
        match rng.choice(["junk", "junk", "junk", "drop", "rename", "other", "nest"]):
            case "junk":
                parent[key] = copy.deepcopy(rng.choice(JUNK))
            case "drop":
                del parent[key]
            case "rename" if isinstance(parent, dict):
                parent[f"{key}{rng.choice(['_', 'x', '/..', ' '])}"] = parent.pop(key)
            case "other":
                parent[key] = copy.deepcopy(at(content, rng.choice(list(places(content)))))
            case _:
                parent[key] = [parent[key]]
        touched.append(path)
    return content, touched


@pytest.mark.parametrize("batch", range(10))
def test_a_mutated_configuration(batch):
    refused = 0
    for number in range(50):
        rng = random.Random(batch * 50 + number)
        content, touched = mutated(rng, rng.choice(STUDIES))
        try:
            study = load(content)
        except OecalError as error:
            refused += 1
            line = str(error)
            assert "\n" not in line, (touched, line)
            assert len(line) < 8000, (touched, line[:200])
            assert re.match(r"[^.:\[]+", line)[0] in KEYS, (touched, line)
        else:
            # What is taken cannot lead out of the results folder: names make up its paths.
            runs = [part for run in study.runs() for part in run.path.split("/")]
            assert all(
                re.fullmatch(r"[a-z][a-z0-9_]*", name)
                for name in [study.name, *study.used_datasets(), *runs]
            )
    assert refused > 25


def test_a_configuration_that_contains_itself():
    content = yaml.safe_load("study: x\nseeds: &itself [1, *itself]")
    with pytest.raises(OecalError, match=r"\Aseeds|\(top level\)") as caught:
        load(content)
    assert "\n" not in str(caught.value)
