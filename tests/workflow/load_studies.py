"""Imports every module of the installed package and loads every study of this repository.

Run by `make test-install` in an environment of its own, and by test_wheel.py: from the repository's
root, with python -P, which keeps the root itself from being imported.
"""

import importlib
import pkgutil
from pathlib import Path

import oecal
from oecal.study.loading import read

PACKAGE = Path(oecal.__file__).parent
SMALL = sorted(Path("studies/small").glob("*.yaml"))
STUDIES = [
    [Path("config.yaml")],
    *([path] for path in sorted(Path("studies").glob("*.yaml"))),
    *([Path("studies", path.name), path] for path in SMALL),
]

if __name__ == "__main__":
    assert not PACKAGE.is_relative_to(Path.cwd() / "oecal"), "imported from the repository"
    modules = [module.name for module in pkgutil.walk_packages(oecal.__path__, "oecal.")]
    for name in modules:
        importlib.import_module(name)
    for paths in STUDIES:
        read(*paths)
    print(f"{PACKAGE}: imported {len(modules)} modules, loaded {len(STUDIES)} studies")
