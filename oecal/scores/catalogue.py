"""Which scores there are: each public function of a file in this folder, found in the syntax tree.

A score's argument names say what it needs of the images to score: of a classifier `logits`, `features` or `labels`, of a density model
`log_likelihood` or one of the statistics of oecal.predict.plain; with the prefix `train_` or `val_` those of the in-distribution set's
own splits.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent
DENSITY = {"log_likelihood", "png_bits", "zero_fraction", "total_variation", "mean_distance"}
NO_FAMILY = {"__init__", "catalogue", "run"}


class Score(NamedTuple):
    """Where a score is, what it needs, and for which kind of model it is."""

    name: str
    module: str
    needs: tuple[str, ...]

    @property
    def kind(self) -> str:
        return "density" if DENSITY & {need.removeprefix("train_").removeprefix("val_") for need in self.needs} else "classifier"


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
