"""What each script of the workflow leaves, run in this process: a whole small study."""

import json
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from oecal.core.codegraph import ROOT
from oecal.core.errors import OecalError
from oecal.metrics.peer_conventions import CONVENTIONS
from oecal.study.figure_inputs import list_subjects
from tests.scripts.run_script import run_script
from tests.scripts.tiny_figures import draw_figure, plan_figures
from tests.scripts.tiny_study import TABLES, build_study, load_tiny_study


@pytest.fixture(scope="module")
def study():
    return load_tiny_study()


@pytest.fixture(scope="module")
def built(tmp_path_factory, study):
    """A folder with everything that the tiny study makes, built by the scripts alone."""
    folder = tmp_path_factory.mktemp("study")
    build_study(folder, study)
    return folder


def test_image_stores(built, study):
    for name in study.datasets:
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
    scores = {
        (run.training, run.seed): set(study.scores(run))
        for run in study.runs()
        if run.model == "pixelcnn"
    }
    assert "waic" in scores["baseline", 0]
    assert "waic" not in scores["baseline", 1]  # it is one score of all seeds, not one of each
    assert "likelihood_ratio" in scores["oe_tune", 1]
    assert "likelihood_ratio" not in scores["background", 0]


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
    tables = {name: pd.read_csv(built / f"tables/detection_{name}.csv") for name in CONVENTIONS}
    assert {len(table) for table in tables.values()} == {
        len(pd.read_csv(built / "tables/detection.csv"))
    }
    assert len({tuple(table.columns) for table in tables.values()}) > 1


def test_figures_and_report(built, study):
    plans = plan_figures(study)
    for plan in plans:
        name = f"{plan.name}{plan.suffix}"
        once, twice = built / "figures" / name, built / "again" / name
        draw_figure(built, plan, once)
        draw_figure(built, plan, twice)
        for kind, magic in ((".pdf", b"%PDF"), (".png", b"\x89PNG")):
            content = Path(f"{once}{kind}").read_bytes()
            assert content.startswith(magic)
            assert content == Path(f"{twice}{kind}").read_bytes(), (
                f"{name}{kind} is not the same twice"
            )
    inputs = {
        "tables": [str(p) for p in [*(built / "tables").glob("*.csv"), built / "costs/costs.csv"]],
        "figures": [str(p) for p in (built / "figures").glob("*.png")],
    }
    order = [(name, list(list_subjects(study, name).items())) for name in study.config.figures]
    params = {"study": {"name": "tiny", "figures": order, "configfiles": [], "sources": {}}}
    run_script(
        "page", built, {}, input=inputs, output={"file": str(built / "report.html")}, params=params
    )
    html = (built / "report.html").read_text()
    assert html.count("<figure") == len(plans)
    assert html.count("data:image/png;base64,") == len(plans)
    assert "://" not in html
    assert html.count("Seen here:") >= 6
    assert "This study cannot say" not in html
    folders = {kind: str(built / "typeset" / kind) for kind in ("tex", "md")}
    run_script("typeset", built, {}, input={"tables": inputs["tables"]}, output=folders)
    assert r"\toprule" in (built / "typeset/tex/calibration_ece.tex").read_text()
    assert "| --- |" in (built / "typeset/md/detection_auroc.md").read_text()
    assert "Data sets" in html
    assert "Detection with and without overlap" in html
    assert "Data sets left out" not in html


def test_a_missing_split_is_one_line(built, study, tmp_path):
    """Auxiliary outliers need a train split; noise has none."""
    run = study.runs()[1]
    data = {n: str(built / "data" / f"{n}.h5") for n in study.datasets}
    inputs = {"code": [], "in_dist": data[run.in_dist], "outliers": [data["tiny_uniform"]]}
    output = {
        "weights": str(tmp_path / "model.safetensors"),
        "history": str(tmp_path / "history.csv"),
    }
    wildcards = {"in_dist": run.in_dist, "model": run.model, "training": run.training, "seed": "0"}
    config = {"compute": study.config.compute.model_dump(), "may_be_missing": []}
    with pytest.raises(OecalError, match="tiny_uniform.h5: has no split 'train', only: test"):
        run_script(
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
