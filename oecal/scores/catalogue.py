"""Which scores there are: the functions that a file of this folder lists as its SCORES.

They are read from the source, not imported (oecal.core.components). A score's argument names say
what it needs. Of the image: of a classifier `logits` and `features`; of a density model what its
file lists as OUTPUTS; of either what is costly to predict; or a statistic of the image alone. Of
the model: `head_weight` and `head_bias`, a classifier's last layer. Prefixes: `train_` and `val_`
mean the in-distribution set's own splits, `background_` the same images under the model's
background training, `seeds_` the values of all seeds, stacked (S, N, ...).

A keyword with a `Literal` type is a hyperparameter, and the literals are its grid. The keyword `m`
stands for a family of scores: `typicality_10` is `typicality` with m = 10.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from typing import NamedTuple

from oecal.core.components import list_components, read_constant, read_signature
from oecal.core.errors import OecalError

# Of the images alone (oecal.predict.image_statistics).
STATISTICS = {"png_bits", "webp_bits", "zero_fraction", "total_variation", "mean_distance"}
# Costly predictions, by the method that makes them: of a density model (oecal.predict.costly), of a
# classifier (oecal.predict.repeated_passes).
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


class Score(NamedTuple):
    """Where a score is defined, and what it needs."""

    name: str
    module: str
    function: str
    arguments: tuple[str, ...]
    options: dict[str, object]
    grids: dict[str, tuple[object, ...]]

    @property
    def family(self) -> str:
        """The name of its file."""
        return self.module.rpartition(".")[2]

    @property
    def prefixes(self) -> set[str]:
        """Those of PREFIXES that its arguments have: whose values it needs beside the image's."""
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
        """The costly prediction methods that it needs."""
        return {COSTLY[need] for need in self.needs & COSTLY.keys()}


def read_score(family: str, name: str) -> Score:
    """Return the score of this name in the file of a family.

    Raises OecalError if its signature cannot be read, or if a keyword is neither `m` nor a
    hyperparameter with its grid.
    """
    arguments, options, grids = read_signature("scores", family, name)
    for keyword in options.keys() - grids.keys() - {"m"}:
        raise OecalError(
            f"oecal/scores/{family}.py: the keyword {keyword} of {name} needs a type "
            "Literal[...] that lists the values to choose from"
        )
    return Score(name, f"oecal.scores.{family}", name, arguments, options, grids)


@cache
def list_scores() -> dict[str, Score]:
    """Return all scores by name; of those with a keyword m, the one without a number.

    Raises OecalError if a file's scores cannot be read, or if two files have one of the same name.
    """
    scores: dict[str, Score] = {}
    for family in list_components("scores", "SCORES"):
        names = read_constant("scores", family, "SCORES")
        if not isinstance(names, tuple | list):
            raise OecalError(
                f"oecal/scores/{family}.py: found SCORES = {names!r}; expected a tuple of names"
            )
        for name in names:
            if name in scores:
                raise OecalError(
                    f"oecal/scores/{family}.py: {scores[name].family}.py also has a score {name}; "
                    "rename one of them"
                )
            scores[name] = read_score(family, name)
    return scores


def find_score(name: str) -> Score:
    """Return a score by its name in the configuration. Raises KeyError if there is none."""
    scores = list_scores()
    family, _, number = name.rpartition("_")
    if (
        name not in scores
        and number.isdecimal()
        and int(number) > 1
        and "m" in scores[family].options
    ):
        return scores[family]._replace(name=name, options={"m": int(number)})
    return scores[name]


def list_fitting_scores(outputs: Collection[str]) -> list[str]:
    """Return the scores that a model with these outputs (its file's OUTPUTS) can have, sorted."""
    have = set(outputs) | {"labels"}
    if "log_likelihood" in have:
        have |= STATISTICS | (GRADIENTS.keys() if "elbo" in have else GRADIENTS.keys() - {"regret"})
    else:
        have |= PASSES.keys() | HEAD | {BACKGROUND_LOGIT}
    return sorted(s.name for s in list_scores().values() if s.needs <= have)
