"""The tiny study, built step by step by the scripts of the workflow alone, without Snakemake."""

from typing import NamedTuple

import yaml

from oecal.core.codegraph import ROOT, find_code_files
from oecal.study.loading import load
from oecal.study.table_inputs import (
    find_table_path,
    list_on_demand_tables,
    list_tables,
    plan_table,
)
from tests.scripts.run_script import run_script

TABLES = (
    "detection",
    "detection_intervals",
    "calibration",
    "intervals",
    "selective",
    "likelihood",
    "confidence",
    "pit",
    "decomposition",
    "paths",
    "prevalence",
    "attacks",
    "drift",
    "trainings",
    "hyperparameters",
)


def load_tiny_study():
    content = yaml.safe_load((ROOT / "studies/tiny.yaml").read_text())
    content["seeds"] = [0, 1]
    content["models"]["pixelcnn"]["scores"].append("waic")
    content["models"]["wrn"]["scores"].append("ensemble_entropy")
    return load(content)


class StudyFiles(NamedTuple):
    """Where the files of a study lie, named as the workflow's scripts read and write them."""

    folder: object
    study: object

    def store(self, name):
        return str(self.folder / "data" / f"{name}.h5")

    def outputs(self, run):
        return str(self.folder / "outputs" / f"{run.path}.h5")

    def scores(self, run):
        return str(self.folder / "scores" / f"{run.path}.h5")


def build_study(folder, study):
    """Make in `folder` everything that the study makes but figures and report."""
    files = StudyFiles(folder, study)
    build_datasets(files)
    for run in study.runs():
        train_and_predict(files, run)
    score_runs(files)
    choose_thresholds(files)
    compute_tables(files)


def build_datasets(files):
    for name, dataset in files.study.datasets.items():
        of = next(iter(dataset.made_of), None)
        code = {"code": find_code_files(["oecal.data.build_set"], {"data": []})}
        run_script(
            "dataset",
            files.folder,
            {"data_root": str(files.folder), "may_be_missing": []},
            input=code | {"of": files.store(of) if of else []},
            output={"file": files.store(name)},
            params={"recipe": dataset.to_recipe()},
            wildcards={"dataset": name},
        )


def train_and_predict(files, run):
    folder, study = files.folder, files.study
    config = {"compute": study.config.compute.model_dump(), "may_be_missing": []}
    at, training = (
        folder / "models" / run.path,
        study.training(run.in_dist, run.model, run.training),
    )
    wildcards = {
        "in_dist": run.in_dist,
        "model": run.model,
        "training": run.training,
        "seed": str(run.seed),
    }
    code = find_code_files(["oecal.training.train_run"], {"models": [], "training": []})
    init = (
        str(at.parent.parent / training["init"] / at.name / "model.safetensors")
        if training["init"]
        else []
    )
    inputs = {
        "code": code,
        "in_dist": files.store(run.in_dist),
        "outliers": [files.store(o) for o in training["outliers"]],
        "init": init,
    }
    outputs = {"weights": str(at / "model.safetensors"), "history": str(at / "history.csv")}
    run_script(
        "train",
        folder,
        config,
        input=inputs,
        output=outputs,
        params={"training": training},
        wildcards=wildcards,
    )
    swag = study.swag(run)
    if swag:
        run_script(
            "swag",
            folder,
            config,
            input=inputs | {"weights": outputs["weights"]},
            output={"file": str(at / "swag.safetensors")},
            params={"training": training, "swag": swag},
            wildcards=wildcards,
        )
    sets = {"sets": study.sets(run.in_dist, study.kind(run.model))}
    inputs = {
        "code": code,
        "weights": outputs["weights"],
        "data": [files.store(s["dataset"]) for s in sets["sets"]],
    }
    inputs["swag"] = str(at / "swag.safetensors") if swag else []
    params = {"training": training, "sets": sets, "more": study.prediction(run)}
    outputs = {
        "outputs": files.outputs(run),
        "cost": str(folder / "costs/outputs" / f"{run.path}.csv"),
    }
    run_script(
        "predict",
        folder,
        config,
        input=inputs,
        output=outputs,
        params=params,
        wildcards=wildcards,
    )


def score_runs(files):
    folder, study = files.folder, files.study
    sets = study.sets("tiny_photos", "density")
    images = {"sets": sets, "how": study.fitting("tiny_photos"), "train": 100}
    statistics = str(folder / "statistics/tiny_photos.h5")
    run_script(
        "statistics",
        folder,
        {"compute": study.config.compute.model_dump(), "may_be_missing": []},
        input={"data": [files.store(s["dataset"]) for s in sets]},
        output={"file": statistics},
        params={"images": images},
        wildcards={"in_dist": "tiny_photos"},
    )
    for run in study.runs():
        density = study.kind(run.model) == "density"
        background = study.background(run.in_dist, run.model)
        inputs = {"outputs": files.outputs(run), "statistics": statistics if density else []}
        inputs["background"] = (
            files.outputs(run._replace(training=background)) if background else []
        )
        inputs["seeds"] = [
            files.outputs(run._replace(seed=seed)) for seed in study.seeds(run.model)
        ]
        outputs = {
            "scores": files.scores(run),
            "cost": str(folder / "costs/scores" / f"{run.path}.csv"),
        }
        run_script(
            "score",
            folder,
            {"compute": study.config.compute.model_dump(), "may_be_missing": []},
            input=inputs,
            output=outputs,
            params={"scores": {"scores": study.scores(run)}},
        )


def choose_thresholds(files):
    """The thresholds of each run."""
    folder, study = files.folder, files.study
    for run in study.runs():
        run_script(
            "thresholds",
            folder,
            {},
            input={"outputs": files.outputs(run), "scores": files.scores(run)},
            output={"file": str(folder / "thresholds" / f"{run.path}.json")},
            params={"promises": {"promises": study.promises}},
        )


def compute_tables(files):
    """All tables of the study, those on demand, and one of an overlap that it does not have."""
    pairs = [{"in_dist": "tiny_digits", "whole": "tiny_letters", "reduced": "tiny_photos"}]
    results = f"results/{files.study.name}"

    def place(path):
        moved = path.replace("results/data", str(files.folder / "data"))
        return moved.replace(results, str(files.folder))

    names = {*list_tables(files.study), *list_on_demand_tables()} - {"limits"}
    for table in [*sorted(names), "limits", "overlap"]:  # the last two read other tables
        plan = plan_table(files.study, table)
        inputs = {
            name: place(path) if isinstance(path, str) else [place(one) for one in path]
            for name, path in plan.inputs.items()
        }
        run_script(
            "table",
            files.folder,
            {},
            input={"code": [], **inputs},
            output={"file": place(find_table_path(files.study, table))},
            params={
                "module": plan.module,
                "arguments": plan.arguments | ({"pairs": pairs} if table == "overlap" else {}),
            },
        )
