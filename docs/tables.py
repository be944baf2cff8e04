"""Writes docs/tables.md: every table with the columns that its code declares, described in docs/columns.yaml. `make docs` runs it."""

import ast
import importlib
import io
import re
from pathlib import Path
from typing import Any

import yaml

from oecal.metrics.peer_conventions import CONVENTIONS
from oecal.runs.run_files import RUN_COLUMNS
from oecal.tables import detection, overlap

DOCS = Path(__file__).parent
TABLES = DOCS.parent / "oecal" / "tables"
ABOUT: dict[str, Any] = yaml.safe_load((DOCS / "columns.yaml").read_text())
CONVENTION = "detection_"  # and a convention's name: that table
HEAD = """# Tables

Every table of a study and every column; other files of results at the end. `make docs` writes this page from the code, which declares the
columns, and from `docs/columns.yaml`, which describes them. Tables stand in `results/<study>/tables/`, `costs.csv` in
`results/<study>/costs/`. Rates are fractions, not percent; a cell is empty where there is no number. Where no run of a study has such a
result, a table is empty, or a row for each run says so: its set is `none`, its `n` is 0. [glossary.md](glossary.md) has the formulas.

A *run* is `{in_dist}/{model}/{training}/seed{seed}`; OOD is the positive class, and a higher score is more anomalous.
"""


def names() -> list[str]:
    """The tables, by their files; of the conventions of other codebases one each."""
    files = [
        p.stem
        for p in sorted(TABLES.glob("*.py"))
        if "\ndef table(" in p.read_text() and p.stem != "conventions"
    ]
    return [*files, *(CONVENTION + name for name in CONVENTIONS)]


def module(table: str) -> str:
    return "conventions" if table.removeprefix(CONVENTION) in CONVENTIONS else table


def columns(table: str) -> list[str]:
    """The columns of a table, as its code declares them.

    Of `trainings` those of the description, which a test compares with a run's.
    """
    if table == "overlap":
        return list(overlap.compute_table(io.StringIO(",".join(detection.COLUMNS)), []).columns)
    if table == "trainings":
        return [*RUN_COLUMNS, *ABOUT["tables"]["trainings"]]
    if (convention := table.removeprefix(CONVENTION)) in CONVENTIONS:
        return [
            *RUN_COLUMNS,
            "ood",
            "kind",
            "score",
            *CONVENTIONS[convention].columns,
            "base_rate",
            "n_in",
            "n_out",
        ]
    return list(importlib.import_module(f"oecal.tables.{table}").COLUMNS)


def anchor(term: str) -> str:
    """The link to an entry of the glossary, as GitHub names its headings."""
    return "glossary.md#" + re.sub(r"[^\w -]", "", term.lower()).replace(" ", "-")


def row(name: str, about: dict[str, str]) -> str:
    meaning = about["is"].replace("|", "\\|")
    linked = f"[{about['term']}]({anchor(about['term'])})" if "term" in about else ""
    return f"| `{name}` | {meaning} | {about.get('range', '')} | {about.get('better', '')} | {linked} |"


def listing(rows: dict[str, dict[str, str]]) -> str:
    head = ["| column | meaning | unit or range | better | formula |", "|---|---|---|---|---|"]
    return "\n".join([*head, *(row(name, about) for name, about in rows.items())])


def section(table: str) -> str:
    """A table: what it is, its rows, its columns in order, and those that only it has or that mean something else in it."""
    tree = ast.parse((TABLES / f"{module(table)}.py").read_text())
    function = next(
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "table"
    )
    what = (ast.get_docstring(tree) or "").split("\n\n")[0].partition(": ")[2]
    rows = (ast.get_docstring(function) or "").split(". ")[0].split("\n\n")[0].rstrip(".") + "."
    own, order = ABOUT["tables"].get(table, {}), columns(table)
    parts = [
        f"## {table}.csv",
        " ".join(f"{what[0].upper()}{what[1:]} {rows}".split()),
        ", ".join(f"`{name}`" for name in order),
    ]
    parts += [listing({name: own[name] for name in order if name in own})] if own else []
    asked = {
        n: about
        for n, about in ABOUT["metrics"].items()
        if f'TABLE = "{table}"' in (TABLES.parent / f"metrics/{n}.py").read_text()
    }
    parts += ["Last, a column for each of `measures.metrics`:", listing(asked)] if asked else []
    return "\n\n".join(parts)


def file(path: str, about: dict[str, Any]) -> str:
    parts = [f"### {path.replace('<', '&lt;')}", about["about"]]
    return "\n\n".join([*parts, *([listing(about["holds"])] if about["holds"] else [])])


def page() -> str:
    shared = (
        "## Columns that several tables share\n\nWhere a table's own list below has the same column, that counts.\n\n"
        + listing(ABOUT["shared"])
    )
    files = "## Other files\n\nPaths below `results/<study>/`."
    return (
        "\n\n".join(
            [
                HEAD.rstrip(),
                shared,
                *map(section, names()),
                files,
                *(file(path, about) for path, about in ABOUT["files"].items()),
            ]
        )
        + "\n"
    )


if __name__ == "__main__":
    (DOCS / "tables.md").write_text(page())
