"""What the workflow asks a study: runs, scores, sets, trainings."""

import copy

from oecal.study.figure_inputs import list_fitting_runs
from oecal.study.loading import load
from oecal.study.study import RECIPE, RunKey
from tests.study.mistakes import DEMO


def test_an_experiment_with_part_of_the_scores():
    study = load(DEMO)
    assert study.scores(RunKey("digits_0to7", "wrn", "baseline", 0)) == [
        "msp",
        "energy",
        "entropy",
        "mahalanobis",
        "knn",
        "vim",
    ]
    assert study.swag(RunKey("digits_0to7", "wrn", "baseline", 0)) is None
    assert study.prediction(RunKey("digits_0to7", "wrn", "baseline", 0))["costly"] == []
    assert len(study.scores(RunKey("digits", "wrn", "baseline", 0))) == 35


def test_pairs_with_and_without_overlap():
    content = copy.deepcopy(DEMO)
    content["datasets"]["faces_less"] = {"source": "faces", "drop_duplicates_of": ["digits"]}
    content["datasets"]["faces_small"] = {
        "source": "faces",
        "size": 12,
        "drop_duplicates_of": ["digits"],
    }
    content["experiments"]["digits"]["far"] += ["faces_less", "faces_small"]
    assert load(content).overlapping() == [
        {"in_dist": "digits", "whole": "faces", "reduced": "faces_less"}
    ]
    assert load(DEMO).overlapping() == []


def test_data_sets_of_a_study():
    content = copy.deepcopy(DEMO)
    content["datasets"]["unused"] = {"source": "faces"}
    assert set(load(content).used_datasets()) == set(DEMO["datasets"])


def test_questions():
    study = load(DEMO)
    assert len(study.runs("digits")) == 9
    assert study.runs("digits")[0].path == "digits/wrn/baseline/seed0"
    assert study.kind("pixelcnn") == "density"
    assert study.outliers("digits", "wrn", "baseline") == []
    assert study.outliers("digits", "wrn", "oe_tune") == ["letters_a_m", "photos"]
    training = study.training("digits", "wrn", "oe_tune")
    assert training["init"] == "baseline"
    assert set(training["recipe"]) == set(RECIPE)
    assert study.outliers("photos", "pixelcnn", "oe_noise") == [
        "blobs_outliers"
    ]  # its own, not the experiment's
    assert study.background("photos", "pixelcnn") == "background"
    assert study.background("photos", "vae") is None
    first, second = RunKey("photos", "vae", "oe_tune", 0), RunKey("photos", "vae", "oe_tune", 1)
    more = {
        "costly": ["regret"],
        "images": 12,
        "samples": 16,
        "alike": [],
        "train": 400,
        "passes": 0,
        "augment": {},
    }
    assert study.prediction(first) == more
    assert study.prediction(second)["samples"] == 0
    more = {
        "costly": ["dropout", "odin", "swag", "tta"],
        "images": 15,
        "samples": 0,
        "alike": [],
        "train": 1500,
    }
    assert study.prediction(RunKey("digits", "wrn", "baseline", 0)) == {
        **more,
        "passes": 5,
        "augment": {"shift": 1, "flip": False},
    }
    assert study.swag(RunKey("digits", "wrn", "baseline", 0)) == {
        "steps": 24,
        "lr": 0.01,
        "snapshots": 6,
        "samples": 3,
    }
    assert study.swag(first) is None
    assert study.prediction(RunKey("photos", "pixelcnn", "background", 0))["samples"] == 0
    assert study.alike(RunKey("photos", "pixelcnn", "oe_noise", 0)) == ["blobs"]
    assert "digits_8x8" not in {s["name"] for s in study.sets("digits", "density")}
    sets = {(s["name"], s["split"]): s["role"] for s in study.sets("digits", "classifier")}
    assert sets["digits", "train"] == sets["digits", "test"] == "id"
    assert sets["letters_n_z", "test"] == "near"
    assert sets["letters_a_m", "train"] == "outlier"
    assert ("letters_a_m", "train") not in {
        (s["name"], s["split"]) for s in study.sets("digits", "density")
    }
    assert sets["digits_8x8", "test"] == "shift"
    assert sets["gaussian_blur-3", "test"] == "corruption"
    assert study.seeds("vae") == [0, 1]
    assert {run.model for run in list_fitting_runs(study, "training_size")} == {
        "wrn_size"
    }  # it asks for it, and for no other
    assert {run.model for run in list_fitting_runs(study, "roc")} == {"wrn", "pixelcnn", "vae"}


def test_a_training_without_an_objective_has_its_own_name_for_one():
    """Also where YAML's aliases make two trainings one mapping."""
    content = copy.deepcopy(DEMO)
    trainings = content["models"]["wrn"]["trainings"]
    trainings["mixup"] = trainings["label_smoothing"] = trainings["baseline"]
    study = load(content)
    names = ("baseline", "mixup", "label_smoothing")
    assert tuple(study.objective("wrn", name) for name in names) == names
