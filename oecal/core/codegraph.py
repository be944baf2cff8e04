"""Which files of the library a step depends on, and their fingerprint.

Snakemake sees an edit to a script, but not to a module that the script imports. So each rule lists,
as an input, the files that this module finds: what the rule's script imports from the package and,
transitively, what those modules import.

Imports are read from the source. What is imported by name at run time (a model, an objective, a
metric) goes through `import_component`, whose first argument names the folder; the names have to be
given, and forgetting them is an error.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from oecal.core.errors import OecalError

Components = Mapping[str, Iterable[str]]
Files = tuple[str, ...]

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "workflow" / "scripts"
CANNOT_CHANGE_A_RESULT = {"oecal.core.log", "oecal.core.errors", "oecal.core.codegraph"}
IMPORTER = "oecal.core.component_imports"
BY_NAME = ("import_module", "__import__")


class Imports(NamedTuple):
    """What a file imports from the package."""

    modules: frozenset[str]
    """Modules, at the top of the file or inside functions, and the package that the file is in."""
    folders: frozenset[str]
    """Folders of which it imports components by name: `models`, `data.formats`."""


@functools.cache
def find_module_file(module: str) -> Path | None:
    """Return the file of a module of this package, or None."""
    base = ROOT.joinpath(*module.split("."))
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def list_imported_names(node: ast.AST, package: str) -> Iterator[str]:
    """List what an import statement in a file of `package` may import; nothing for other nodes."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        origin = ".".join([*above, *([node.module] if node.module else [])])
        yield origin
        yield from (f"{origin}.{alias.name}" for alias in node.names)


def find_component_folder(node: ast.AST, place: str) -> str | None:
    """Return the folder that a call of `import_component` names; None for other nodes.

    Raises OecalError for a folder that is not written out, and for any other import by name.
    """
    if not isinstance(node, ast.Call):
        return None
    called = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
    if called in BY_NAME:
        raise OecalError(
            f"{place}:{node.lineno}: {called} hides a dependency from the workflow; "
            "import components with import_component"
        )
    if called != "import_component":
        return None
    folder = node.args[0] if node.args else None
    if not (isinstance(folder, ast.Constant) and isinstance(folder.value, str)):
        raise OecalError(
            f"{place}:{node.lineno}: the folder of import_component must be a string, "
            "so that the workflow can read it from the source"
        )
    return folder.value


@functools.cache
def read_imports(path: Path, package: str) -> Imports:
    """Read from its source what a file of `package` imports ('' for a script)."""
    place = path.relative_to(ROOT).as_posix()
    modules, folders = set[str](), set[str]()
    for node in ast.walk(ast.parse(path.read_text())):
        modules.update(list_imported_names(node, package))
        if (folder := find_component_folder(node, place)) is not None:
            folders.add(folder)
    own = {m for m in modules if m.split(".")[0] == "oecal" and find_module_file(m)}
    return Imports(frozenset(own - CANNOT_CHANGE_A_RESULT), frozenset(folders))


def find_imports(module: str) -> Imports:
    """Return what a module of this package imports directly from the package."""
    path = find_module_file(module)
    if path is None:
        raise ModuleNotFoundError(f"no module {module} in {ROOT}")
    parent = module.rpartition(".")[0]
    above = frozenset({parent} - {""})
    if module == IMPORTER:
        return Imports(above, frozenset())
    imports = read_imports(path, module if path.name == "__init__.py" else parent)
    return imports._replace(modules=imports.modules | above)


def find_code_files(modules: Iterable[str], components: Components | None = None) -> Files:
    """Return the files of `modules` and of all that they import, relative to ROOT, sorted.

    components: folder -> names of its components that are imported by name at run time. Raises
    OecalError if a folder is missing here, or named without need.
    """
    return collect_files(Imports(frozenset(modules), frozenset()), "", components or {})


def find_script_code(script: str, components: Components | None = None) -> Files:
    """Return the files that workflow/scripts/`script`.py imports, like `find_code_files`."""
    path = SCRIPTS / f"{script}.py"
    place = path.relative_to(ROOT).as_posix()
    return collect_files(read_imports(path, ""), place, components or {})


def collect_files(start: Imports, place: str, components: Components) -> Files:
    """Return the files of what is imported at the start, in `place`, and from there on."""
    given = {folder: set(names) for folder, names in components.items()}
    used = dict.fromkeys(start.folders, place)  # folder -> what imports from it by name
    seen: set[str] = set()
    todo = [
        *start.modules,
        *(f"oecal.{folder}.{name}" for folder in given for name in given[folder]),
    ]
    while todo:
        module = todo.pop()
        if module not in seen:
            seen.add(module)
            imports = find_imports(module)
            todo += imports.modules
            used |= dict.fromkeys(imports.folders, module)
    check_components(used, given)
    paths = {find_module_file(module) for module in seen}
    return tuple(sorted(p.relative_to(ROOT).as_posix() for p in paths if p))


def check_components(used: Mapping[str, str], given: Components) -> None:
    """Raise OecalError unless `given` names each folder of `used`, and no other one."""
    for folder, module in used.items():
        if folder not in given:
            raise OecalError(
                f"{module} imports components of oecal/{folder.replace('.', '/')} by name; list "
                f"the ones it needs: {{'{folder}': [...]}}"
            )
    for folder, names in given.items():
        if folder not in used and names:
            raise OecalError(
                f"nothing here imports components of oecal/{folder.replace('.', '/')} by name; "
                f"remove {', '.join(sorted(names))}"
            )


def compute_fingerprint(files: Iterable[str | Path]) -> str:
    """Compute a SHA-256 over the names, relative to ROOT, and the contents of files.

    A relative path is taken below ROOT. Raises OecalError for a file outside it: then this process
    has imported another copy of the library than the one that the workflow lists.
    """
    root = ROOT.resolve()
    paths: dict[str, Path] = {}
    for path in ((root / file).resolve() for file in files):
        if not path.is_relative_to(root):
            raise OecalError(
                f"{path}: the workflow lists this file, but the job imports oecal from {root}; "
                "uninstall one of the two copies"
            )
        paths[path.relative_to(root).as_posix()] = path
    digest = hashlib.sha256()
    for name, path in sorted(paths.items()):
        digest.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
