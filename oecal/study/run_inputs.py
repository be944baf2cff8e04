"""What the jobs of each run are computed from: files, for the rules' inputs, and components.

Paths are relative to the working directory. Where a run does without a file, its path is [], as
Snakemake has it.
"""

from __future__ import annotations

from collections.abc import Iterable

from oecal.scores.catalogue import find_score
from oecal.study.study import RunKey, Study

InputPath = str | list[str]
Components = dict[str, list[str]]


def list_stores(datasets: Iterable[str]) -> list[str]:
    """List the image stores of data sets, which all studies share."""
    return [f"results/data/{name}.h5" for name in datasets]


def list_results(study: Study, pattern: str, runs: Iterable[RunKey]) -> list[str]:
    """List a file for each run; `pattern` holds {run}: "outputs/{run}.h5"."""
    return [f"results/{study.name}/{pattern.format(run=run.path)}" for run in runs]


def list_outliers(study: Study, run: RunKey) -> list[str]:
    """List the image stores of the auxiliary outliers that a run trains with."""
    return list_stores(study.outliers(run.in_dist, run.model, run.training))


def list_evaluated(study: Study, in_dist: str, kind: str) -> list[str]:
    """List the image stores that models of this kind predict beside an in-distribution set."""
    return list_stores(dict.fromkeys(str(entry["dataset"]) for entry in study.sets(in_dist, kind)))


def find_initial_weights(study: Study, run: RunKey) -> InputPath:
    """Return the weights that a training starts from, if it starts from another training's."""
    if not (init := study.config.models[run.model].trainings[run.training].init):
        return []
    first = run._replace(training=init)
    return list_results(study, "models/{run}/model.safetensors", [first])[0]


def find_swag_weights(study: Study, run: RunKey) -> InputPath:
    """Return the weights that SWAG samples, if a score of the run needs them."""
    return list_results(study, "models/{run}/swag.safetensors", [run])[0] if study.swag(run) else []


def find_statistics(study: Study, run: RunKey) -> InputPath:
    """Return the statistics of the images, for the scores of a density model."""
    density = study.kind(run.model) == "density"
    return f"results/{study.name}/statistics/{run.in_dist}.h5" if density else []


def find_background(study: Study, run: RunKey) -> InputPath:
    """Return the outputs of the background training, if a score compares with them."""
    training = study.background(run.in_dist, run.model)
    if training is None or "background" not in list_prefixes(study, run):
        return []
    return list_results(study, "outputs/{run}.h5", [run._replace(training=training)])[0]


def list_seed_outputs(study: Study, run: RunKey) -> list[str]:
    """List the outputs of all seeds, if a score compares them."""
    if "seeds" not in list_prefixes(study, run):
        return []
    same = [run._replace(seed=seed) for seed in study.seeds(run.model)]
    return list_results(study, "outputs/{run}.h5", same)


def list_prefixes(study: Study, run: RunKey) -> set[str]:
    """List what else the scores of a run compare with: background, seeds."""
    return {prefix for name in study.scores(run) for prefix in find_score(name).prefixes}


def count_processes(study: Study, run: RunKey) -> int:
    """Count the processes that share a training, each on a GPU of its own."""
    return study.config.models[run.model].trainings[run.training].processes


def list_model_components(study: Study, run: RunKey) -> Components:
    """The architecture of a run."""
    return {"models": [study.config.models[run.model].architecture]}


def list_training_components(study: Study, run: RunKey) -> Components:
    """The architecture and the objective of a run."""
    return list_model_components(study, run) | {
        "training": [study.objective(run.model, run.training)]
    }


def list_score_components(study: Study, run: RunKey) -> Components:
    """The files of oecal/scores that hold the scores of a run."""
    return {"scores": sorted({find_score(name).family for name in study.scores(run)})}


def list_judge_components(study: Study, path: str) -> Components:
    """What screens images with a run; `path` is in_dist/model/training/seed0."""
    in_dist, model, training, seed = path.split("/")
    run = RunKey(in_dist, model, training, int(seed.removeprefix("seed")))
    return list_model_components(study, run) | list_score_components(study, run)
