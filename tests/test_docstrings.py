"""Docstrings are true: the parameters they name exist, and their examples give what they show."""

import ast
import doctest
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from oecal.study.configuration import Configuration

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
WORDS = {
    *Configuration.model_fields,
    "bits",
    "both",
    "bytes",
    "each",
    "image",
    "inf",
    "nats",
    "or",
    "to",
    "uint8",
    "verified",
}
VALUES = {
    "auto",
    "bound",
    "classifier",
    "collect_data",
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


def name_module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def find_mentioned_names(text: str) -> set[str]:
    """The names that a docstring describes, examples left out."""
    text = doctest.DocTestParser().parse(text)[0] if ">>>" in text else text
    return {
        name
        for pattern in MENTIONS
        for match in pattern.findall(text)
        for name in match.split(", ")
    }


def find_words(node: ast.AST) -> set[str]:
    """Every identifier below a node, and every word of its strings but docstrings."""
    names = set()
    docstrings = {id(n.value) for n in ast.walk(node) if isinstance(n, ast.Expr)}
    for n in ast.walk(node):
        names |= {
            value
            for key in ("id", "attr", "arg", "name")
            if isinstance(value := getattr(n, key, None), str)
        }
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in docstrings:
            names |= set(re.findall(r"\w+", n.value))
    return names


def list_members(owner: ast.Module | ast.ClassDef) -> set[str]:
    """Names that a module or class defines or imports."""
    names = set()
    for node in owner.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ClassDef | Function):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            names |= find_words(node)
    return names


def find_unknown_names(source: str) -> Iterator[tuple[str, str]]:
    """Yield (function, name) where a public function's docstring describes an unknown name.

    A name is known if the function or its module defines, imports or quotes it.
    """
    tree = ast.parse(source)
    for owner in [tree, *(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))]:
        known = list_members(tree) | list_members(owner) | WORDS | VALUES
        for node in owner.body:
            if (
                isinstance(node, Function)
                and not node.name.startswith("_")
                and (text := ast.get_docstring(node))
            ):
                yield from (
                    (node.name, name)
                    for name in sorted(find_mentioned_names(text) - known - find_words(node))
                )


@pytest.mark.parametrize("path", FILES, ids=name_module)
def test_names_in_docstrings_exist(path: Path) -> None:
    assert list(find_unknown_names(path.read_text())) == []


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
    assert list(find_unknown_names(source.format(text))) == [("mean", "logits")]
    assert list(find_unknown_names(source.format(text).replace("(z,", "(logits,"))) == []
    assert list(find_unknown_names(source.format(text.replace("logits", "z")))) == []


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=name_module)
def test_examples(path: Path) -> None:
    """In a test, because pytest --doctest-modules would import every module in each process."""
    results = doctest.testmod(importlib.import_module(name_module(path)))
    assert results.attempted
    assert not results.failed


def test_each_metric_has_an_example() -> None:
    assert [
        path.stem
        for path in (ROOT / "oecal" / "metrics").glob("[a-z]*.py")
        if path not in WITH_EXAMPLES
    ] == []
