"""The configuration of a study, checked in full before any job starts.

The frame of the configuration is described by a JSON Schema; the options of a component by the
`Options` class in its own file; what both cannot say is checked in oecal.study.checks. Every
mistake ends in an OecalError, one line that names the key, what was found and what to write
instead.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError, best_match

from oecal.core.codegraph import ROOT
from oecal.core.components import explain_unknown
from oecal.core.errors import OecalError, summarize_error
from oecal.data.table import LOADER
from oecal.study.checks import (
    check_experiments,
    check_measures,
    check_models,
    check_screen,
)
from oecal.study.claim_entries import check as check_claims
from oecal.study.dataset_entries import check_datasets
from oecal.study.figure_checks import check_figures
from oecal.study.limit_settings import check_limits
from oecal.study.study import Study

# JSON Schema takes 5.0 for an integer; Python does not.
STRICT = validators.extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, v: isinstance(v, int) and not isinstance(v, bool)
    ),
)
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.yaml"


def where(path: Sequence[object]) -> str:
    """A place in the configuration as it is written in messages: `experiments.digits.near[0]`."""
    return (
        "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")
        or "(top level)"
    )


def say(error: ValidationError) -> str:
    """A schema error as one line."""
    place, found = where(error.absolute_path), error.instance
    description = f" ({error.schema['description']})" if "description" in error.schema else ""
    kind = " or ".join(map(str, v)) if isinstance(v := error.validator_value, list) else v
    match error.validator:
        case "additionalProperties":
            known = error.schema.get("properties", {})
            return f"{place}: {explain_unknown(next(k for k in found if k not in known), known)}"
        case "required":
            missing = next(k for k in error.validator_value if k not in found)
            about = error.schema["properties"].get(missing, {}).get("description", "")
            return f"{place}: the key '{missing}' is missing; write {missing}: {about}".rstrip(": ")
        case "enum":
            return f"{place}: found {found!r}; write one of: {', '.join(map(str, error.validator_value))}"
        case "pattern":
            return f"{place}: found {found!r}; write {error.schema['description']}"
        case "type":
            return f"{place}: found {found!r}; write a value of type {kind}{description}"
        case "minimum" | "exclusiveMinimum":
            bound = "at least" if error.validator == "minimum" else "more than"
            return f"{place}: found {found!r}; write {bound} {error.validator_value}{description}"
        case "maximum" | "exclusiveMaximum":
            bound = "at most" if error.validator == "maximum" else "less than"
            return f"{place}: found {found!r}; write {bound} {error.validator_value}{description}"
        case "minItems" | "minProperties":
            return f"{place}: is empty; write at least one entry{description}"
        case "uniqueItems":
            return f"{place}: found an entry twice in {found!r}; write each once"
        case _:
            return f"{place}: {error.message}"


def fill(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any]) -> None:
    """Puts the schema's defaults into `value`, which must be valid."""
    if "$ref" in schema:
        schema = {**root["$defs"][schema["$ref"].rsplit("/", 1)[1]], **schema}
    if isinstance(value, dict):
        for key, sub in schema.get("properties", {}).items():
            default = sub.get(
                "default",
                root["$defs"][sub["$ref"].rsplit("/", 1)[1]].get("default")
                if "$ref" in sub
                else None,
            )
            if key not in value and default is not None:
                value[key] = copy.deepcopy(default)
        for key, item in value.items():
            other = schema.get("additionalProperties")
            fill(
                item,
                schema.get("properties", {}).get(key) or (other if isinstance(other, dict) else {}),
                root,
            )


def load(plain: Mapping[str, Any]) -> Study:
    """A checked study from the plain configuration. Raises OecalError for the first mistake."""
    schema = yaml.load(SCHEMA.read_text(), LOADER)
    config: dict[str, Any] = copy.deepcopy(dict(plain))
    error = best_match(STRICT(schema).iter_errors(config), key=lambda e: -len(e.absolute_path))
    if error:
        raise OecalError(say(error))
    fill(config, schema, schema)
    check_datasets(
        config, set(schema["properties"]["datasets"]["additionalProperties"]["properties"])
    )
    check_models(config)
    check_measures(config)
    check_experiments(config)
    study = Study(config)
    check_screen(study)
    check_limits(study)
    check_figures(study)
    study.claims = check_claims(config["claims"], study)
    return study


def merged(base: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration with another one over it, as Snakemake merges several: mappings key by key, all else is replaced."""
    both = dict(base)
    for key, value in other.items():
        inside = isinstance(value, Mapping) and isinstance(both.get(key), Mapping)
        both[key] = merged(both[key], value) if inside else copy.deepcopy(value)
    return both


def read(*paths: str | Path) -> Study:
    """The study of a YAML file, with others over it."""
    config: dict[str, Any] = {}
    for path in paths:
        try:
            content = yaml.load(Path(path).read_text(), LOADER)
        except (OSError, yaml.YAMLError) as error:
            raise OecalError(f"{path}: cannot be read: {summarize_error(error, 500)}") from None
        if not isinstance(content, dict):
            raise OecalError(f"{path}: is no configuration; write keys and values")
        config = merged(config, content)
    return load(config)
