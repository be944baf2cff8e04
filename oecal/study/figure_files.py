"""What a figure's file says about the figure, read without importing it.

A figure is a file of oecal/figures with these constants:

    SECTION     section of the report
    TITLE       its name in Snakemake's report
    CAPTION     the text below it
    FOR         kinds of models that it shows, `classifier` or `density`
    PER         "" (one file for each in-distribution set and model), "training" (one for each of
                their trainings, too), "treatment" (for each but the first) or "study" (one file)
    NEEDS       what the experiment or the study must have, a key of the configuration
    ASKED       True: only for models that name the figure
    MOST        the number of trainings that fit, the first ones
    SCORE       a score that each run must have
    FIRST_SEED  True: of each training only the run with the first seed

and two functions: `collect_data`, which reads files into a data frame, and `draw_figure`, which
draws that frame, its first argument. The names of their other arguments say what the figure needs:
FILES, PARAMETERS, or a table (`detection`, or `detection_table`), as oecal.study.figure_inputs
provides them.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from oecal.core.components import (
    explain_unknown,
    list_components,
    read_arguments,
    read_constant,
)
from oecal.core.errors import OecalError

# Files, beside the tables: of the runs shown, of their in-distribution set, of other people.
FILES = ("outputs", "scores", "history", "data", "statistics", "published")
PARAMETERS = (
    "in_dist",
    "model",
    "training",
    "trainings",
    "first",
    "score",
    "interpolation",
    "fit",
    "sources",
    "ood_ratio",
    "bins",
)
# What there is without an in-distribution set and model.
OF_THE_STUDY = ("published", "sources", "ood_ratio", "bins")


@dataclass(frozen=True)
class FigureFile:
    """The constants of a figure's file, and the arguments of its functions."""

    name: str
    section: str
    title: str
    caption: str
    kinds: tuple[str, ...]
    per: str
    needs: str
    asked: bool
    most: int | None
    score: str | None
    first_seed: bool
    collect_arguments: tuple[str, ...]
    draw_arguments: tuple[str, ...]


def list_figures() -> list[str]:
    """Return the figures there are: the files of oecal/figures with a SECTION, sorted."""
    return list_components("figures", "SECTION")


@functools.cache
def list_tables() -> tuple[str, ...]:
    """Return the tables that a figure can read: the files of oecal/tables that compute one."""
    tables = list_components("tables", "compute_table")
    return tuple(table for table in tables if table != "conventions")


def find_table(argument: str) -> str | None:
    """Return the table that an argument of `collect_data` stands for, if it stands for one.

    A table that has the name of a parameter is written with `_table`.

    >>> find_table("detection"), find_table("trainings_table"), find_table("trainings")
    ('detection', 'trainings', None)
    """
    name = argument.removesuffix("_table")
    return name if name in list_tables() and argument not in PARAMETERS else None


@functools.cache
def read_figure(name: str) -> FigureFile:
    """Read what a figure's file says.

    Raises OecalError, one line that names the file, if a constant or a function is missing or an
    argument is one that nothing provides.
    """
    try:
        figure = FigureFile(
            name=name,
            section=read_constant("figures", name, "SECTION"),
            title=read_constant("figures", name, "TITLE"),
            caption=read_constant("figures", name, "CAPTION"),
            kinds=read_constant("figures", name, "FOR"),
            per=read_constant("figures", name, "PER", ""),
            needs=read_constant("figures", name, "NEEDS", ""),
            asked=read_constant("figures", name, "ASKED", False),
            most=read_constant("figures", name, "MOST", None),
            score=read_constant("figures", name, "SCORE", None),
            first_seed=read_constant("figures", name, "FIRST_SEED", False),
            collect_arguments=read_arguments("figures", name, "collect_data"),
            draw_arguments=read_arguments("figures", name, "draw_figure")[1:],
        )
    except KeyError as error:
        raise OecalError(str(error.args[0])) from None
    check_arguments(figure)
    return figure


def check_arguments(figure: FigureFile) -> None:
    """Raise OecalError for an argument that nothing provides for such a figure."""
    place = f"oecal/figures/{figure.name}.py"
    parameters = [
        name
        for name in PARAMETERS
        if (name != "training" or figure.per in ("training", "treatment"))
        and (name in OF_THE_STUDY or figure.per != "study")
    ]
    files = [name for name in FILES if name in OF_THE_STUDY or figure.per != "study"]
    for argument in figure.collect_arguments:
        if argument not in (*files, *parameters) and find_table(argument) is None:
            known = [*files, *parameters, *list_tables()]
            raise OecalError(
                f"{place}: argument of collect_data: {explain_unknown(argument, known)}"
            )
    for argument in figure.draw_arguments:
        if argument not in parameters:
            raise OecalError(
                f"{place}: argument of draw_figure: {explain_unknown(argument, parameters)}"
            )
