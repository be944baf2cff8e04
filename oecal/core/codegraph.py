"""Which files of the library a step depends on, and their fingerprint.

Snakemake sees an edit to a script, not to a module that the script imports. So each rule lists, as
an input, the files that this module finds: the given modules and, transitively, what they import
from the package.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
CANNOT_CHANGE_A_RESULT = {"oecal.core.log", "oecal.core.errors"}


def find_module_file(module: str) -> Path | None:
    """The file of a module of this package, or None."""
    base = ROOT.joinpath(*module.split("."))
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


@functools.cache
def find_imports(module: str) -> frozenset[str]:
    """The modules of this package that `module` imports directly, at its top or inside functions; and its parent packages."""
    path = find_module_file(module)
    if path is None:
        raise ModuleNotFoundError(f"no module {module} in {ROOT}")
    found = {module.rpartition(".")[0]}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    own = {m for m in found if m.split(".")[0] == "oecal" and find_module_file(m)}
    return frozenset(own - CANNOT_CHANGE_A_RESULT)


@functools.cache
def find_code_files(*modules: str) -> tuple[str, ...]:
    """Files of `modules` and of all that they import from the package, relative to the repository, sorted."""
    seen: set[str] = set()
    todo = list(modules)
    while todo:
        module = todo.pop()
        if module not in seen:
            seen.add(module)
            todo += find_imports(module)
    paths = {find_module_file(module) for module in seen}
    return tuple(sorted(p.relative_to(ROOT).as_posix() for p in paths if p))


def compute_fingerprint(files: Iterable[str]) -> str:
    """SHA-256 over the names and contents of files, relative to the repository."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(name.encode() + b"\0" + hashlib.sha256((ROOT / name).read_bytes()).digest())
    return digest.hexdigest()
