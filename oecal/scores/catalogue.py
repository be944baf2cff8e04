"""Which scores there are: each public function of a file in this folder, found in the syntax tree.

A score's argument names say what it needs: `logits`, `features`, `labels` or `log_likelihood` of the images to score, and with the
prefix `train_` or `val_` those of the in-distribution set's own splits.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent
NO_FAMILY = {"__init__", "catalogue", "run"}


class Score(NamedTuple):
    """Where a score is, what it needs, and for which kind of model it is."""

    name: str
    module: str
    needs: tuple[str, ...]

    @property
    def kind(self) -> str:
        return "density" if any(n.endswith("log_likelihood") for n in self.needs) else "classifier"


@cache
def scores() -> dict[str, Score]:
    """All scores by name."""
    found: dict[str, Score] = {}
    for path in sorted(FOLDER.glob("*.py")):
        if path.stem in NO_FAMILY:
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                needs = tuple(argument.arg for argument in node.args.args)
                found[node.name] = Score(node.name, f"oecal.scores.{path.stem}", needs)
    return found
