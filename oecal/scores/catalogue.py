"""Which scores there are: each public function of a file in this folder, found in the syntax tree.

A score's argument names say what it needs. Of the image: of a classifier `logits` and `features`;
of a density model what its file lists as OUTPUTS; of either what is costly to predict; or a
statistic of the image alone. Of the model: `head_weight` and `head_bias`, a classifier's last
layer. Prefixes: `train_` and `val_` mean the in-distribution set's own splits, `background_` the
same images under the model's background training, `seeds_` the values of all seeds, stacked (S, N,
...).

A keyword with a `Literal` type is a hyperparameter, and the literals are its grid. The keyword `m`
stands for a family: `typicality_10` is `typicality` with m = 10.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent
# Of the images alone (oecal.predict.image_statistics).
STATISTICS = {"png_bits", "webp_bits", "zero_fraction", "total_variation", "mean_distance"}
# What is costly to predict, by the method that gives it: of a density model (oecal.predict.costly),
# of a classifier (oecal.predict.repeated_passes).
GRADIENTS = {"gradient_norms": "gradients", "input_gradient": "gradients", "regret": "regret"}
PASSES = {
    f"{method}_{value}": method
    for method in ("dropout", "tta", "swag")
    for value in ("p", "mi", "agreement")
} | {"odin": "odin"}
COSTLY = GRADIENTS | PASSES
HEAD = {"head_weight", "head_bias"}
PREFIXES = ("train", "val", "background", "seeds")
BACKGROUND_LOGIT = "background_logit"  # of a classifier with a class for the background; no prefix
NO_FAMILY = {"__init__", "catalogue", "fit_memory", "numerics", "score_run", "threads", "tuning"}


class Score(NamedTuple):
    """Where a score is, and what it needs."""

    name: str
    module: str
    function: str
    arguments: tuple[str, ...]
    options: dict[str, Any]
    grids: dict[str, tuple[Any, ...]]

    @property
    def family(self) -> str:
        """The file that it stands in."""
        return self.module.rpartition(".")[2]

    @property
    def prefixes(self) -> set[str]:
        """Of PREFIXES those that its arguments have: whose values it needs beside the image's own."""
        return {
            prefix
            for prefix in PREFIXES
            if any(a.startswith(prefix + "_") and a != BACKGROUND_LOGIT for a in self.arguments)
        }

    @property
    def needs(self) -> set[str]:
        """The arguments without their prefixes."""
        return {
            a if a == BACKGROUND_LOGIT else re.sub(f"^({'|'.join(PREFIXES)})_", "", a)
            for a in self.arguments
        }

    @property
    def costly(self) -> set[str]:
        """The costly methods of the prediction that it needs."""
        return {COSTLY[need] for need in self.needs & COSTLY.keys()}


def read_grid(annotation: ast.expr | None) -> tuple[Any, ...]:
    """The values of `Literal[...]`; none of another type."""
    if not (
        isinstance(annotation, ast.Subscript)
        and isinstance(annotation.value, ast.Name)
        and annotation.value.id == "Literal"
    ):
        return ()
    values = ast.literal_eval(annotation.slice)
    return values if isinstance(values, tuple) else (values,)


@cache
def list_scores() -> dict[str, Score]:
    """All scores by name; of a family, the member without a number."""
    found: dict[str, Score] = {}
    for path in sorted(FOLDER.glob("*.py")):
        if path.stem in NO_FAMILY:
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                arguments = tuple(argument.arg for argument in node.args.args)
                keywords = list(zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True))
                options = {
                    keyword.arg: ast.literal_eval(default)
                    for keyword, default in keywords
                    if default
                }
                grids = {
                    keyword.arg: values
                    for keyword, _ in keywords
                    if (values := read_grid(keyword.annotation))
                }
                found[node.name] = Score(
                    node.name, f"oecal.scores.{path.stem}", node.name, arguments, options, grids
                )
    return found


def find_score(name: str) -> Score:
    """A score by its name in the configuration. Raises KeyError if there is none."""
    family, _, number = name.rpartition("_")
    if (
        name not in list_scores()
        and number.isdecimal()
        and int(number) > 1
        and "m" in list_scores()[family].options
    ):
        return list_scores()[family]._replace(name=name, options={"m": int(number)})
    return list_scores()[name]


def list_fitting_scores(outputs: Collection[str]) -> list[str]:
    """The scores of a model with these outputs (its file's OUTPUTS), sorted by name."""
    have = set(outputs) | {"labels"}
    if "log_likelihood" in have:
        have |= STATISTICS | (GRADIENTS.keys() if "elbo" in have else GRADIENTS.keys() - {"regret"})
    else:
        have |= PASSES.keys() | HEAD | {BACKGROUND_LOGIT}
    return sorted(s.name for s in list_scores().values() if s.needs <= have)
