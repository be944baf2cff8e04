"""Each script of the workflow, run in this process with a stand-in for the `snakemake` object: a whole small study, step by step."""

import itertools
import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pandas as pd
import pytest
import yaml

from oecal.core.codegraph import ROOT, find_code_files
from oecal.core.components import read_constant
from oecal.core.errors import OecalError
from oecal.metrics.peer_conventions import CONVENTIONS
from oecal.study.limit_settings import settings
from oecal.study.loading import load

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


class Named(list):
    """A list whose entries also have names, like Snakemake's."""

    def __init__(self, **named):
        super().__init__(named.values())
        self._named = named

    def __getattr__(self, name):
        try:
            return self.__dict__["_named"][name]
        except KeyError:
            raise AttributeError(name) from None

    def get(self, name, default=None):
        return self._named.get(name, default)

    def items(self):
        return self._named.items()


def call(script, folder, config, *, input=None, output=None, params=None, wildcards=None):
    """Runs a script as Snakemake would."""
    fake = SimpleNamespace(
        input=Named(**(input or {})),
        output=Named(**(output or {})),
        params=Named(**(params or {})),
        wildcards=Named(**(wildcards or {})),
        log=[str(folder / "x.log")],
        config=config,
        threads=1,
    )
    runpy.run_path(
        str(ROOT / "workflow/scripts" / f"{script}.py"),
        init_globals={"snakemake": fake},
        run_name="__main__",
    )


@pytest.fixture(scope="module")
def study():
    content = yaml.safe_load((ROOT / "studies/tiny.yaml").read_text())
    content["seeds"] = [0, 1]
    content["models"]["pixelcnn"]["scores"].append("waic")
    content["models"]["wrn"]["scores"].append("ensemble_entropy")
    return load(content)


def outputs_of(folder, run):
    return str(folder / "outputs" / f"{run.path}.h5")


@pytest.fixture(scope="module")
def built(tmp_path_factory, study):
    """A folder with everything that the tiny study makes, built by the scripts alone."""
    folder = tmp_path_factory.mktemp("study")
    data = {name: str(folder / "data" / f"{name}.h5") for name in study.config["datasets"]}
    for name, recipe in study.config["datasets"].items():
        of = recipe["options"].get("of")
        code = {"code": find_code_files(["oecal.data.build_set"], {"data": []})}
        call(
            "dataset",
            folder,
            {"data_root": str(folder), "may_be_missing": []},
            input=code | {"of": data[of] if of else []},
            output={"file": data[name]},
            params={"recipe": recipe},
            wildcards={"dataset": name},
        )
    config = {"compute": study.config["compute"], "may_be_missing": []}
    for run in study.runs():
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
            "in_dist": data[run.in_dist],
            "outliers": [data[o] for o in training["outliers"]],
            "init": init,
        }
        outputs = {"weights": str(at / "model.safetensors"), "history": str(at / "history.csv")}
        call(
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
            call(
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
            "data": [data[s["dataset"]] for s in sets["sets"]],
        }
        inputs["swag"] = str(at / "swag.safetensors") if swag else []
        params = {"training": training, "sets": sets, "more": study.prediction(run)}
        outputs = {
            "outputs": outputs_of(folder, run),
            "cost": str(folder / "costs/outputs" / f"{run.path}.csv"),
        }
        call(
            "predict",
            folder,
            config,
            input=inputs,
            output=outputs,
            params=params,
            wildcards=wildcards,
        )
    sets = study.sets("tiny_photos", "density")
    images = {"sets": sets, "how": study.fitting("tiny_photos"), "train": 100}
    statistics = str(folder / "statistics/tiny_photos.h5")
    call(
        "statistics",
        folder,
        config,
        input={"data": [data[s["dataset"]] for s in sets]},
        output={"file": statistics},
        params={"images": images},
        wildcards={"in_dist": "tiny_photos"},
    )
    for run in study.runs():
        density, background = (
            study.kind(run.model) == "density",
            study.background(run.in_dist, run.model),
        )
        inputs = {"outputs": outputs_of(folder, run), "statistics": statistics if density else []}
        inputs["background"] = (
            outputs_of(folder, run._replace(training=background)) if background else []
        )
        inputs["seeds"] = [
            outputs_of(folder, run._replace(seed=seed)) for seed in study.seeds(run.model)
        ]
        outputs = {
            "scores": str(folder / "scores" / f"{run.path}.h5"),
            "cost": str(folder / "costs/scores" / f"{run.path}.csv"),
        }
        call(
            "score",
            folder,
            config,
            input=inputs,
            output=outputs,
            params={"scores": {"scores": study.scores(run)}},
        )
    runs = [run.path for run in study.runs()]
    for table in TABLES:
        inputs = {
            kind: [str(folder / kind / f"{run}.h5") for run in runs]
            for kind in ("outputs", "scores")
        }
        call(
            "table",
            folder,
            {},
            input=inputs,
            output={"file": str(folder / "tables" / f"{table}.csv")},
            params={"measures": study.config["measures"]},
            wildcards={"table": table},
        )
    for run in study.runs():
        inputs = {kind: str(folder / kind / f"{run.path}.h5") for kind in ("outputs", "scores")}
        call(
            "thresholds",
            folder,
            {},
            input=inputs,
            output={"file": str(folder / "thresholds" / f"{run.path}.json")},
            params={"promises": {"promises": study.config["promises"]}},
        )
    inputs = {
        kind: [str(folder / kind / f"{run}.h5") for run in runs] for kind in ("outputs", "scores")
    }
    inputs["thresholds"] = [str(folder / "thresholds" / f"{run}.json") for run in runs]
    call(
        "table",
        folder,
        {},
        input=inputs,
        output={"file": str(folder / "tables/promises.csv")},
        params={"measures": study.config["measures"]},
    )
    inputs.pop("thresholds")
    call(
        "table",
        folder,
        {},
        input=inputs,
        output={"file": str(folder / "tables/resampled.csv")},
        params={"measures": {"promises": study.config["promises"]}},
    )
    for convention in CONVENTIONS:
        call(
            "convention",
            folder,
            {},
            input={"scores": [str(folder / "scores" / f"{run}.h5") for run in runs]},
            output={"file": str(folder / "conventions" / f"{convention}.csv")},
            wildcards={"convention": convention},
        )
    inputs = {
        kind: [str(folder / "costs" / kind / f"{run}.csv") for run in runs]
        for kind in ("outputs", "scores")
    }
    call("costs", folder, {}, input=inputs, output={"file": str(folder / "costs/costs.csv")})
    call(
        "datasets",
        folder,
        {},
        input={"data": list(data.values())},
        output={"file": str(folder / "tables/datasets.csv")},
    )
    pairs = [{"in_dist": "tiny_digits", "whole": "tiny_letters", "reduced": "tiny_photos"}]
    call(
        "overlap",
        folder,
        {},
        input={"detection": str(folder / "tables/detection.csv")},
        output={"file": str(folder / "tables/overlap.csv")},
        params={"pairs": {"pairs": pairs}},
    )
    inputs = {
        name: str(folder / f"tables/{name}.csv")
        for name in ("detection", "calibration", "attacks", "trainings")
    }
    call(
        "limits",
        folder,
        {},
        input={"code": [], **inputs},
        output={"file": str(folder / "tables/limits.csv")},
        params={"limits": {"settings": settings(study)}},
    )
    return folder


def test_image_stores(built, study):
    for name in study.config["datasets"]:
        with h5py.File(built / "data" / f"{name}.h5") as file:
            assert set(file.attrs) == {
                "source",
                "licence",
                "sha256",
                "classes",
                "removed",
                "format",
                "missing",
            }
            assert file["test/images"].dtype == np.uint8


def test_outputs(built, study):
    for run in study.runs():
        with h5py.File(built / "outputs" / f"{run.path}.h5") as file:
            assert {
                "in_dist",
                "model",
                "training",
                "seed",
                "configuration",
                "versions",
                "code",
            } <= set(file.attrs)
            assert json.loads(file.attrs["versions"])["torch"]
            for entry in study.sets(run.in_dist, study.kind(run.model)):
                group = file[f"{entry['name']}/{entry['split']}"]
                assert group.attrs["role"] == entry["role"]
                if study.kind(run.model) == "classifier":
                    assert group["logits"].dtype == np.float32
                    assert group["logits"].shape == (len(group["labels"]), 3)
                    assert group["features"].shape == (len(group["labels"]), 64)
                else:
                    assert group["log_likelihood"].dtype == np.float64
                    assert group["log_likelihood"].attrs["dims"] == 144


def test_scores(built, study):
    for run in study.runs():
        with h5py.File(built / "scores" / f"{run.path}.h5") as file:
            assert set(file[f"{run.in_dist}/test"]) == set(study.scores(run))
            for name in study.scores(run):
                values = file[f"{run.in_dist}/test/{name}"]
                assert values.dtype == np.float64
                assert values.ndim == 1
                costly = [
                    "gradient_norms",
                    "likelihood_regret",
                    "odin",
                    "dropout_entropy",
                    "swag_entropy",
                ]
                few = {"typicality_10": 6} | dict.fromkeys(costly, 5)
                assert len(values) == few.get(name, 60 if run.in_dist == "tiny_photos" else 300)


def test_which_scores_a_run_has(study):
    found = {
        (run.training, run.seed): set(study.scores(run))
        for run in study.runs()
        if run.model == "pixelcnn"
    }
    assert "waic" in found["baseline", 0]
    assert "waic" not in found["baseline", 1]  # it is one score of all seeds, not one of each
    assert "likelihood_ratio" in found["oe_tune", 1]
    assert "likelihood_ratio" not in found["background", 0]


def test_what_else_a_density_model_leaves(built, study):
    for run in study.runs():
        with h5py.File(built / "outputs" / f"{run.path}.h5") as file:
            if study.kind(run.model) == "classifier":
                assert "probe" not in file
                continue
            assert file["probe/constant/log_likelihood"].shape == (256,)
            assert file["probe/contrast/log_likelihood"].shape == (50, 11)
            assert ("samples" in file) == (run.seed == 0 and run.training != "background")
            if "samples" in file:
                assert file["samples/images"].shape == (16, 1, 12, 12)
            assert len(file["tiny_photos/train/log_likelihood"]) == 100
            group = file["tiny_photos/test"]
            if run.model == "pixelcnn":
                assert (
                    len(group["gradient_norms"]) == len(group["gradient_norms"].attrs["index"]) == 5
                )
            assert ("regret" in group) == (run.model == "vae")
            assert ("last_scale" in group) == (run.model == "glow")


def test_waic_and_ratio_come_from_other_runs(built):
    def values(kind, training, seed, name, place="tiny_digits/test"):
        with h5py.File(built / kind / f"tiny_photos/pixelcnn/{training}/seed{seed}.h5") as file:
            return file[f"{place}/{name}"][:]

    each = np.stack([values("outputs", "oe_tune", seed, "log_likelihood") for seed in (0, 1)])
    np.testing.assert_allclose(
        values("scores", "oe_tune", 0, "waic"), each.var(axis=0, ddof=1) - each.mean(axis=0)
    )
    background = values("outputs", "background", 1, "log_likelihood")
    np.testing.assert_allclose(
        values("scores", "oe_tune", 1, "likelihood_ratio"), background - each[1]
    )


def test_trainings_table(built):
    table = pd.read_csv(built / "tables/trainings.csv").set_index(["model", "training", "seed"])
    row = table.loc["pixelcnn", "oe_tune", 1]
    assert row["options"] == "margin=1.0; reduction=pairs; unit=bits_per_dim; weight=1.0"
    assert (row["objective"], row["outliers"], row["init"], row["batch_size"]) == (
        "margin",
        "tiny_letters",
        "baseline",
        50,
    )
    assert (row["steps"], row["images"], row["outlier_images"]) == (
        4,
        200,
        64,
    )  # 200 training images, 16 outliers a step
    assert table.loc["wrn", "baseline", 0][["parameters", "outlier_images"]].tolist() == [77_107, 0]


def test_tables(built, study):
    tables = {name: pd.read_csv(built / "tables" / f"{name}.csv") for name in TABLES}
    detection = tables["detection"]
    # Seeds x trainings x sets x scores: of wrn, pixelcnn (no ratio of the background to itself),
    # vae, glow; with the first seed only, an ensemble score of wrn and waic; at last wrn_size, one
    # training, one seed, one score.
    assert len(detection) == 2 * (2 * 3 * 9 + 2 * 2 * 8 + 2 * 7 + 2 * 2 + 2 * 2) + 2 * 3 + 3 * 2 + 3
    assert set(detection["kind"]) == {"near", "far", "synthetic"}
    assert detection["auroc"].between(0, 1).all()
    calibration = tables["calibration"]
    assert set(calibration["set"]) == {"id", "pooled", "contrast-3"}
    assert set(calibration["post_hoc"]) == {"none", "temperature"}
    assert calibration[calibration["set"] == "pooled"]["nll"].isna().all()
    assert calibration[calibration["set"] != "pooled"]["nll"].notna().all()
    pooled = calibration[calibration["set"] == "pooled"]
    assert (pooled["n"] == 300 + 3 * 20).all()  # 60 OOD for 300 ID images, in equal shares
    assert set(tables["selective"]["set"]) == {"id", "pooled"}
    assert "odin" not in set(tables["selective"]["score"])  # of part of the images only
    chosen = tables["hyperparameters"]
    assert set(chosen["score"]) == {"knn", "react", "odin"}
    assert len(chosen) == 2 * 2 * 3
    likelihood = tables["likelihood"]
    assert {
        "tiny_photos",
        "tiny_photos/train",
        "tiny_photos/val",
        "tiny_digits",
        "tiny_jigsaw",
    } == set(likelihood["set"])
    assert likelihood["bpd_mean"].between(0, 20).all()


def test_conventions(built):
    tables = {name: pd.read_csv(built / f"conventions/{name}.csv") for name in CONVENTIONS}
    assert {len(table) for table in tables.values()} == {
        len(pd.read_csv(built / "tables/detection.csv"))
    }
    assert len({tuple(table.columns) for table in tables.values()}) > 1


def figure_of(built, study, figure, in_dist, model, place):
    runs = [r for r in study.runs(in_dist) if r.model == model and r.training != "background"]
    if figure in (
        "likelihood_histograms",
        "likelihood_extremes",
        "likelihood_vs_complexity",
        "samples",
        "feature_space",
    ):
        runs = [r for r in runs if r.seed == 0]
    detection, who = str(built / "tables/detection.csv"), {"in_dist": in_dist, "model": model}

    def paths(kind, name):
        return [str(built / kind / r.path) + name for r in runs]

    score = {"score": study.config["models"][model]["scores"][0]}
    frame, draw, inputs = {}, {}, {"outputs": paths("outputs", ".h5")}
    match figure:
        case "likelihood_extremes":
            frame, inputs["data"] = (
                study.fitting(in_dist),
                [str(p) for p in (built / "data").glob("*.h5")],
            )
        case "reliability":
            frame, draw = {"ood_ratio": 0.2}, {"bins": 15}
        case "roc":
            frame, inputs = score, {"scores": paths("scores", ".h5")}
        case "ood_heatmap" | "oe_gain":
            frame, inputs = (
                who | {"first": "baseline", "training": "oe_tune"},
                {"detection": detection},
            )
        case "score_rank":
            frame, inputs = who | {"trainings": ["baseline", "oe_tune"]}, {"detection": detection}
        case "shift_calibration" | "id_or_pooled":
            frame, inputs = (
                who | {"trainings": ["baseline", "oe_tune"]},
                {"calibration": str(built / "tables/calibration.csv")},
            )
        case (
            "decomposition"
            | "paths"
            | "promises"
            | "resampled"
            | "attacks"
            | "drift"
            | "prevalence"
        ):
            frame, inputs = (
                who | {"trainings": ["baseline", "oe_tune"]},
                {figure: str(built / f"tables/{figure}.csv")},
            )
        case "limits" | "limits_by_set":
            inputs = {"limits": str(built / "tables/limits.csv")}
        case "training_size":
            tables = {"calibration": "calibration", "trainings": "trainings", "data": "datasets"}
            frame, inputs = (
                who,
                {name: str(built / f"tables/{table}.csv") for name, table in tables.items()},
            )
        case "compute_cost":
            frame = who | {"trainings": ["baseline", "oe_tune"]}
            inputs = {"costs": str(built / "costs/costs.csv"), "detection": detection}
        case "likelihood_vs_complexity":
            inputs["statistics"] = str(built / "statistics/tiny_photos.h5")
        case "density_scores":
            frame, inputs = (
                who | {"trainings": ["baseline", "oe_tune"], "sources": {"tiny_digits": "mnist"}},
                {"detection": detection},
            )
        case "oe_density_gain":
            frame = who | {"shown": list(dict.fromkeys(r.training for r in runs))}
            inputs = {
                name: str(built / f"tables/{name}.csv")
                for name in ("detection", "likelihood", "trainings")
            }
        case "risk_coverage":
            frame, inputs["scores"] = {**score, "ood_ratio": 0.2}, paths("scores", ".h5")
        case "training_curves":
            inputs = {"history": paths("models", "/history.csv")}
    output = {"pdf": f"{place}.pdf", "png": f"{place}.png"}
    call(
        "figure",
        built,
        {},
        input={"code": [], **inputs},
        output=output,
        params={"figure": figure, "frame": frame, "draw": draw},
    )


def figures_of(study):
    pairs = [
        ("tiny_digits", "wrn"),
        ("tiny_digits", "wrn_size"),
        ("tiny_photos", "pixelcnn"),
        ("tiny_photos", "glow"),
    ]
    return [
        (f, *pair)
        for f, pair in itertools.product(study.config["figures"], pairs)
        if pair in {run[:2] for run in study.shown(f)}
    ]


def test_figures_and_report(built, study):
    order: dict[str, list] = {}
    for figure, in_dist, model in figures_of(study):
        suffix = "" if figure not in order else f"-{in_dist}-{model}"
        subject = {"": (in_dist, model), "study": ()}.get(
            read_constant("figures", figure, "PER", ""), (in_dist, model, "oe_tune")
        )
        order.setdefault(figure, []).append((suffix, subject))
        once, twice = (built / name / f"{figure}{suffix}" for name in ("figures", "again"))
        figure_of(built, study, figure, in_dist, model, once)
        figure_of(built, study, figure, in_dist, model, twice)
        for kind, magic in ((".pdf", b"%PDF"), (".png", b"\x89PNG")):
            content = Path(f"{once}{kind}").read_bytes()
            assert content.startswith(magic)
            assert content == Path(f"{twice}{kind}").read_bytes(), (
                f"{figure}{kind} is not the same twice"
            )
    captions = [str(ROOT / "workflow/report" / f"{name}.rst") for name in study.config["figures"]]
    inputs = {
        "tables": [str(p) for p in [*(built / "tables").glob("*.csv"), built / "costs/costs.csv"]],
        "figures": [str(p) for p in (built / "figures").glob("*.png")],
        "captions": captions,
    }
    params = {
        "study": {"name": "tiny", "figures": list(order.items()), "configfiles": [], "sources": {}}
    }
    call(
        "page", built, {}, input=inputs, output={"file": str(built / "report.html")}, params=params
    )
    html = (built / "report.html").read_text()
    assert html.count("<figure") == len(figures_of(study))
    assert html.count("data:image/png;base64,") == len(figures_of(study))
    assert "://" not in html
    assert html.count("Seen here:") >= 6
    assert "This study cannot say" not in html
    folders = {kind: str(built / "typeset" / kind) for kind in ("tex", "md")}
    call("typeset", built, {}, input={"tables": inputs["tables"]}, output=folders)
    assert r"\toprule" in (built / "typeset/tex/calibration_ece.tex").read_text()
    assert "| --- |" in (built / "typeset/md/detection_auroc.md").read_text()
    assert "Data sets" in html
    assert "Detection with and without overlap" in html
    assert "Data sets left out" not in html


def test_a_missing_split_is_one_line(built, study, tmp_path):
    """Auxiliary outliers need a train split; noise has none."""
    run = study.runs()[1]
    data = {n: str(built / "data" / f"{n}.h5") for n in study.config["datasets"]}
    inputs = {"code": [], "in_dist": data[run.in_dist], "outliers": [data["tiny_uniform"]]}
    output = {
        "weights": str(tmp_path / "model.safetensors"),
        "history": str(tmp_path / "history.csv"),
    }
    wildcards = {"in_dist": run.in_dist, "model": run.model, "training": run.training, "seed": "0"}
    config = {"compute": study.config["compute"], "may_be_missing": []}
    with pytest.raises(OecalError, match="tiny_uniform.h5: has no split 'train', only: test"):
        call(
            "train",
            tmp_path,
            config,
            input=inputs,
            output=output,
            wildcards=wildcards,
            params={"training": study.training(run.in_dist, run.model, run.training)},
        )


def test_scripts_are_thin():
    for path in (ROOT / "workflow/scripts").glob("*.py"):
        assert len(path.read_text().splitlines()) <= 40, path
