"""Mistakes that pydantic finds, as one line: the key, what was found, what was expected."""

from __future__ import annotations

import typing
from collections.abc import Collection, Sequence

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from oecal.core.components import explain_unknown
from oecal.study.entry_types import Says

# How pydantic calls a type in its errors -> what to say.
TYPES = {
    "int_type": "an integer",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "finite_number": "a finite number",
}
BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}


def format_place(path: Sequence[object]) -> str:
    """A place in the configuration as it is written in messages: `experiments.digits.near[0]`."""
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return steps.lstrip(".") or "(top level)"


def find_descriptions(model: type[BaseModel], path: Sequence[object]) -> tuple[str, str]:
    """What is said of the value at this path: of its key, and of its type."""
    kind: object = model
    of_key = of_type = ""
    for n, step in enumerate(path):
        kind, of_key = strip_metadata(kind)[0], ""
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = kind.model_fields.get(str(step))
            if field is None:
                return "", ""
            of_key = field.description or ""
            of_type = next((part.text for part in field.metadata if isinstance(part, Says)), "")
            kind = field.annotation
        else:
            arguments = typing.get_args(kind)
            if not arguments:
                return "", ""
            if path[n + 1 :] == ("[key]",):
                return "", strip_metadata(arguments[0])[1]
            kind = arguments[-1]
            of_type = strip_metadata(kind)[1]
    return " ".join(of_key.split()), of_type


def strip_metadata(kind: object) -> tuple[object, str]:
    """A type without `Annotated` and `| None`, and what it says of itself."""
    text = ""
    while True:
        arguments = typing.get_args(kind)
        if hasattr(kind, "__metadata__"):
            said = [part.text for part in kind.__metadata__ if isinstance(part, Says)]
            text, kind = text or next(iter(said), ""), arguments[0]
        elif type(None) in arguments:
            kind = next(argument for argument in arguments if argument is not type(None))
        else:
            return kind, text


def list_keys(model: type[BaseModel], path: Sequence[object]) -> Collection[str]:
    """The keys that the mapping at this path may have."""
    kind: object = model
    for step in path:
        kind = strip_metadata(kind)[0]
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = kind.model_fields[str(step)].annotation
        else:
            kind = typing.get_args(kind)[-1]
    kind = strip_metadata(kind)[0]
    return kind.model_fields if isinstance(kind, type) and issubclass(kind, BaseModel) else ()


def explain_error(error: ErrorDetails, model: type[BaseModel], prefix: Sequence[str]) -> str:
    """One of pydantic's errors as one line."""
    value, context = error["input"], error.get("ctx", {})
    of_key, of_type = find_descriptions(model, error["loc"])
    description, known = of_key or of_type, list_keys(model, error["loc"][:-1])
    path = (*prefix, *error["loc"])
    if path[-1:] == ("[key]",):
        path = path[:-2]
    place, about = format_place(path), f" ({description})" if description else ""
    match error["type"]:
        case "extra_forbidden":
            return f"{format_place(path[:-1])}: {explain_unknown(path[-1], known)}"
        case "missing":
            return f"{format_place(path[:-1])}: the key '{path[-1]}' is missing{about}"
        case "literal_error":
            expected = context["expected"].replace("'", "")
            return f"{place}: found {value!r}; expected {expected}"
        case "string_pattern_mismatch":
            return f"{place}: found {value!r}; expected {of_type or of_key}"
        case "too_short":
            return f"{place}: is empty; add at least one entry"
        case "invalid_key":
            return f"{format_place(path[:-1])}: found the key {path[-1]!r}; expected text"
        case "recursion_loop":
            return f"{place}: contains itself; remove the YAML alias"
        case kind if kind in TYPES:
            return f"{place}: found {value!r}; expected {TYPES[kind]}{about}"
        case kind if kind in BOUNDS:
            words, key = BOUNDS[kind]
            return f"{place}: found {value!r}; expected {words} {context[key]:g}{about}"
        case kind if kind in ("twice", "class", "value"):
            return f"{place}: " + ("" if kind == "twice" else f"found {value!r}; ") + error["msg"]
        case _:
            return f"{place}: found {value!r}; {error['msg']}{about}"


def explain(error: ValidationError, model: type[BaseModel], prefix: Sequence[str] = ()) -> str:
    """The first mistake nearest to the top level, as one line. prefix: where the mapping stands."""
    details = min(error.errors(include_url=False), key=lambda one: len(one["loc"]))
    return explain_error(details, model, prefix)
