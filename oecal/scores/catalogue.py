"""Which scores there are: each public function of a file in this folder, found in the syntax tree.

A score's argument names say what it needs of the images to score: of a classifier `logits`, `features` or `labels`; of a density model
what its file lists as OUTPUTS, a costly statistic, or a statistic of the images alone. Prefixes: `train_` and `val_` mean the
in-distribution set's own splits, `background_` the same images under the model's background training, `seeds_` the values of all
seeds, stacked (S, N). A score with the keyword `m` stands for a family: `typicality_10` is `typicality` with m = 10.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent
# Of the images alone (oecal.predict.plain), and those that need gradients of the model (oecal.predict.costly).
STATISTICS = {"png_bits", "webp_bits", "zero_fraction", "total_variation", "mean_distance"}
COSTLY = {"gradient_norms", "input_gradient", "regret"}
PREFIXES = ("train", "val", "background", "seeds")
NO_FAMILY = {"__init__", "catalogue", "run"}


class Score(NamedTuple):
    """Where a score is, and what it needs."""

    name: str
    module: str
    function: str
    arguments: tuple[str, ...]
    options: dict[str, int]

    @property
    def prefixes(self) -> set[str]:
        return {prefix for prefix in PREFIXES if any(a.startswith(prefix + "_") for a in self.arguments)}

    @property
    def needs(self) -> set[str]:
        """The arguments without their prefixes."""
        return {re.sub(f"^({'|'.join(PREFIXES)})_", "", argument) for argument in self.arguments}


@cache
def scores() -> dict[str, Score]:
    """All scores by name; of a family, the member without a number."""
    found: dict[str, Score] = {}
    for path in sorted(FOLDER.glob("*.py")):
        if path.stem in NO_FAMILY:
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                arguments = tuple(argument.arg for argument in node.args.args)
                options = {keyword.arg: 1 for keyword in node.args.kwonlyargs}
                found[node.name] = Score(node.name, f"oecal.scores.{path.stem}", node.name, arguments, options)
    return found


def score(name: str) -> Score:
    """A score by its name in the configuration. Raises KeyError if there is none."""
    family, _, number = name.rpartition("_")
    if name not in scores() and number.isdecimal() and int(number) > 1 and scores()[family].options:
        return scores()[family]._replace(name=name, options={"m": int(number)})
    return scores()[name]


def fitting(outputs: Collection[str]) -> list[str]:
    """The scores of a model with these outputs (its file's OUTPUTS), sorted by name."""
    have = set(outputs)
    if "log_likelihood" in have:
        have |= STATISTICS | (COSTLY if "elbo" in have else COSTLY - {"regret"})
    return sorted(s.name for s in scores().values() if s.needs <= have | {"labels"})
