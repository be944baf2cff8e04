"""The keys of the configuration as rows of a Markdown table, from its JSON Schema."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import yaml

from oecal.study.dataset_entries import DatasetEntry

Schema = dict[str, Any]


def escaped(text: str) -> str:
    """One line of Markdown, for a cell of a table."""
    return " ".join(text.split()).replace("<", "&lt;").replace("*", "\\*").replace("|", "\\|")


def code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


def written(value: Any) -> str:
    """A value as one writes it in YAML."""
    if isinstance(value, float):
        return format(Decimal(str(value)), "f")
    if isinstance(value, list | tuple | dict):
        plain = list(value) if isinstance(value, tuple) else value
        return yaml.safe_dump(plain, default_flow_style=True, sort_keys=False, width=1000).strip()
    return str(value).lower() if isinstance(value, bool) else str(value) or "''"


def table(head: str, rows: list[tuple[str, ...]]) -> str:
    return "\n".join(
        [f"| {head} |", "|" + "---|" * len(rows[0]), *(f"| {' | '.join(row)} |" for row in rows)]
    )


def resolve(schema: Schema, root: Schema) -> Schema:
    """A schema with what it refers to, without `null`; its own keys come first."""
    if "$ref" in schema:
        schema = {**root["$defs"][schema["$ref"].rsplit("/", 1)[1]], **schema}
    others = [other for other in schema.get("anyOf", []) if other != {"type": "null"}]
    if len(others) == 1:
        schema = {**resolve(others[0], root), **schema}
        del schema["anyOf"]
        if schema.get("default", ...) is None:
            del schema["default"]
    return schema


def allowed(schema: Schema, root: Schema) -> str:
    """Type and limits of a key, for readers."""
    if "enum" in schema and len(schema["enum"]) < 10:
        return "one of " + ", ".join(code(str(value)) for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(allowed(other, root) for other in schema["anyOf"])
    kind = schema.get("type", "string")
    text = {"string": "text", "boolean": "true or false", "object": "mapping", "array": "list"}.get(
        kind, kind
    )
    if "items" in schema:
        item = resolve(schema["items"], root)
        about = escaped(item.get("description", ""))
        text += f" ({allowed(item, root)}{f': {about}' if about else ''})"
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    limits = [f"{sign} {written(schema[key])}" for key, sign in signs.items() if key in schema]
    text = f"{text} {' and '.join(limits)}".rstrip()
    more = [code(schema["pattern"])] if "pattern" in schema else []
    more += ["at least one"] if "minItems" in schema or "minProperties" in schema else []
    more += ["each once"] if schema.get("uniqueItems") else []
    return ", ".join([text, *more])


def keys(
    schema: Schema, root: Schema, path: str = "", must: bool = False
) -> Iterator[tuple[str, ...]]:
    """Path, type and limits, default, description of a key and of all below it."""
    schema = resolve(schema, root)
    if path:
        default = (
            "required" if must else code(written(schema["default"])) if "default" in schema else "–"
        )
        yield code(path), allowed(schema, root), default, escaped(schema.get("description", ""))
    if schema.get("$ref", "").endswith("/DatasetEntry"):
        schema = frame_of_datasets(root)
    below = {
        key: (sub, key in schema.get("required", ()))
        for key, sub in schema.get("properties", {}).items()
    }
    others = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
    if isinstance(others[0], dict):
        below = {"<name>": (others[0], False)}
    for key, (sub, needed) in below.items():
        yield from keys(sub, root, f"{path}.{key}".lstrip("."), needed)


def frame_of_datasets(root: Schema) -> Schema:
    """The keys that a data set of any source may have."""
    return {
        "properties": {
            key: sub
            for key, sub in root["$defs"]["DatasetEntry_digits"]["properties"].items()
            if key in DatasetEntry.model_fields
        },
        "required": ["source"],
    }
