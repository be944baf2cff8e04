"""Reading the generated pages of docs/."""

import re

from oecal.core.codegraph import ROOT

DOCS = ROOT / "docs"


def cells(text: str) -> list[list[str]]:
    """The rows of the tables that begin with a name in backticks."""
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in text.splitlines()
        if line.startswith("| `")
    ]


def section(text: str, begin: str, end: str) -> str:
    return text.split(begin)[1].split(end)[0]
