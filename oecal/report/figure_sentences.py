"""What a figure shows in a study, in numbers: sentences of the report.

The figure's own file makes them from the tables.
"""

from __future__ import annotations

from oecal.core.component_imports import import_component
from oecal.figures.sentences import Tables
from oecal.study.figure_files import read_figure


def describe_shown_figure(
    figure: str, tables: Tables, in_dist: str = "", model: str = "", training: str = ""
) -> str:
    """Return a sentence per training that the figure shows; empty if there is nothing to add.

    A figure of the whole study has no in_dist and model. The others see the rows of their model,
    without the trainings that only help another one (a background model); those with PER see the
    rows of this training, and the first one's where it is a treatment.
    """
    sentences = getattr(import_component("figures", figure), "describe_figure", None)
    if sentences is None:
        return ""
    per = read_figure(figure).per
    if per != "study":
        tables = {
            k: t[(t["in_dist"] == in_dist) & (t["model"] == model)]
            for k, t in tables.items()
            if "model" in t
        }
        helpers = tables["trainings"][tables["trainings"]["objective"] == "background"]["training"]
        tables = {k: t[~t["training"].isin(helpers)] for k, t in tables.items()}
    if training:
        first = list(tables["trainings"]["training"][:1]) if per == "treatment" else []
        tables = {k: t[t["training"].isin([*first, training])] for k, t in tables.items()}
    return " ".join(sentences(tables))
