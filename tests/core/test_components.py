"""Reading source instead of importing it: what it follows, and what it refuses in one line."""

import pytest

from oecal.core import components
from oecal.core.components import list_components, load_options_class, read_constant
from oecal.core.errors import OecalError

CACHES = (
    components.read_source,
    components.parse_component,
    components.find_bindings,
    components.load_options_class,
)


@pytest.fixture
def write(monkeypatch, tmp_path):
    """Writes models/new.py into a library that else is empty, for this test."""
    monkeypatch.setattr(components, "PACKAGE", tmp_path)
    (tmp_path / "models").mkdir()
    for cached in CACHES:
        cached.cache_clear()
    yield (tmp_path / "models/new.py").write_text
    for cached in CACHES:
        cached.cache_clear()


@pytest.mark.parametrize(
    "source",
    ["EXTRA = 1", "EXTRA: int = 1", "EXTRA: Final = 1", "EXTRA = (\n    1  # one\n)"],
)
def test_a_constant_annotated_or_not(write, source):
    write(source)
    assert read_constant("models", "new", "EXTRA", 0) == 1


def test_a_constant_that_is_not_there(write):
    write("def f():\n    EXTRA = 1\n")
    assert read_constant("models", "new", "EXTRA", 0) == 0
    with pytest.raises(KeyError, match="models/new.py has no constant EXTRA"):
        read_constant("models", "new", "EXTRA")


@pytest.mark.parametrize(
    "source, message",
    [
        ("EXTRA = 1 + int('2')", "line 1: EXTRA is read without importing the file, so its value"),
        ("A = 1\nEXTRA = A", "line 2: EXTRA is read without importing the file, so its value"),
        ("EXTRA = 1\nEXTRA = 2", "line 2: EXTRA is read without importing the file; assign it"),
        ("if True:\n    EXTRA = 1", "line 1: EXTRA is read without importing the file; assign"),
        ("EXTRA = 1\nEXTRA += 1", "line 2: EXTRA is read without importing the file; assign"),
        ("from elsewhere import EXTRA", "line 1: EXTRA is read without importing the file; assign"),
        ("EXTRA, B = 1, 2", "line 1: EXTRA is read without importing the file; assign it exactly"),
        ("EXTRA: int", "line 1: EXTRA is read without importing the file; assign it exactly"),
        ("EXTRA = (", "line 1: '(' was never closed"),
    ],
)
def test_a_constant_that_cannot_be_followed(write, source, message):
    write(source)
    with pytest.raises(OecalError) as caught:
        read_constant("models", "new", "EXTRA", 0)
    assert str(caught.value).startswith(f"oecal/models/new.py, {message}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "source, expected",
    [
        ("class Options:\n    pass", ["new"]),
        ('"""Like class Options, or OUTLIERS = True."""\n# class Options\n', []),
        ("def f():\n    class Options: ...", []),
        ("NotOptions = 1", []),
    ],
)
def test_a_component_is_what_defines_its_mark(write, source, expected):
    write(source)
    assert list_components("models") == expected


OPTIONS = (
    "import {module}\nLIMIT = 3\n\n@dataclass(frozen=True)\nclass Options:\n    n: int = {value}\n"
)


@pytest.mark.parametrize(
    "source, name",
    [
        (OPTIONS.format(module="math", value="math.floor(2.5)"), "math"),
        (OPTIONS.format(module="numpy as np", value="np.int64(2)"), "np"),
        (
            "import dataclasses\n@dataclasses.dataclass\nclass Options:\n    n: int = 1\n",
            "dataclasses",
        ),
        ("class Base: ...\n@dataclass\nclass Options(Base):\n    n: int = 1\n", "Base"),
        (
            OPTIONS.format(module="os", value="1")
            + "\n    def __post_init__(self) -> None:\n        if self.n > math.inf:\n"
            "            raise ValueError(self.n)\n",
            "math",
        ),
        ("@dataclass\nclass Options:\n    n: Sequence[int] = ()\n", "Sequence"),
    ],
)
def test_options_that_need_an_import(write, source, name):
    write(source)
    with pytest.raises(OecalError) as caught:
        load_options_class("models", "new")
    assert f"Options is read without importing the file, so it cannot use {name};" in str(
        caught.value
    )
    assert "\n" not in str(caught.value)


def test_options_may_use_a_constant_of_their_file(write):
    write(OPTIONS.format(module="math", value="LIMIT"))
    assert load_options_class("models", "new")().n == 3


def test_options_that_are_no_dataclass(write):
    write("class Options:\n    n = 1\n")
    with pytest.raises(OecalError, match=r"models/new\.py: Options must be a dataclass"):
        load_options_class("models", "new")
