"""The options of a component (model, objective, data source), read from its file without importing it.

A component's file holds a dataclass `Options` with a default for each field, and constants such as
KIND. The configuration has to be checked before any job starts, and importing torch for that would
cost every call of the workflow two seconds. So only these parts of the file are taken: its
`Options` class is compiled by itself and must need nothing but `dataclass` and `Literal`.
"""

from __future__ import annotations

import ast
import dataclasses
import difflib
import functools
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar, get_args, get_origin

from oecal.core.errors import OecalError

PACKAGE = Path(__file__).parents[1]
T = TypeVar("T")


def list_components(
    folder: str, without: Collection[str] = (), mark: str = "class Options"
) -> list[str]:
    """The component names of a subpackage: its files that hold an `Options` class, or another mark of a component."""
    files = sorted((PACKAGE / folder).glob("*.py"))
    return [f.stem for f in files if f.stem not in without and mark in read_source(folder, f.stem)]


def explain_unknown(name: object, known: Collection[str]) -> str:
    """The end of a message about a name that does not exist: the nearest one, and all there are.

    >>> explain_unknown("wnr", ["vae", "wrn"])
    "unknown name 'wnr'; did you mean 'wrn'? write one of: vae, wrn"
    """
    near = difflib.get_close_matches(str(name), known, n=1)
    hint = f"did you mean '{near[0]}'? " if near else ""
    return (
        f"unknown name '{name}'; {hint}write one of: {', '.join(sorted(known)) or '(none defined)'}"
    )


@functools.cache
def read_source(folder: str, name: str) -> str:
    """The source of a component's file, read once in a process."""
    return (PACKAGE / folder / f"{name}.py").read_text()


@functools.cache
def parse_component(folder: str, name: str) -> ast.Module:
    """The syntax tree of a component's file, parsed once in a process."""
    return ast.parse(read_source(folder, name))


def read_constant(folder: str, name: str, key: str, *default: Any) -> Any:
    """The literal value of the module-level constant `key` in the component's file.

    If there is none, `default`, or a KeyError.
    """
    for node in parse_component(folder, name).body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id == key
        ):
            return ast.literal_eval(node.value)
    if default:
        return default[0]
    raise KeyError(f"oecal/{folder}/{name}.py has no constant {key}")


@functools.cache
def load_options_class(folder: str, name: str) -> type[Any]:
    """The `Options` dataclass of a component."""
    for node in parse_component(folder, name).body:
        if isinstance(node, ast.ClassDef) and node.name == "Options":
            scope: dict[str, Any] = {
                "dataclass": dataclasses.dataclass,
                "Literal": Literal,
                "__name__": f"oecal.{folder}.{name}",
            }
            exec(
                compile(
                    ast.Module([node], []), f"oecal/{folder}/{name}.py", "exec", dont_inherit=True
                ),
                scope,
            )
            found: type[Any] = scope["Options"]
            return found
    raise KeyError(f"oecal/{folder}/{name}.py has no class Options")


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
    ('one of: auto, none', 'a list of an integer')
    """
    if get_origin(annotation) is Literal:
        return "one of: " + ", ".join(str(a) for a in get_args(annotation))
    if get_origin(annotation) is tuple:
        return f"a list of {describe(get_args(annotation)[0])}"
    return {int: "an integer", float: "a number", str: "a text", bool: "true or false"}[annotation]


def check_options(folder: str, name: str, given: Mapping[str, Any], where: str) -> dict[str, Any]:
    """All options of a component as a plain dict: the given ones, checked, over the defaults.

    Raises OecalError, naming the key `where.key`, for an unknown key, a wrong type or a value that
    the class refuses.
    """
    cls = load_options_class(folder, name)
    types = {field.name: field.type for field in dataclasses.fields(cls)}
    for key, value in given.items():
        if key not in types:
            raise OecalError(f"{where}: {explain_unknown(key, types)}")
        if not fits(value, types[key]):
            raise OecalError(f"{where}.{key}: found {value!r}; write {describe(types[key])}")
    required = [
        f.name
        for f in dataclasses.fields(cls)
        if f.default is dataclasses.MISSING and f.name not in given
    ]
    if required:
        raise OecalError(
            f"{where}: the key '{required[0]}' is missing; write {required[0]}: {describe(types[required[0]])}"
        )
    try:
        options = make_options(cls, given)
    except ValueError as error:
        raise OecalError(f"{where}: {error}") from None
    return {
        k: list(v) if isinstance(v, tuple) else v for k, v in dataclasses.asdict(options).items()
    }


def make_options(cls: type[T], given: Mapping[str, Any]) -> T:
    """An instance of an `Options` class from plain values, as YAML and JSON have them."""
    return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in given.items()})


def read_arguments(folder: str, name: str, function: str) -> tuple[str, ...]:
    """Return the argument names of a function in a component's file, without importing it.

    Raises KeyError if the file has no such function at its top level.
    """
    for node in parse_component(folder, name).body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            given = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
            return tuple(argument.arg for argument in given)
    raise KeyError(f"oecal/{folder}/{name}.py has no function {function}")


class Signature(NamedTuple):
    """The arguments of a function, as its source states them."""

    arguments: tuple[str, ...]
    """Without those that are keyword-only."""
    defaults: dict[str, object]
    """Of each keyword-only argument."""
    choices: dict[str, tuple[object, ...]]
    """The values of each keyword-only argument whose type is `Literal[...]`."""


def read_choices(annotation: ast.expr | None) -> tuple[object, ...]:
    """Return the values of the type `Literal[...]`; none of another type.

    Raises ValueError if a value is not a literal.
    """
    match annotation:
        case ast.Subscript(value=ast.Name(id="Literal") | ast.Attribute(attr="Literal")):
            values = ast.literal_eval(annotation.slice)
            return values if isinstance(values, tuple) else (values,)
    return ()


def read_signature(folder: str, name: str, function: str) -> Signature:
    """Return the signature of a function in a component's file, without importing it.

    Raises OecalError if the file does not define it just once at its top level, or if it is
    decorated, takes *args or **kwargs, has a default that is no literal, a default of an argument
    that is not keyword-only, or a keyword-only argument without a default.
    """
    place = f"oecal/{folder}/{name}.py"
    nodes = [
        node
        for node in parse_component(folder, name).body
        if isinstance(node, ast.FunctionDef) and node.name == function
    ]
    if len(nodes) != 1:
        raise OecalError(f"{place}: expected one function {function} at its top level")
    node, given = nodes[0], nodes[0].args
    problem = (
        "is decorated"
        if node.decorator_list
        else "takes *args or **kwargs"
        if given.vararg or given.kwarg
        else "gives a default to an argument that is not keyword-only"
        if given.defaults
        else "has a keyword-only argument without a default"
        if None in given.kw_defaults
        else ""
    )
    keywords = [
        (argument, default)
        for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)
        if default
    ]
    try:
        defaults = {argument.arg: ast.literal_eval(default) for argument, default in keywords}
        choices = {argument.arg: read_choices(argument.annotation) for argument, _ in keywords}
    except ValueError:
        problem = problem or "has a default, or a value in Literal[...], that is not a literal"
    if problem:
        raise OecalError(
            f"{place}, line {node.lineno}: {function} {problem}; "
            "its signature is read without importing the file"
        )
    return Signature(
        tuple(argument.arg for argument in (*given.posonlyargs, *given.args)),
        defaults,
        {argument: values for argument, values in choices.items() if values},
    )
