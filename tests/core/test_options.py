import ast
import dataclasses
import importlib
import inspect

import pytest

from oecal.core import components, options
from oecal.core.errors import OecalError

FOLDERS = ("data", "models", "training")
COMPONENTS = [(folder, name) for folder in FOLDERS for name in components.list_components(folder)]


@pytest.mark.parametrize("folder, name", COMPONENTS)
def test_options_read_without_import_are_the_real_ones(folder, name):
    module = importlib.import_module(f"oecal.{folder}.{name}")
    read, real = components.load_options_class(folder, name), module.Options
    assert inspect.signature(read).parameters.keys() == inspect.signature(real).parameters.keys()
    needed = {"kind": "uniform", "of": "x", "how": "jigsaw", "path": "x", "name": "x"}
    required = {
        field.name: needed[field.name]
        for field in dataclasses.fields(real)
        if field.default is dataclasses.MISSING
    }
    assert vars(read(**required)) == vars(real(**required))


@pytest.mark.parametrize("folder, name", COMPONENTS)
def test_every_option_is_documented(folder, name):
    node = next(
        n
        for n in components.parse_component(folder, name).body
        if isinstance(n, ast.ClassDef) and n.name == "Options"
    )
    fields = [n for n, item in enumerate(node.body) if isinstance(item, ast.AnnAssign)]
    for n in fields:
        after = node.body[n + 1] if n + 1 < len(node.body) else None
        assert isinstance(after, ast.Expr), (
            f"{name}: a docstring is missing after line {node.body[n].lineno}"
        )


def test_constants():
    assert components.read_constant("models", "wrn", "KIND") == "classifier"
    with pytest.raises(KeyError, match="has no constant NOPE"):
        components.read_constant("models", "wrn", "NOPE")
    with pytest.raises(KeyError, match="has no class Options"):
        components.load_options_class("training", "loop")


def test_arguments():
    arguments = components.read_arguments("figures", "reliability", "collect_data")
    assert arguments == ("outputs", "ood_ratio")
    with pytest.raises(KeyError, match="oecal/figures/style.py has no function collect_data"):
        components.read_arguments("figures", "style", "collect_data")


@pytest.mark.parametrize(
    "value, annotation, expected",
    [
        (1, int, True),
        (True, int, False),
        (1, float, True),
        (True, float, False),
        ("a", float, False),
        (True, bool, True),
        (1, bool, False),
        ([1, 2], tuple[int, ...], True),
        ([1, "a"], tuple[int, ...], False),
        (3, tuple[int, ...], False),
    ],
)
def test_types(value, annotation, expected):
    assert options.fits(value, annotation) is expected


def test_unknown_names():
    assert (
        components.explain_unknown("mps", ["msp", "energy"])
        == "unknown name 'mps'; did you mean 'msp'? Known names: energy, msp"
    )
    assert components.explain_unknown("x", []) == "unknown name 'x'. Known names: (none)"
    with pytest.raises(OecalError, match="here.size: found .big.; expected an integer"):
        options.check_options("data", "photos", {"size": "big"}, "here")
