"""What each figure of a study is drawn from: files and parameters, for the rule that draws it.

Which ones they are, the figure's own file says (oecal.study.figure_files).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from oecal.core.codegraph import ROOT
from oecal.core.components import explain_unknown
from oecal.core.errors import OecalError
from oecal.core.options import read_option
from oecal.scores.catalogue import find_score
from oecal.study.figure_files import FILES, FigureFile, find_table, list_figures, read_figure
from oecal.study.study import RunKey, Study

# in_dist and model, with PER the training, too; nothing for a figure of the whole study.
Subject = tuple[str, ...]
RUN_FILES = {
    "outputs": "outputs/{run}.h5",
    "scores": "scores/{run}.h5",
    "history": "models/{run}/history.csv",
}


@dataclass(frozen=True)
class FigurePlan:
    """One file of a figure: what it shows, and what its two functions are given.

    Paths of results are relative to the working directory, others are absolute.
    """

    name: str
    suffix: str
    subject: Subject
    section: str
    title: str
    caption: str
    inputs: dict[str, str | list[str]]
    collect_parameters: dict[str, object]
    draw_parameters: dict[str, object]


def find_figure(study: Study, name: str, suffix: str = "") -> FigurePlan:
    """Plan the figure whose file is `{name}{suffix}.pdf`, whether the study names it or not.

    Raises OecalError, with the nearest name, if there is no such figure or it would show nothing.
    """
    asked = f"{name}{suffix}.pdf"
    if name not in list_figures():
        raise OecalError(f"{asked}: {explain_unknown(name, list_figures())}")
    subjects = list_subjects(study, name)
    if suffix not in subjects:
        known = [f"{name}{other}.pdf" for other in subjects]
        near = difflib.get_close_matches(asked, known, n=1) if len(known) > 1 else []
        raise OecalError(
            f"{asked}: the study {study.name} has no such figure; it has: "
            f"{', '.join(known) or 'none, as nothing in the study fits this figure'}"
            f"{f'; did you mean {near[0]}?' if near else ''}"
        )
    return plan_figure(study, read_figure(name), suffix, subjects[suffix])


def list_subjects(study: Study, name: str) -> dict[str, Subject]:
    """Return what a figure is drawn for, by the suffix of the file; the first one has no suffix."""
    figure, runs = read_figure(name), list_fitting_runs(study, name)
    if figure.per == "study":
        return {"": ()} if runs else {}
    subjects: list[Subject] = []
    for pair in dict.fromkeys((run.in_dist, run.model) for run in runs):
        trainings = study.compared(*pair)[1 if figure.per == "treatment" else 0 :]
        subjects += [(*pair, training) for training in trainings] if figure.per else [pair]
    return {
        "" if n == 0 else "-" + "-".join(subject): subject for n, subject in enumerate(subjects)
    }


def list_figure_paths(study: Study, *suffixes: str) -> list[str]:
    """List the files of all figures of the study, in its order; suffixes: "pdf", "png"."""
    return [
        f"results/{study.name}/figures/{figure}{of}.{suffix}"
        for figure in study.config.figures
        for of in list_subjects(study, figure)
        for suffix in suffixes
    ]


def list_fitting_runs(study: Study, name: str) -> list[RunKey]:
    """Return the runs that a figure can show."""
    figure = read_figure(name)

    def fits(model: str) -> bool:
        only = study.config.models[model].figures
        return study.kind(model) in figure.kinds and (name in only or not (only or figure.asked))

    runs = [run for run in study.runs() if study.has(run.in_dist, figure.needs)]
    models = {model for model in {run.model for run in runs} if fits(model)}
    return [run for run in runs if run.model in models]


def plan_figure(study: Study, figure: FigureFile, suffix: str, subject: Subject) -> FigurePlan:
    """Plan one file of a figure: find what its two functions ask for."""
    is_file = {
        argument: argument in FILES or find_table(argument) is not None
        for argument in figure.collect_arguments
    }
    wanted = [argument for argument, file in is_file.items() if not file]
    return FigurePlan(
        name=figure.name,
        suffix=suffix,
        subject=subject,
        section=figure.section,
        title=figure.title + suffix,
        caption=figure.caption,
        inputs={
            argument: find_paths(study, figure, subject, argument)
            for argument, file in is_file.items()
            if file
        },
        collect_parameters=find_parameters(study, figure, subject, wanted),
        draw_parameters=find_parameters(study, figure, subject, figure.draw_arguments),
    )


def find_paths(
    study: Study, figure: FigureFile, subject: Subject, argument: str
) -> str | list[str]:
    """Return the file, or files, that an argument of `collect_data` stands for."""
    out = f"results/{study.name}"
    if argument in RUN_FILES:
        runs = list_runs_shown(study, figure, subject)
        return [f"{out}/{RUN_FILES[argument].format(run=run.path)}" for run in runs]
    if argument == "data":
        sets = study.sets(subject[0], study.kind(subject[1]))
        return [f"results/data/{name}.h5" for name in dict.fromkeys(s["dataset"] for s in sets)]
    if argument == "statistics":
        return f"{out}/statistics/{subject[0]}.h5"
    if argument == "published":
        return str(ROOT / "oecal" / "figures" / f"published_{figure.kinds[0]}.csv")
    table = find_table(argument)
    return f"{out}/costs/costs.csv" if table == "costs" else f"{out}/tables/{table}.csv"


def find_parameters(
    study: Study, figure: FigureFile, subject: Subject, arguments: Iterable[str]
) -> dict[str, object]:
    """Return the values of arguments that are no files, each computed only if asked for."""

    def find(argument: str) -> object:
        match argument:
            case "in_dist" | "model" | "training":
                return subject[("in_dist", "model", "training").index(argument)]
            case "trainings":
                return list_trainings_shown(study, figure, subject)
            case "first":
                return list_trainings_shown(study, figure, subject)[0]
            case "score":
                return find_first_score(study, list_runs_shown(study, figure, subject))
            case "interpolation" | "fit":
                return study.fitting(subject[0])[argument]
            case "sources":
                return list_published_sources(study)
            case _:
                return getattr(study.config.measures, argument)

    return {argument: find(argument) for argument in arguments}


def list_trainings_shown(study: Study, figure: FigureFile, subject: Subject) -> list[str]:
    """Return the trainings in a figure: all but a background model's, or as many as fit."""
    return study.compared(*subject[:2])[: figure.most]


def list_runs_shown(study: Study, figure: FigureFile, subject: Subject) -> list[RunKey]:
    """Return the runs in a figure, all seeds of a training together."""
    in_dist, model = subject[:2]
    seeds = study.seeds(model)[: 1 if figure.first_seed else None]
    trainings = list_trainings_shown(study, figure, subject)
    return [RunKey(in_dist, model, training, seed) for training in trainings for seed in seeds]


def find_first_score(study: Study, runs: list[RunKey]) -> str:
    """Return the first configured score that each run has, of all images if there is one."""
    of_each = [study.scores(run) for run in runs]
    common = [name for name in of_each[0] if all(name in names for names in of_each)]
    return min(common, key=lambda name: bool(find_score(name).costly))


def list_published_sources(study: Study) -> dict[str, str]:
    """Return the published set that a data set of the study is, whole or a random part of it.

    Names of published sets are those of oecal/data/published.yaml.
    """
    return {
        name: read_option(entry.options, "name")
        for name, entry in study.datasets.items()
        if entry.source == "published" and entry.keeps_all
    }
