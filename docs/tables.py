"""Writes docs/tables.md: every table with the columns that its code declares.

They are described in docs/columns.yaml. `make docs` runs it.
"""

import ast
import importlib
import re
from pathlib import Path
from typing import Any

import yaml

from oecal.runs.run_files import RUN_COLUMNS
from oecal.study.table_inputs import (
    CONVENTION_PREFIX,
    find_module,
    list_on_demand_tables,
    list_table_modules,
)
from oecal.tables.conventions import list_columns

DOCS = Path(__file__).parent
TABLES = DOCS.parent / "oecal" / "tables"
ABOUT: dict[str, Any] = yaml.safe_load((DOCS / "columns.yaml").read_text())
HEAD = """# Tables

Every table of a study and every column; other files of results at the end. `make docs` writes this
page from the code, which declares the columns, and from `docs/columns.yaml`, which describes them.
Tables stand in `results/<study>/tables/`, `costs.csv` in `results/<study>/costs/`. Rates are
fractions, not percent; a cell is empty where there is no number. If no run of a study has such a
result, a table is empty, or has a row per run that says so: its set is `none`, its `n` is 0.
[glossary.md](glossary.md) has the formulas.

A *run* is `{in_dist}/{model}/{training}/seed{seed}`; OOD is the positive class, and a higher score
is more anomalous.
"""


def names() -> list[str]:
    """The tables, by their files; of the conventions of other codebases one each."""
    files = [name for name in list_table_modules() if name != "conventions"]
    return [*files, *list_on_demand_tables()]


def columns(table: str) -> list[str]:
    """The columns of a table, as its code declares them.

    Of `trainings` those of the description, which a test compares with a run's.
    """
    if table == "trainings":
        return [*RUN_COLUMNS, *ABOUT["tables"]["trainings"]]
    if table in list_on_demand_tables():
        return list_columns(table.removeprefix(CONVENTION_PREFIX))
    return list(importlib.import_module(f"oecal.tables.{table}").COLUMNS)


def anchor(term: str) -> str:
    """The link to an entry of the glossary, as GitHub names its headings."""
    return "glossary.md#" + re.sub(r"[^\w -]", "", term.lower()).replace(" ", "-")


def row(name: str, about: dict[str, str]) -> str:
    meaning = about["is"].replace("|", "\\|")
    linked = f"[{about['term']}]({anchor(about['term'])})" if "term" in about else ""
    cells = [f"`{name}`", meaning, about.get("range", ""), about.get("better", ""), linked]
    return f"| {' | '.join(cells)} |"


def listing(rows: dict[str, dict[str, str]]) -> str:
    head = ["| column | meaning | unit or range | better | formula |", "|---|---|---|---|---|"]
    return "\n".join([*head, *(row(name, about) for name, about in rows.items())])


def section(table: str) -> str:
    """A table: what it is, its rows and its columns in order.

    Listed are the columns that only it has or that mean something else in it.
    """
    tree = ast.parse((TABLES / f"{find_module(table)}.py").read_text())
    function = next(
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name == "compute_table"
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
        "## Columns that several tables share\n\n"
        "Where a table's own list below has the same column, that counts.\n\n"
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
