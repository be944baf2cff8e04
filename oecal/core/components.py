"""Components, read from their files without importing them.

A component (a model, an objective, a data source, a score, a figure ...) is a file of its folder in
oecal/, and its name in the configuration is the file's name. The configuration has to be checked
before any job starts, and importing torch for that would cost every call of the workflow two
seconds. So what the check needs is read from the syntax tree: the file's dataclass `Options`,
literal constants such as KIND, and the arguments of its functions. Whatever cannot be followed that
way is an OecalError, never a wrong answer. This is the only module that reads source so.
"""

from __future__ import annotations

import ast
import builtins
import dataclasses
import difflib
import functools
import itertools
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from oecal.core.errors import OecalError

PACKAGE = Path(__file__).parents[1]
IN_SCOPE = {"dataclass": dataclasses.dataclass, "field": dataclasses.field, "Literal": Literal}


def explain_unknown(name: object, known: Collection[str]) -> str:
    """The end of a message about a name that does not exist: the nearest one, and all there are.

    >>> explain_unknown("wnr", ["vae", "wrn"])
    "unknown name 'wnr'; did you mean 'wrn'? Known names: vae, wrn"
    """
    near = difflib.get_close_matches(str(name), known, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else "."
    return f"unknown name '{name}'{hint} Known names: {', '.join(sorted(known)) or '(none)'}"


@functools.cache
def read_source(folder: str, name: str) -> str:
    """The source of a component's file, read once in a process."""
    return (PACKAGE / folder / f"{name}.py").read_text(encoding="utf-8")


@functools.cache
def parse_component(folder: str, name: str) -> ast.Module:
    """The syntax tree of a component's file, parsed once in a process."""
    try:
        return ast.parse(read_source(folder, name))
    except SyntaxError as error:
        raise OecalError(f"oecal/{folder}/{name}.py, line {error.lineno}: {error.msg}") from None


def list_components(folder: str, marker: str = "Options") -> list[str]:
    """The components of a folder, sorted: its files that define `marker`, a class or a constant."""
    names = sorted(path.stem for path in (PACKAGE / folder).glob("*.py"))
    mentioned = [name for name in names if marker in read_source(folder, name)]
    return [name for name in mentioned if marker in find_bindings(folder, name)]


@functools.cache
def find_bindings(folder: str, name: str) -> dict[str, list[ast.stmt]]:
    """The names that a component's file binds at its top level, also inside an if or try block.

    Each with the statements at the top level that do so.
    """
    bindings: dict[str, list[ast.stmt]] = {}
    for node in parse_component(folder, name).body:
        for bound in find_bound_names(node):
            bindings.setdefault(bound, []).append(node)
    return bindings


def find_bound_names(node: ast.stmt) -> set[str]:
    """The names that one statement at the top level binds."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return {node.name}
    names = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            names.add(inner.id)
        elif isinstance(inner, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.split(".")[0] for alias in inner.names}
        elif isinstance(inner, ast.ClassDef | ast.FunctionDef):
            names.add(inner.name)
    return names


def find_value(folder: str, name: str, key: str) -> ast.expr | None:
    """What the file assigns to its module-level constant `key`; None if it does not have it.

    Raises OecalError if the constant is there, but not as one assignment at the top level.
    """
    binding = find_bindings(folder, name).get(key)
    if not binding:
        return None
    if len(binding) == 1:
        match binding[0]:
            case ast.Assign(targets=[ast.Name()], value=value):
                return value
            case ast.AnnAssign(target=ast.Name(), value=ast.expr() as value):
                return value
    raise OecalError(
        f"oecal/{folder}/{name}.py, line {binding[-1].lineno}: {key} is read without importing the "
        "file; assign it exactly once, at the top level"
    )


def read_constant(folder: str, name: str, key: str, *default: Any) -> Any:
    """The literal value of the module-level constant `key` in a component's file, annotated or not.

    Raises KeyError if there is none and no `default`, OecalError if its value is no literal.
    """
    value = find_value(folder, name, key)
    if value is None:
        if default:
            return default[0]
        raise KeyError(f"oecal/{folder}/{name}.py has no constant {key}")
    try:
        return ast.literal_eval(value)
    except ValueError:
        raise OecalError(
            f"oecal/{folder}/{name}.py, line {value.lineno}: {key} is read without importing the "
            f"file, so its value must be a literal"
        ) from None


def find_class(folder: str, name: str, key: str) -> ast.ClassDef:
    """The class `key` of a component's file. Raises KeyError if there is none."""
    for node in parse_component(folder, name).body:
        if isinstance(node, ast.ClassDef) and node.name == key:
            return node
    raise KeyError(f"oecal/{folder}/{name}.py has no class {key}")


def free_names(node: ast.ClassDef) -> Iterator[ast.Name]:
    """The names that a class uses and neither binds itself nor has from Python."""
    bound = {
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    bound |= {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}
    bound |= {n.name for n in ast.walk(node) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    for inner in ast.walk(node):
        if (
            isinstance(inner, ast.Name)
            and inner.id not in bound
            and not hasattr(builtins, inner.id)
        ):
            yield inner


@functools.cache
def load_options_class(folder: str, name: str) -> type[Any]:
    """The `Options` dataclass of a component, compiled by itself.

    Raises KeyError if there is none, OecalError if it needs more than `dataclass`, `field`,
    `Literal`, Python's own names and literal constants of its file.
    """
    node = find_class(folder, name, "Options")
    scope: dict[str, Any] = {**IN_SCOPE, "__name__": f"oecal.{folder}.{name}"}
    for used in free_names(node):
        if used.id in IN_SCOPE:
            continue
        try:
            scope[used.id] = read_constant(folder, name, used.id)
        except (KeyError, OecalError):
            raise OecalError(
                f"oecal/{folder}/{name}.py, line {used.lineno}: Options is read without importing "
                f"the file, so it cannot use {used.id}; it may use {', '.join(IN_SCOPE)} and "
                "literal constants of its file"
            ) from None
    code = compile(ast.Module([node], []), f"oecal/{folder}/{name}.py", "exec", dont_inherit=True)
    exec(code, scope)
    options_class: type[Any] = scope["Options"]
    if not dataclasses.is_dataclass(options_class):
        raise OecalError(f"oecal/{folder}/{name}.py: Options must be a dataclass")
    return options_class


def read_arguments(folder: str, name: str, function: str) -> tuple[str, ...]:
    """The argument names of a function in a component's file.

    Raises KeyError if the file has no such function at its top level.
    """
    for node in parse_component(folder, name).body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            given = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
            return tuple(argument.arg for argument in given)
    raise KeyError(f"oecal/{folder}/{name}.py has no function {function}")


def read_field_docs(folder: str, name: str, key: str = "Options") -> dict[str, str]:
    """What the text below each field of a class says of it."""
    body = find_class(folder, name, key).body
    texts: dict[str, str] = {}
    for field, text in itertools.pairwise(body):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(id=field_name)),
                ast.Expr(value=ast.Constant(value=str(said))),
            ):
                texts[field_name] = said
    return texts


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
        raise OecalError(
            f"{place}: found {len(nodes)} functions {function} at the top level; expected exactly "
            "one"
        )
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
