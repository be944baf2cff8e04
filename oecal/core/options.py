"""The options of a component: plain values, as YAML has them, checked against its `Options`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, get_args, get_origin

from oecal.core.components import explain_unknown, load_options_class
from oecal.core.errors import OecalError

T = TypeVar("T")


def fits(value: object, annotation: Any) -> bool:
    """Whether a value from YAML may stand for a field of this type.

    An int may stand for a float, a list for a tuple.

    >>> fits(1, float), fits(True, int), fits([1, 2], tuple[int, ...])
    (True, False, True)
    """
    if get_origin(annotation) is Literal:
        return value in get_args(annotation) and not isinstance(value, bool)
    if get_origin(annotation) is tuple:
        return isinstance(value, list | tuple) and all(
            fits(v, get_args(annotation)[0]) for v in value
        )
    if annotation is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, annotation) and (annotation is bool or not isinstance(value, bool))


def describe(annotation: Any) -> str:
    """What may be written for a field of this type, for messages.

    Raises KeyError for a type that options do not have.

    >>> describe(Literal["auto", "none"]), describe(tuple[int, ...])
    ('one of auto, none', 'a list of an integer')
    """
    if get_origin(annotation) is Literal:
        return "one of " + ", ".join(str(a) for a in get_args(annotation))
    if get_origin(annotation) is tuple:
        return f"a list of {describe(get_args(annotation)[0])}"
    return {int: "an integer", float: "a number", str: "text", bool: "true or false"}[annotation]


def check_options(folder: str, name: str, given: Mapping[str, object], where: str) -> Any:
    """The `Options` of a component, made of the given values, checked, over the defaults.

    Raises OecalError, naming the key `where.key`, for an unknown key, a wrong type or a value that
    the class refuses.
    """
    options_class = load_options_class(folder, name)
    types = {field.name: field.type for field in dataclasses.fields(options_class)}
    for key, value in given.items():
        if key not in types:
            raise OecalError(f"{where}: {explain_unknown(key, types)}")
        if not fits(value, types[key]):
            raise OecalError(f"{where}.{key}: found {value!r}; expected {describe(types[key])}")
    for field in dataclasses.fields(options_class):
        no_default = field.default is field.default_factory is dataclasses.MISSING
        if no_default and field.name not in given:
            raise OecalError(f"{where}: the key '{field.name}' is missing ({describe(field.type)})")
    try:
        return make_options(options_class, given)
    except ValueError as error:
        raise OecalError(f"{where}: {error}") from None


def make_options(options_class: type[T], given: Mapping[str, object]) -> T:
    """An instance of an `Options` class from plain values, as YAML and JSON have them."""
    return options_class(**{k: tuple(v) if isinstance(v, list) else v for k, v in given.items()})


def options_to_plain(options: Any) -> dict[str, Any]:
    """The inverse of `make_options`."""
    values = dataclasses.asdict(options).items()
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values}


def read_option(options: object, key: str, default: Any = None) -> Any:
    """One of the options of a component whose class is known only by its name; else `default`."""
    return getattr(options, key, default)
