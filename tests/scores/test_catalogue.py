"""Scores are read from source: what is marked is a score, what cannot be read is an error."""

import ast

import pytest

from oecal.core import components
from oecal.core.components import read_signature
from oecal.core.errors import OecalError
from oecal.scores import catalogue

CACHES = (components.read_source, components.parse_component, catalogue.list_scores)


def clear_caches():
    for function in CACHES:
        function.cache_clear()
    for name in ("find_bindings",):
        if hasattr(components, name):
            getattr(components, name).cache_clear()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder of scores in place of oecal/scores."""
    (tmp_path / "scores").mkdir()
    monkeypatch.setattr(components, "PACKAGE", tmp_path)
    clear_caches()
    yield tmp_path / "scores"
    clear_caches()


def test_a_file_without_scores_is_a_helper(folder):
    (folder / "helper.py").write_text("def half(x):\n    return x / 2\n")
    (folder / "family.py").write_text(
        '"""."""\nSCORES = ("first",)\ndef first(logits): ...\ndef helper(logits): ...\n'
    )
    assert list(catalogue.list_scores()) == ["first"]


def test_every_public_function_of_a_family_is_one_of_its_scores():
    for family in {score.family for score in catalogue.list_scores().values()}:
        tree = components.parse_component("scores", family)
        public = [
            node.name
            for node in tree.body
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
        ]
        assert public == list(components.read_constant("scores", family, "SCORES"))


def test_a_signature(folder):
    (folder / "f.py").write_text(
        "def f(x, y, *, k: Literal[1, 5] = 5, p: typing.Literal['a'] = 'a', m: int = 1): ...\n"
    )
    assert read_signature("scores", "f", "f") == (
        ("x", "y"),
        {"k": 5, "p": "a", "m": 1},
        {"k": (1, 5), "p": ("a",)},
    )


@pytest.mark.parametrize(
    "source, message",
    [
        ("@cached\ndef f(x): ...", "f.py, line 4: f is decorated; its signature is read"),
        ("def f(*x): ...", "line 3: f takes *args or **kwargs; "),
        ("def f(x, **y): ...", "line 3: f takes *args or **kwargs; "),
        ("def f(x=1): ...", "line 3: f gives a default to an argument that is not keyword-only; "),
        ("def f(x, *, k: Literal[1, 2]): ...", "f has a keyword-only argument without a default; "),
        ("def f(x, *, k: Literal[1, 2] = K): ...", "f has a default, or a value in Literal"),
        ("def f(x, *, k: Literal[A, B] = 1): ...", "f has a default, or a value in Literal"),
        ("def f(x, *, k: int = 1): ...", "f.py: the keyword k of f needs a type Literal"),
        ("f = partial(g, 1)", "f.py: found 0 functions f at the top level; expected exactly one"),
        ("if True:\n    def f(x): ...", "f.py: found 0 functions f at the top level; expected"),
        ("def f(x): ...\ndef f(y): ...", "f.py: found 2 functions f at the top level; expected"),
    ],
)
def test_what_cannot_be_read_is_an_error_in_one_line(folder, source, message):
    (folder / "f.py").write_text(f'"""."""\nSCORES = ("f",)\n{source}\n')
    with pytest.raises(OecalError) as error:
        catalogue.list_scores()
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_the_list_must_be_a_tuple(folder):
    (folder / "f.py").write_text('\nSCORES = ("f")\ndef f(x): ...\n')
    with pytest.raises(OecalError, match="f.py: found SCORES = 'f'; expected a tuple of names"):
        catalogue.list_scores()


def test_two_scores_of_one_name_are_an_error(folder):
    for name in ("a", "b"):
        (folder / f"{name}.py").write_text('"""."""\nSCORES = ("f",)\ndef f(x): ...\n')
    with pytest.raises(OecalError, match="oecal/scores/b.py: a.py also has a score f"):
        catalogue.list_scores()
