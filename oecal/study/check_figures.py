"""Whether the figures that a configuration names exist, and find in the study what they show."""

from __future__ import annotations

from collections.abc import Iterable

from oecal.core.components import explain_unknown
from oecal.core.errors import OecalError
from oecal.study.figure_files import list_figures, read_figure
from oecal.study.figure_inputs import list_fitting_runs
from oecal.study.study import Study


def check_figures(study: Study) -> None:
    """Raise OecalError for the first figure that does not exist or would show nothing."""
    for model, entry in study.config.models.items():
        check_names(f"models.{model}.figures", entry.figures)
    check_names("figures", study.config.figures)
    for n, name in enumerate(study.config.figures):
        check_figure(study, name, f"figures[{n}]: {name}")


def check_names(key: str, names: Iterable[str]) -> None:
    """Raise OecalError for a name, of those listed under `key`, that is no figure."""
    known = list_figures()
    for n, name in enumerate(names):
        if name not in known:
            raise OecalError(f"{key}[{n}]: {explain_unknown(name, known)}")


def check_figure(study: Study, name: str, place: str) -> None:
    """Raise OecalError if the study lacks what a figure shows; `place` begins the message."""
    figure, runs = read_figure(name), list_fitting_runs(study, name)
    in_dists = study.in_dists(*figure.kinds)
    if not in_dists:
        raise OecalError(
            f"{place} shows {' or '.join(figure.kinds)} models, but no experiment has one; remove "
            "it"
        )
    if not any(study.has(in_dist, figure.needs) for in_dist in in_dists):
        raise OecalError(
            f"{place} needs {figure.needs}, but no experiment has any; add some, or remove it"
        )
    if not runs:
        raise OecalError(
            f"{place} is drawn only for models that list it, and none does; add it to a model's "
            "figures, or remove it"
        )
    if figure.per == "treatment" and not any(len(study.compared(*run[:2])) > 1 for run in runs):
        raise OecalError(
            f"{place} compares trainings with the first one, but no model has two; add a training, "
            "or remove it"
        )
    for run in runs if figure.score else []:
        if figure.score not in study.scores(run):
            raise OecalError(
                f"models.{run.model}.scores: the figure {name} shows {figure.score}, which is "
                "missing here; add it"
            )
