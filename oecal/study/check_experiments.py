"""Experiments beyond their types: every name in them leads somewhere.

Each check raises OecalError for the first mistake, one line that names the key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oecal.core.components import explain_unknown, read_constant
from oecal.core.errors import OecalError
from oecal.core.roles import OOD, TEST_SETS
from oecal.study.check_models import any_common_to_all, check_background
from oecal.study.configuration import Configuration
from oecal.study.dataset_entries import Dataset
from oecal.study.experiment_entries import Experiment
from oecal.study.model_entries import Model


def drop_empty(experiments: Mapping[str, Experiment]) -> dict[str, Experiment]:
    """Leave out models that have no training, and experiments that have no model left."""
    kept = {
        name: experiment.model_copy(
            update={
                "models": {m: trainings for m, trainings in experiment.models.items() if trainings}
            }
        )
        for name, experiment in experiments.items()
    }
    kept = {name: experiment for name, experiment in kept.items() if experiment.models}
    if not kept:
        raise OecalError(
            "experiments: no experiment has a model to train; list at least one training under "
            "models"
        )
    return kept


def list_corruptions() -> list[str]:
    """The names that `corruptions` may hold, in the order of oecal/data/corruptions.py."""
    families: dict[str, tuple[str, ...]] = read_constant("data", "corruptions", "FAMILIES")
    return [name for names in families.values() for name in names]


def check_experiment(in_dist: str, config: Configuration, datasets: Mapping[str, Dataset]) -> None:
    """All that an experiment names must be there, and fit."""
    place, experiment = f"experiments.{in_dist}", config.experiments[in_dist]
    if in_dist not in datasets:
        raise OecalError(f"{place}: {explain_unknown(in_dist, datasets)}")
    if config.datasets[in_dist].missing == "skip":
        raise OecalError(
            f"datasets.{in_dist}.missing: {in_dist} is an in-distribution set and cannot be "
            "skipped; set it to stop"
        )
    check_sets(datasets, in_dist, experiment.outliers, "train", f"{place}.outliers")
    check_scores(experiment, config.models, place)
    for key in TEST_SETS:
        check_sets(datasets, in_dist, experiment.sets_of(key), "test", f"{place}.{key}")
    listed = [name for key in TEST_SETS for name in experiment.sets_of(key)]
    if twice := [name for name in listed if listed.count(name) > 1]:
        raise OecalError(
            f"{place}: {twice[0]} is listed twice under {', '.join(TEST_SETS)}; keep one"
        )
    check_inputs(experiment, place)
    for model, trainings in experiment.models.items():
        if model not in config.models:
            raise OecalError(f"{place}.models: {explain_unknown(model, config.models)}")
        check_model(in_dist, model, trainings, config, datasets)
    if not any(experiment.sets_of(key) for key in OOD):
        raise OecalError(
            f"{place}: has no OOD set; name at least one data set under {', '.join(OOD)}"
        )


def check_sets(
    datasets: Mapping[str, Dataset], in_dist: str, listed: Sequence[str], split: str, place: str
) -> None:
    """Data sets that an experiment names: they exist, differ from its own, have the split."""
    for n, other in enumerate(listed):
        if other not in datasets:
            raise OecalError(f"{place}[{n}]: {explain_unknown(other, datasets)}")
        if other == in_dist:
            raise OecalError(
                f"{place}[{n}]: {other} is the in-distribution set itself; name another data set"
            )
        if split not in datasets[other].splits:
            raise OecalError(
                f"{place}[{n}]: {other} has no split '{split}', which is needed here; add it, or "
                "name another data set"
            )


def check_scores(experiment: Experiment, models: Mapping[str, Model], place: str) -> None:
    """An experiment may only ask for scores that one of its models has."""
    known = {s for name in experiment.models if name in models for s in models[name].scores}
    for n, name in enumerate(experiment.scores):
        if name not in known:
            raise OecalError(f"{place}.scores[{n}]: {explain_unknown(name, known)}")


def check_inputs(experiment: Experiment, place: str) -> None:
    """Paths, attacks and corruptions that there are."""
    fades = read_constant("data", "image_paths", "FADES")
    ends = [name for key in OOD for name in experiment.sets_of(key)]
    if both := sorted({*fades} & {*ends} & {*experiment.paths}):
        raise OecalError(
            f"{place}.paths: {both[0]} is the name of both a way to fade an image and a data set; "
            "rename the data set"
        )
    for n, end in enumerate(experiment.paths):
        if end not in (*fades, *ends):
            raise OecalError(f"{place}.paths[{n}]: {explain_unknown(end, [*fades, *ends])}")
    named = {
        "attacks": (experiment.attacks, read_constant("predict", "adversarial", "ATTACKS")),
        "corruptions": (experiment.corruptions, list_corruptions()),
    }
    for key, (asked, known) in named.items():
        for name in asked:
            if name not in known:
                raise OecalError(f"{place}.{key}: {explain_unknown(name, known)}")


def check_model(
    in_dist: str,
    model: str,
    trainings: Sequence[str],
    config: Configuration,
    datasets: Mapping[str, Dataset],
) -> None:
    """The trainings of a model in an experiment: there, and with outliers where they need them."""
    entry, experiment = config.models[model], config.experiments[in_dist]
    place = f"experiments.{in_dist}"
    for n, training in enumerate(trainings):
        if training not in entry.trainings:
            raise OecalError(
                f"{place}.models.{model}[{n}]: {explain_unknown(training, entry.trainings)}"
            )
        own, objective = entry.trainings[training].outliers, entry.trainings[training].objective
        check_sets(datasets, in_dist, own, "train", f"models.{model}.trainings.{training}.outliers")
        needs_outliers = read_constant("training", objective, "OUTLIERS")
        if needs_outliers and not (own or experiment.outliers):
            raise OecalError(
                f"{place}.outliers: {training} of {model} needs auxiliary outliers; "
                "name at least one data set"
            )
    only = experiment.scores
    if only and not any_common_to_all(s for s in entry.scores if s in only):
        raise OecalError(
            f"{place}.scores: at least one score must exist for every seed and training of "
            f"{model}; add one"
        )
    check_background(
        entry, {name: entry.trainings[name] for name in trainings}, f"{place}.models.{model}"
    )
