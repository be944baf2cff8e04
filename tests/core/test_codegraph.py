"""Which code each step depends on: read from the source, with components imported by name."""

import subprocess
import sys

import pytest

from oecal.core import codegraph
from oecal.core.codegraph import (
    ROOT,
    compute_fingerprint,
    find_code_files,
    find_imports,
    find_script_code,
)
from oecal.core.errors import OecalError

TRAINED_WITH = {"models": ["wrn"], "training": ["oe"]}


def test_code_is_transitive_and_leaves_out_what_does_not_matter():
    files = find_script_code("train", TRAINED_WITH)
    assert {
        "oecal/training/train_run.py",
        "oecal/training/loop.py",
        "oecal/training/oe.py",
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


def test_a_script_depends_on_what_its_modules_depend_on():
    files = find_code_files(["oecal.training.train_run"], TRAINED_WITH)
    assert set(files) <= set(find_script_code("train", TRAINED_WITH))
    assert "oecal/tables/attacks.py" in find_script_code("table", {"tables": ["attacks"]})


def test_a_module_that_is_not_there():
    with pytest.raises(ModuleNotFoundError, match="no module oecal.nope"):
        find_code_files(["oecal.nope"])


@pytest.mark.parametrize(
    "script, components, message",
    [
        (
            "train",
            {"models": ["wrn"]},
            "training.train_run imports components of oecal/training",
        ),
        (
            "dataset",
            {"data": ["published"]},
            "published .* of oecal/data/formats by name",
        ),
        ("table", {}, "workflow/scripts/table.py imports components of oecal/tables by name; list"),
        ("table", {"tables": ["calibration"], "metrics": []}, "components of oecal/calibrators"),
        (
            "typeset",
            {"metrics": ["x"]},
            "nothing here imports components of oecal/metrics",
        ),
    ],
)
def test_components_that_are_forgotten_or_needless(script, components, message, monkeypatch):
    monkeypatch.setattr(codegraph, "find_imports", fake_needless(codegraph.find_imports))
    with pytest.raises(OecalError, match=message):
        find_script_code(script, components)


def fake_needless(real):
    """Knows the module oecal.metrics.x, which does not exist."""
    return lambda m: codegraph.Imports(frozenset(), frozenset()) if m.endswith(".x") else real(m)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package `oecal` in a temporary folder: writes a file of it."""
    monkeypatch.setattr(codegraph, "ROOT", tmp_path)

    def write(name, text):
        path = tmp_path / "oecal" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        for folder in (path.parent, tmp_path / "oecal"):
            (folder / "__init__.py").touch()
        path.write_text(text)

    for cached in (codegraph.find_module_file, codegraph.read_imports):
        cached.cache_clear()
    yield write
    for cached in (codegraph.find_module_file, codegraph.read_imports):
        cached.cache_clear()


def test_relative_imports_are_followed(package):
    package("a/one.py", "from .two import f\nfrom ..b import three\nfrom . import four\n")
    package("a/two.py", "def g():\n    from ..b.five import h\n")
    package("a/four.py", "")
    package("b/three.py", "")
    package("b/five.py", "")
    assert find_code_files(["oecal.a.one"]) == (
        "oecal/__init__.py",
        "oecal/a/__init__.py",
        "oecal/a/four.py",
        "oecal/a/one.py",
        "oecal/a/two.py",
        "oecal/b/__init__.py",
        "oecal/b/five.py",
        "oecal/b/three.py",
    )


def test_relative_imports_of_a_package_itself_are_followed(package):
    package("a/__init__.py", "from .one import f\n")
    (codegraph.ROOT / "oecal/a/one.py").write_text("")
    assert "oecal/a/one.py" in find_code_files(["oecal.a"])


@pytest.mark.parametrize(
    "call, message",
    [
        ("importlib.import_module(name)", "oecal/a/one.py:2: import_module hides a dependency"),
        ("__import__(name)", "oecal/a/one.py:2: __import__ hides a dependency"),
        ("import_component(folder, name)", "folder of import_component must be a string"),
    ],
)
def test_an_import_that_cannot_be_read_is_refused(package, call, message):
    package("a/one.py", f"import importlib\n{call}\n")
    with pytest.raises(OecalError, match=message):
        find_code_files(["oecal.a.one"])


def test_every_module_of_the_library_can_be_read():
    for path in (ROOT / "oecal").rglob("*.py"):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        find_imports(module.removesuffix(".__init__"))


def test_fingerprint_follows_content(tmp_path, monkeypatch):
    monkeypatch.setattr(codegraph, "ROOT", tmp_path)
    (tmp_path / "a.py").write_text("1")
    (tmp_path / "b.py").write_text("2")
    first = compute_fingerprint(["a.py", "b.py"])
    assert compute_fingerprint(["b.py", "a.py"]) == first
    assert compute_fingerprint([tmp_path / "a.py", tmp_path / "b.py"]) == first
    (tmp_path / "b.py").write_text("3")
    assert compute_fingerprint(["a.py", "b.py"]) != first


def test_a_fingerprint_of_another_copy_of_the_library_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(codegraph, "ROOT", tmp_path / "installed")
    with pytest.raises(OecalError, match="job imports oecal from .*installed; uninstall one"):
        compute_fingerprint([tmp_path / "repository/oecal/a.py"])


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
        "oecal.study.check_measures",
        "oecal.calibrators.temperature",
        "oecal.runs.thresholds",
        "oecal.runs.run_files",
    ]
    code = (
        f"import sys, importlib; [importlib.import_module(m) for m in {names}]; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_the_library_knows_nothing_of_snakemake():
    for path in (ROOT / "oecal").rglob("*.py"):
        assert "import snakemake" not in path.read_text()


LAYERS = ["data", "models", "training", "predict", "metrics", "scores", "tables", "figures"]


@pytest.mark.parametrize("n", range(len(LAYERS)))
def test_no_layer_imports_a_later_one(n):
    """Data sets -> models -> training -> predictions -> scores -> tables -> figures.

    Metrics are functions of arrays that scores use, too, to choose their hyperparameters.
    """
    for module in modules(LAYERS[n]):
        later = {
            m
            for m in find_imports(module).modules
            if m.split(".")[1:2] and m.split(".")[1] in LAYERS[n + 1 :]
        }
        assert not later, f"{module} imports {later}"
