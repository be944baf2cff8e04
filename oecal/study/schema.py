"""The configuration's types as a JSON Schema, by which editors complete and check a study file.

It holds what pydantic exports of the types, and what the types leave to the components: for each
source, architecture and objective its own options, and the names that there are. `make schema`
writes it to workflow/schemas/config.schema.json.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic.json_schema import GenerateJsonSchema

from oecal.core.codegraph import ROOT
from oecal.core.components import (
    list_components,
    load_options_class,
    read_constant,
    read_field_docs,
)
from oecal.data.table import load_published_sets
from oecal.scores.catalogue import list_scores
from oecal.study.check_experiments import list_corruptions
from oecal.study.configuration import Configuration
from oecal.study.figure_files import list_figures

Schema = dict[str, Any]
PATH = ROOT / "workflow" / "schemas" / "config.schema.json"
TYPES = {int: "integer", float: "number", str: "string", bool: "boolean"}


def describe_type(annotation: Any) -> Schema:
    """The schema of an option's type."""
    if get_origin(annotation) is Literal:
        return {"enum": list(get_args(annotation))}
    if get_origin(annotation) is tuple:
        return {"type": "array", "items": describe_type(get_args(annotation)[0])}
    return {"type": TYPES[annotation]}


def describe_options(folder: str, name: str) -> Schema:
    """The schema of a component's `Options`."""
    texts, properties, required = read_field_docs(folder, name), {}, []
    for field in dataclasses.fields(load_options_class(folder, name)):
        properties[field.name] = describe_type(field.type)
        properties[field.name]["description"] = " ".join(texts.get(field.name, "").split())
        if field.default is dataclasses.MISSING:
            required.append(field.name)
        else:
            default = field.default
            properties[field.name]["default"] = (
                list(default) if isinstance(default, tuple) else default
            )
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def choose_by(key: str, values: Iterable[str], then: Schema) -> Schema:
    """`then` where the key has one of these values."""
    return {"if": {"properties": {key: {"enum": [*values]}}, "required": [key]}, "then": then}


def name_sources(definitions: dict[str, Schema]) -> None:
    """Data sets: the keys of an entry are those of all sources, and the options of its own."""
    entry = definitions["DatasetEntry"]
    branches = []
    for source in list_components("data"):
        options, values = describe_options("data", source), [source]
        definitions[f"DatasetEntry_{source}"] = {
            "type": "object",
            "properties": {**entry["properties"], **options["properties"]},
            "required": ["source", *options["required"]],
            "additionalProperties": False,
        }
        branches.append(choose_by("source", values, {"$ref": f"#/$defs/DatasetEntry_{source}"}))
    given = definitions["DatasetEntry_published"]
    own = {key: value for key, value in given["properties"].items() if key != "name"}
    definitions["DatasetEntry_by_name"] = {**given, "properties": own, "required": ["source"]}
    names = list(load_published_sets())
    branches.append(choose_by("source", names, {"$ref": "#/$defs/DatasetEntry_by_name"}))
    entry["properties"]["source"]["enum"] = [*list_components("data"), *names]
    # The branches are closed; closed here, an entry could not have the options of its source.
    definitions["DatasetEntry"] = {
        "type": "object",
        "properties": {"source": entry["properties"]["source"]},
        "required": ["source"],
        "description": entry["description"],
        "allOf": branches,
    }


def name_options(definitions: dict[str, Schema], kind: str, key: str, folder: str) -> Schema:
    """Models and trainings: the options of the component that `key` names, or the entry's own name.

    Returns the schema of the mapping from names to entries of this kind.
    """
    entry, components = definitions[kind], list_components(folder)
    entry["required"].remove(key)
    entry["properties"][key]["enum"] = components
    entry["allOf"], by_name = [], {}
    for component in components:
        definitions[f"Options_{component}"] = describe_options(folder, component)
        options = {"properties": {"options": {"$ref": f"#/$defs/Options_{component}"}}}
        entry["allOf"].append(choose_by(key, [component], options))
        unnamed = {"if": {"not": {"required": [key]}}, "then": options}
        by_name[component] = {"$ref": f"#/$defs/{kind}", "allOf": [unnamed]}
    return {"properties": by_name}


def restrict_keys(mapping: Schema, names: Iterable[str]) -> None:
    """Only these keys in a mapping."""
    mapping["propertyNames"] = {"enum": list(names)}


def build_schema() -> Schema:
    """The whole schema."""
    schema = Configuration.model_json_schema(schema_generator=GenerateJsonSchema)
    definitions, properties = schema["$defs"], schema["properties"]
    name_sources(definitions)
    default = Configuration.model_fields["promises"].default
    properties["promises"]["default"] = {
        name: promise.model_dump(exclude_unset=True) for name, promise in default.items()
    }
    properties["models"] |= name_options(definitions, "Model", "architecture", "models")
    model = definitions["Model"]["properties"]
    model["trainings"] |= name_options(definitions, "Training", "objective", "training")
    families = "|".join(name for name, score in list_scores().items() if "m" in score.options)
    model["scores"]["items"] = {
        "anyOf": [
            {"enum": sorted(list_scores())},
            {"type": "string", "pattern": f"^({families})_[0-9]+$"},
        ]
    }
    measures, experiment = definitions["Measures"]["properties"], definitions["Experiment"]
    measures["post_hoc"]["items"] = {"enum": list_components("calibrators", "OUTLIERS")}
    measures["metrics"]["items"] = {"enum": list_components("metrics", "TABLE")}
    properties["figures"]["items"] = model["figures"]["items"] = {"enum": list_figures()}
    restrict_keys(experiment["properties"]["corruptions"], list_corruptions())
    restrict_keys(
        experiment["properties"]["attacks"], read_constant("predict", "adversarial", "ATTACKS")
    )
    tidied = tidy(schema)
    assert isinstance(tidied, dict)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **tidied,
        "title": "Configuration of a study",
    }


def tidy(value: object) -> object:
    """Without pydantic's titles, and descriptions in one line."""
    if isinstance(value, list):
        return [tidy(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    texts = {
        key: " ".join(text.split())
        for key, text in value.items()
        if key == "description" and isinstance(text, str)
    }
    return {
        key: texts.get(key) or tidy(item)
        for key, item in value.items()
        if not (key == "title" and isinstance(item, str))
    }


def write_schema() -> None:
    """Write workflow/schemas/config.schema.json."""
    PATH.write_text(json.dumps(build_schema(), indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    write_schema()
