"""docs/configuration.md says what the types and the options say."""

import dataclasses
import re
import runpy
import typing
from pathlib import Path

import pytest
import yaml

from oecal.core.components import list_components, load_options_class
from oecal.study.configuration import Configuration
from oecal.study.entry_types import ConfigEntry
from oecal.study.loading import load, merge
from oecal.study.messages import strip_metadata
from tests.pages import DOCS, cells, section

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def configuration():
    return (DOCS / "configuration.md").read_text()


@pytest.fixture(scope="module")
def smallest(configuration):
    return yaml.safe_load(re.search(r"```yaml\n(.*?)```", configuration, re.DOTALL)[1])


def list_fields(kind, path=""):
    """Each key of the configuration by its path, with its field; <name> stands for any name."""
    kind = strip_metadata(kind)[0]
    if isinstance(kind, type) and issubclass(kind, ConfigEntry):
        for key, field in kind.model_fields.items():
            below = f"{path}.{field.alias or key}".lstrip(".")
            yield below, field
            yield from list_fields(field.annotation, below)
    elif typing.get_origin(kind) is dict and not path.endswith(".options"):
        yield f"{path}.<name>", None
        yield from list_fields(typing.get_args(kind)[1], f"{path}.<name>")


def test_the_page_of_the_configuration_is_that_of_the_schema(configuration):
    assert configuration == runpy.run_path(str(DOCS / "configuration.py"))["page"](), (
        "run make docs"
    )


def test_every_key_is_on_the_page_and_described(configuration):
    shown = {
        row[0].strip("`"): row
        for row in cells(section(configuration, "## Keys", "## Names without options"))
    }
    fields = dict(list_fields(Configuration))
    assert set(shown) == set(fields)
    assert all(row[3] for row in shown.values())
    assert all(field.description for field in fields.values() if field)


def test_the_smallest_study_has_what_must_be_there_alone(smallest):
    assert [run.path for run in load(smallest).runs("digits")][:1] == ["digits/wrn/baseline/seed0"]
    fields = Configuration.model_fields
    assert set(smallest) == {key for key, field in fields.items() if field.is_required()}


def test_the_example_of_a_second_file_fits_the_first(configuration):
    blocks = re.findall(
        r"(?:^    .*\n)+",
        section(configuration, "## One file over another", "## Keys"),
        re.MULTILINE,
    )
    study = load(
        merge(yaml.safe_load((ROOT / "studies/grey28.yaml").read_text()), yaml.safe_load(blocks[1]))
    )
    assert (study.name, {run.seed for run in study.runs()}) == ("grey28_short", {0, 1})
    assert "glow" not in {run.model for run in study.runs("fashion")}


def values(config: object, path: str) -> list[object]:
    """What stands at a path, <name> being any name."""
    there = [config]
    for key in path.split("."):
        mappings = [dict(one) if isinstance(one, ConfigEntry) else one for one in there]
        there = [
            value
            for mapping in mappings
            if isinstance(mapping, dict)
            for value in (mapping.values() if key == "<name>" else [mapping.get(key)])
            if value is not None
        ]
    return [to_plain(one) for one in there]


def to_plain(value):
    if isinstance(value, dict):
        return {key: to_plain(one) for key, one in value.items()}
    return value.model_dump() if isinstance(value, ConfigEntry) else value


def holds(found: object, default: object) -> bool:
    """Whether it is the default; a mapping may have had its own defaults filled in."""
    if isinstance(default, dict):
        return isinstance(found, dict) and all(
            key in found and holds(found[key], value) for key, value in default.items()
        )
    return type(found) is type(default) and found == default


def test_every_default_is_what_the_configuration_is_filled_with(configuration, smallest):
    full = {
        **smallest,
        "screen": {"mine": {"images": "photos", "run": "digits/wrn/baseline/seed0"}},
    }
    full["datasets"] = {
        **smallest["datasets"],
        "faces": {"source": "faces", "format": {"size": 28}},
    }
    configs, checked = (load(smallest).config, load(full).config), 0
    for key, _, default, _ in cells(section(configuration, "## Keys", "## Names without options")):
        path = key.strip("`")
        if path == "datasets.<name>.missing":
            assert (default, load(smallest).may_be_missing) == ("`stop`", [])
        elif path.endswith(".options"):
            assert default == "`{}`"  # those of a component: on its own table
        elif default.startswith("`") and not values(smallest, path):
            found = next(filter(None, (values(config, path) for config in configs)))
            text = default.strip("`")
            assert all(
                holds(
                    value, type(value)(text) if isinstance(value, float) else yaml.safe_load(text)
                )
                for value in found
            ), path
            checked += 1
    assert checked > 60


@pytest.mark.parametrize(
    "folder, begin, end",
    [
        ("data", "data sets", "models"),
        ("models", "models", "training objectives"),
        ("training", "training objectives", None),
    ],
)
def test_every_option_is_on_the_page_with_its_default(configuration, folder, begin, end):
    text = section(configuration, f"## Options of {begin}", f"## Options of {end}")
    parts = {part.split("`")[0]: part for part in text.split("### `")[1:]}
    assert list(parts) == list_components(folder)
    for name, part in parts.items():
        shown = {row[0].strip("`"): row for row in cells(part)}
        fields = {
            field.name: field for field in dataclasses.fields(load_options_class(folder, name))
        }
        assert list(shown) == list(fields)
        for key, (_, kind, default, meaning) in shown.items():
            value = fields[key].default
            assert kind
            assert meaning
            if value is dataclasses.MISSING:
                assert default == "required"
            else:
                plain = list(value) if isinstance(value, tuple) else value
                assert yaml.safe_load(default.strip("`")) == plain, f"{name}.{key}"


def test_limits_of_options_are_those_of_the_class(configuration):
    assert "| `depth` | integer: 6n + 4: 10, 16, 22, 28, 40, ... | `40` |" in configuration
    assert "| `steps` | integer: 1 or more | `8` |" in configuration  # of a loop over names
