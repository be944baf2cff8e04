"""Each room of the library imports only from rooms below it, and imports have no cycles."""

import ast
import graphlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Each room may import from those above it, floor by floor. In capitals: the parts of the design,
# from pixels to figures.
LAYERS = """
core
DATA
MODELS METRICS
TRAINING runs
PREDICT SCORES
calibrators study
TABLES
FIGURES
report screening
screen
"""
RANKS = {part: n for n, line in enumerate(LAYERS.lower().split("\n")) for part in line.split()}
WITHOUT_TORCH = ("scores", "calibrators", "metrics", "tables", "figures", "runs", "report", "study")


def read_imports():
    """Module -> all that it imports, anywhere in its file."""
    paths = {
        ".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p
        for p in (ROOT / "oecal").rglob("*.py")
    }
    imported = {module: set() for module in paths}
    for module, path in paths.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{module}: imports are absolute here"
                full = {f"{node.module}.{alias.name}" for alias in node.names}
                imported[module] |= {name if name in paths else node.module for name in full}
            elif isinstance(node, ast.Import):
                imported[module] |= {alias.name for alias in node.names}
    return imported


IMPORTS = read_imports()


def part(module):
    return module.split(".")[1]


def reached(module, seen):
    """All that a module imports by itself or through others."""
    for name in IMPORTS.get(module, set()) - seen:
        seen.add(name)
        reached(name, seen)
    return seen


def test_every_part_has_its_place():
    assert {part(module) for module in IMPORTS if module != "oecal"} == set(RANKS)


@pytest.mark.parametrize("module", sorted(IMPORTS))
def test_nothing_imports_what_stands_after_it(module):
    for other in IMPORTS[module]:
        if other.startswith("oecal.") and part(other) != part(module):
            assert RANKS[part(other)] < RANKS[part(module)], f"{module} imports {other}"


def test_no_import_goes_in_a_circle():
    inside = {
        module: {name for name in names if name.startswith("oecal")}
        for module, names in IMPORTS.items()
    }
    assert set(graphlib.TopologicalSorter(inside).static_order()) >= set(IMPORTS)


def test_the_library_knows_nothing_of_snakemake():
    assert not [
        module
        for module, names in IMPORTS.items()
        if any(name.split(".")[0] == "snakemake" for name in names)
    ]


@pytest.mark.parametrize(
    "module", sorted(m for m in IMPORTS if m.split(".")[1:2] and part(m) in WITHOUT_TORCH)
)
def test_scoring_measuring_and_drawing_never_import_torch(module):
    assert not {
        name for name in reached(module, set()) if name.split(".")[0] in ("torch", "torchvision")
    }
