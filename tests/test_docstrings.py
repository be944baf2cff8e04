"""Docstrings say what is true: they name parameters that exist, and their examples give what they show."""

import ast
import doctest
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "oecal").rglob("*.py"))
WITH_EXAMPLES = [path for path in FILES if ">>> " in path.read_text()]
Function = ast.FunctionDef | ast.AsyncFunctionDef

# What a docstring says of a name: `name` or `name(...)`; name (N, K), its shape; name, other: what
# they are.
NAME = r"[a-z][a-z0-9_]*"
MENTIONS = (
    re.compile(rf"`({NAME})[`(]"),
    re.compile(rf"(?<![\w.`])({NAME}) \((?=[A-Z])[A-Z0-9 ,+*/_-]*,[A-Z0-9 ,+*/_-]*\)"),
    re.compile(rf"(?:^|(?<=[.;,] ))((?:{NAME}, )*{NAME}): ", re.MULTILINE),
)
# No parameters: words that stand before a shape or a colon, and values and keys of other modules.
WORDS = {"bits", "both", "bytes", "each", "image", "inf", "nats", "or", "to", "uint8", "verified"}
VALUES = {
    "auto",
    "bound",
    "classifier",
    "density",
    "error",
    "float32",
    "id",
    "like_test",
    "log_likelihood",
    "none",
    "null",
    "pooled",
    "reject",
}


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def mentioned(text: str) -> set[str]:
    """The names that a docstring describes, examples left out."""
    text = doctest.DocTestParser().parse(text)[0] if ">>>" in text else text
    return {
        name
        for pattern in MENTIONS
        for found in pattern.findall(text)
        for name in found.split(", ")
    }


def words(node: ast.AST) -> set[str]:
    """Every identifier below a node, and every word of its texts, such as keys and columns, but not of docstrings."""
    found, docstrings = set(), {id(n.value) for n in ast.walk(node) if isinstance(n, ast.Expr)}
    for n in ast.walk(node):
        found |= {
            value
            for key in ("id", "attr", "arg", "name")
            if isinstance(value := getattr(n, key, None), str)
        }
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in docstrings:
            found |= set(re.findall(r"\w+", n.value))
    return found


def members(owner: ast.Module | ast.ClassDef) -> set[str]:
    """Names that a module or class defines or imports."""
    found = set()
    for node in owner.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ClassDef | Function):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            found |= words(node)
    return found


def strangers(source: str) -> Iterator[tuple[str, str]]:
    """(function, name) of each name that the docstring of a public function describes, and that neither it nor its module knows."""
    tree = ast.parse(source)
    for owner in [tree, *(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))]:
        known = members(tree) | members(owner) | WORDS | VALUES
        for node in owner.body:
            if (
                isinstance(node, Function)
                and not node.name.startswith("_")
                and (text := ast.get_docstring(node))
            ):
                yield from (
                    (node.name, name) for name in sorted(mentioned(text) - known - words(node))
                )


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_names_in_docstrings_exist(path: Path) -> None:
    assert list(strangers(path.read_text())) == []


@pytest.mark.parametrize(
    "text",
    [
        "The mean of `logits`.",
        "The mean of `logits(x)`.",
        "The mean of logits (N, K) by column.",
        "The mean.\n\n    logits: what the network gives, (N, K).",
        "The mean. labels, logits: (N, K) each.",
    ],
)
def test_a_parameter_with_another_name_is_found(text: str) -> None:
    source = 'def mean(z, labels):\n    """{}"""\n    return z.mean(axis=0), labels\n'
    assert list(strangers(source.format(text))) == [("mean", "logits")]
    assert list(strangers(source.format(text).replace("(z,", "(logits,"))) == []
    assert list(strangers(source.format(text.replace("logits", "z")))) == []


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=module_of)
def test_examples(path: Path) -> None:
    """A test rather than pytest --doctest-modules, which would import every module of the library in each process."""
    found = doctest.testmod(importlib.import_module(module_of(path)))
    assert found.attempted
    assert not found.failed


def test_each_metric_has_an_example() -> None:
    assert [
        path.stem
        for path in (ROOT / "oecal" / "metrics").glob("[a-z]*.py")
        if path not in WITH_EXAMPLES
    ] == []
