import ast
import dataclasses
import importlib
import inspect
import subprocess
import sys

import pytest

from oecal.core import codegraph, components
from oecal.core.codegraph import ROOT, compute_fingerprint, find_code_files, find_imports
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
    assert components.fits(value, annotation) is expected


def test_unknown_names():
    assert (
        components.explain_unknown("mps", ["msp", "energy"])
        == "unknown name 'mps'; did you mean 'msp'? write one of: energy, msp"
    )
    assert components.explain_unknown("x", []) == "unknown name 'x'; write one of: (none defined)"
    with pytest.raises(OecalError, match="here.size: found 'big'; write an integer"):
        components.check_options("data", "photos", {"size": "big"}, "here")


def test_closure_is_transitive_and_leaves_out_what_does_not_matter():
    files = find_code_files("oecal.training.train_run", "oecal.models.wrn", "oecal.training.oe")
    assert {
        "oecal/training/loop.py",
        "oecal/data/preprocess.py",
        "oecal/models/wrn.py",
        "oecal/core/seeds.py",
        "oecal/core/device.py",
    } <= set(files)
    assert not [
        f
        for f in files
        if "figures" in f
        or "metrics" in f
        or f in ("oecal/core/log.py", "oecal/models/pixelcnn.py", "oecal/study/loading.py")
    ]
    assert all((ROOT / f).is_file() for f in files)


def test_closure_of_a_module_that_is_not_there():
    with pytest.raises(ModuleNotFoundError, match="no module oecal.nope"):
        find_code_files("oecal.nope")


def test_fingerprint_follows_content(tmp_path, monkeypatch):
    monkeypatch.setattr(codegraph, "ROOT", tmp_path)
    (tmp_path / "a.py").write_text("1")
    (tmp_path / "b.py").write_text("2")
    first = compute_fingerprint(["a.py", "b.py"])
    assert compute_fingerprint(["b.py", "a.py"]) == first
    (tmp_path / "b.py").write_text("3")
    assert compute_fingerprint(["a.py", "b.py"]) != first


def modules(folder):
    return [
        f"oecal.{folder}.{p.stem}"
        for p in sorted((ROOT / "oecal" / folder).glob("*.py"))
        if p.stem != "__init__"
    ]


def test_scoring_measuring_and_drawing_never_import_torch():
    names = [
        m for folder in ("scores", "metrics", "tables", "figures", "data") for m in modules(folder)
    ]
    names += [
        "oecal.report.page",
        "oecal.study.loading",
        "oecal.study.checks",
        "oecal.calibrators.temperature",
        "oecal.runs.thresholds",
        "oecal.runs.run_files",
    ]
    code = f"import sys, importlib; [importlib.import_module(m) for m in {names}]; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_the_library_knows_nothing_of_snakemake():
    for path in (ROOT / "oecal").rglob("*.py"):
        assert "import snakemake" not in path.read_text()


LAYERS = ["data", "models", "training", "predict", "scores", "metrics", "tables", "figures"]


@pytest.mark.parametrize("n", range(len(LAYERS)))
def test_no_layer_imports_a_later_one(n):
    """Data sets -> models -> training -> predictions -> scores -> metrics -> tables -> figures."""
    for module in modules(LAYERS[n]):
        later = {
            m
            for m in find_imports(module)
            if m.split(".")[1:2] and m.split(".")[1] in LAYERS[n + 1 :]
        }
        assert not later, f"{module} imports {later}"
