"""Every mistake in a configuration ends in one line that says where and what to write instead."""

import copy
from pathlib import Path

import pytest
import yaml

from oecal.core.errors import OecalError
from oecal.study.figure_plan import list_fitting_runs
from oecal.study.loading import load, merge, read
from oecal.study.study import RECIPE, RunKey

ROOT = Path(__file__).parent.parent
STUDIES = [(path,) for path in [ROOT / "config.yaml", *sorted((ROOT / "studies").glob("*.yaml"))]]
SMALL = [
    (ROOT / "studies" / path.name, path) for path in sorted((ROOT / "studies/small").glob("*.yaml"))
]
DEMO = yaml.safe_load((ROOT / "config.yaml").read_text())


@pytest.mark.parametrize(
    "paths", STUDIES + SMALL, ids=lambda paths: "+".join(p.stem for p in paths)
)
def test_every_study_in_the_repository_is_right(paths):
    study = read(*paths)
    assert study.runs()
    assert len(set(study.runs())) == len(study.runs())


def put(*path_and_value):
    *path, key, value = path_and_value

    def change(content):
        for step in path:
            content = content[step]
        content[key] = value

    return change


def drop(*path):
    def change(content):
        for step in path[:-1]:
            content = content[step]
        del content[path[-1]]

    return change


WRN, TRAININGS, DIGITS = (
    ("models", "wrn"),
    ("models", "wrn", "trainings"),
    ("experiments", "digits"),
)
MISTAKES = [
    (put("seeds", ["a"]), "seeds[0]: found 'a'; expected an integer (a seed)"),
    (put("seeds", []), "seeds: is empty; it needs at least one entry"),
    (put("seeds", [1, 1]), "seeds: lists 1 twice"),
    (put("seeds", [-1]), "seeds[0]: found -1; expected at least 0"),
    (put("seed", [1]), "(top level): unknown name 'seed'; did you mean 'seeds'?"),
    (put("study", "a/b"), "study: found 'a/b'; expected lower-case letters"),
    (drop("study"), "(top level): the key 'study' is missing (name of the study"),
    (
        put("compute", {"device": "gpu"}),
        "compute.device: found 'gpu'; expected auto (CUDA if there is one), cpu, cuda or cuda:N",
    ),
    (
        put("compute", {"precision": "half"}),
        "compute.precision: found 'half'; expected auto, float32 or bfloat16",
    ),
    (put("measures", {"ood_ratio": 0}), "measures.ood_ratio: found 0; expected more than 0"),
    (put("measures", {"target_risk": 2}), "measures.target_risk: found 2; expected at most 1"),
    (
        put(*DIGITS, "scores", ["mps"]),
        "experiments.digits.scores[0]: unknown name 'mps'; did you mean 'msp'?",
    ),
    (
        put(*DIGITS, "scores", ["ensemble_msp"]),
        "experiments.digits.scores: every seed and every training of wrn must have at least one",
    ),
    (
        put(*DIGITS, "attacks", {"fgms": [4]}),
        "experiments.digits.attacks: unknown name 'fgms'; did you mean 'fgsm'?",
    ),
    (
        put(*DIGITS, "attacks", {"pgd": [0]}),
        "experiments.digits.attacks.pgd[0]: found 0; expected at least 1",
    ),
    (
        put("models", "vae", "trainings", "baseline", "label_noise", 0.1),
        "vae.trainings.baseline.label_noise: a density model has no label",
    ),
    (put(*DIGITS, "paths", ["digits"]), "experiments.digits.paths[0]: unknown name 'digits'"),
    (
        put(*DIGITS, "paths", ["blurr"]),
        "experiments.digits.paths[0]: unknown name 'blurr'; did you mean 'blur'?",
    ),
    (
        put("measures", {"drift_onset": 2000}),
        "measures.drift_onset: found 2000, but a stream has only 2000 images",
    ),
    (
        put("screen", {"a": {"images": "x", "run": "digits/wrn/baseline/seed9"}}),
        "screen.a.run: unknown name 'digits/wrn/baseline/seed9'",
    ),
    (
        put("screen", {"a": {"images": "x", "run": "digits/wrn/baseline/seed0", "promise": "no"}}),
        "screen.a.promise: unknown name 'no'",
    ),
    (
        put("screen", {"a": {"images": "-x", "run": "digits/wrn/baseline/seed0"}}),
        "screen.a.images: found '-x'; expected folder or file",
    ),
    (
        put("measures", {"post_hoc": ["temprature"]}),
        "measures.post_hoc[0]: unknown name 'temprature'; did you mean 'temperature'?",
    ),
    (
        put("measures", {"metrics": ["ece"]}),
        "measures.metrics[0]: unknown name 'ece'. Known names: correctness_brier",
    ),
    (
        put("promises", {"a": {"confidence": 0.9}}),
        "promises.a: promises neither reject nor error; give one",
    ),
    (
        put("promises", {"a": {"reject": 0.1, "error": 0.1}}),
        "promises.a: promises both reject and error; give one",
    ),
    (
        put("promises", {"a": {"reject": 0.1, "ood_rate": 0.1}}),
        "promises.a.ood_rate: goes with error only; remove it",
    ),
    (put("promises", {"a": {"reject": 1}}), "promises.a.reject: found 1; expected less than 1"),
    (put("models", None), "models: found None; expected a mapping"),
    (
        put("datasets", "digits", "digits"),
        "datasets.digits: found 'digits'; expected a mapping",
    ),
    (put("datasets", "x", {"source": "nope"}), "datasets.x.source: unknown name 'nope'"),
    (
        put("datasets", "X y", {"source": "digits"}),
        "datasets: found 'X y'; expected lower-case letters",
    ),
    (
        put("datasets", "x", {"source": "dtd"}),
        "datasets.x: the images of dtd differ in size; add, for example, format: {size: 32",
    ),
    (
        put("datasets", "x", {"source": "mnsit"}),
        "datasets.x.source: unknown name 'mnsit'; did you mean 'mnist'?",
    ),
    (
        put("datasets", "x", {"source": "mnist", "splits": ["tset"]}),
        "datasets.x.splits: expected a list of one of train, val, test, found ['tset']",
    ),
    (
        put("datasets", "x", {"source": "mnist", "val_share": 0.7}),
        "datasets.x: val_share is 0.7; expected 0 to 0.5",
    ),
    (
        put("datasets", "x", {"source": "published", "name": "mnsit"}),
        "datasets.x.name: unknown name 'mnsit'",
    ),
    (
        put("datasets", "x", {"source": "mnist", "name": "kmnist"}),
        "datasets.x.name: the source mnist already says which set it is",
    ),
    (
        put("datasets", "x", {"source": "mnist", "classes": ["elf"]}),
        "datasets.x.classes: unknown name 'elf'. Known names: 0 - zero",
    ),
    (
        put("datasets", "x", {"source": "mnist", "drop_classes": [10]}),
        "datasets.x.drop_classes: the set has no class 10; its classes are numbered",
    ),
    (
        put(
            "datasets",
            "x",
            {"source": "dtd", "splits": ["test"], "at_most": {"train": 5}, "format": {"size": 32}},
        ),
        "x.at_most: the",
    ),
    (
        put("datasets", "x", {"source": "places365", "splits": ["train"]}),
        "datasets.x.splits: places365 has no split 'train'; it has",
    ),
    (
        put("datasets", "x", {"source": "mnist", "val_share": 0, "splits": ["val"]}),
        "datasets.x.splits: mnist has no split 'val'; it has",
    ),
    (
        put("datasets", "x", {"source": "mnist", "at_most": {"train": 5.0}}),
        "datasets.x.at_most.train: found 5.0; expected an integer",
    ),
    (
        put("datasets", "faces", {"source": "mnist", "splits": ["train"]}),
        "digits.far[2]: faces has no split 'test', which is needed here",
    ),
    (
        put("datasets", "letters_a_m", {"source": "mnist", "splits": ["test"]}),
        "outliers[0]: letters_a_m has no split 'train', which is",
    ),
    (
        put(*DIGITS, "outliers", ["gaussian"]),
        "experiments.digits.outliers[0]: gaussian has no split 'train', which is needed here",
    ),
    (
        put("datasets", "x", {"source": "folder"}),
        "datasets.x: the key 'path' is missing (text)",
    ),
    (
        put("datasets", "x", {"source": "mnist", "format": {"size": 2}}),
        "datasets.x.format.size: found 2; expected at least 4",
    ),
    (
        put("datasets", "x", {"source": "mnist", "format": {"size": 28, "fit": "cut"}}),
        "format.fit: found 'cut'; expected stretch",
    ),
    (
        put("datasets", "x", {"source": "mnist", "at_most": {"tests": 3}}),
        "datasets.x.at_most: unknown name 'tests'; did you mean 'test'?",
    ),
    (
        put("datasets", "x", {"source": "mnist", "missing": "ignore"}),
        "datasets.x.missing: found 'ignore'; expected stop or skip",
    ),
    (
        put("datasets", "x", {"source": "mnist", "classes": [1.5]}),
        "datasets.x.classes[0]: expected the number or name of a class, found 1.5",
    ),
    (
        put("datasets", "x", {"source": "mnist", "drop_overlap_with": ["cifar"]}),
        "datasets.x.drop_overlap_with: unknown name 'cifar'; did",
    ),
    (
        put("datasets", "x", {"source": "mnist", "drop_overlap_with": ["cifar10"]}),
        "no list of classes of mnist that overlap with cifar10",
    ),
    (
        put("datasets", "x", {"source": "mnist", "drop_duplicates_of": ["digit"]}),
        "datasets.x.drop_duplicates_of: unknown name 'digit'",
    ),
    (
        put("datasets", "photos", "drop_duplicates_of", ["photos_jigsaw"]),
        "drop_duplicates_of: leads in a circle",
    ),
    (
        put("datasets", "digits", "missing", "skip"),
        "datasets.digits.missing: digits is an in-distribution set, which no study can do without",
    ),
    (
        put(*DIGITS, "fit", "cut"),
        "experiments.digits.fit: found 'cut'; expected stretch, crop or pad",
    ),
    (
        put("experiments", {"digits": {"models": {"wrn": []}, "far": ["faces"]}}),
        "experiments: no model is left; give at least one",
    ),
    (
        put("datasets", "gaussian", "kind", "gausian"),
        "datasets.gaussian.kind: expected one of gaussian, uniform",
    ),
    (
        drop("datasets", "gaussian", "of"),
        "datasets.gaussian: the key 'of' is missing (text)",
    ),
    (
        put("datasets", "gaussian", "of", "digit"),
        "datasets.gaussian.of: unknown name 'digit'; did you mean 'digits'?",
    ),
    (
        put("datasets", "gaussian", "of", "gaussian"),
        "datasets.gaussian.of: leads in a circle, gaussian -> gaussian",
    ),
    (put("datasets", "photos", "size", 2), "datasets.photos: size is 2; expected 4 to 64"),
    (
        put("datasets", "photos", "sise", 28),
        "datasets.photos: unknown name 'sise'; did you mean 'size'?",
    ),
    (
        put("datasets", "photos", "channels", 2),
        "datasets.photos.channels: expected one of 1, 3, found 2",
    ),
    (
        put("datasets", "photos", "shrink", True),
        "datasets.photos.shrink: expected a number, found True",
    ),
    (
        put(*WRN, "scores", ["log_likelihood"]),
        "models.wrn.scores[0]: log_likelihood needs log_likelihood, which wrn does not give; it has",
    ),
    (
        put("models", "pixelcnn", "scores", ["last_scale"]),
        "pixelcnn.scores[0]: last_scale needs last_scale, which pixelcnn does not",
    ),
    (
        put("models", "pixelcnn", "scores", ["typicality_1"]),
        "models.pixelcnn.scores[0]: unknown name 'typicality_1'; did you mean 'typ",
    ),
    (
        put("seeds", [3]),
        "models.wrn.scores[32]: ensemble_msp is one score of all seeds, so it needs two or more; add seeds",
    ),
    (
        put("experiments", "photos", "models", "pixelcnn", ["baseline"]),
        "photos.models.pixelcnn: likelihood_ratio compares with a training",
    ),
    (
        put("models", "vae", "scores", ["waic"]),
        "models.vae.scores: every seed and every training must have at least one of them",
    ),
    (
        put("models", "vae", "scores", ["kl"]),
        "vae.scores: the figure oe_density_gain shows log_likelihood, which is missing",
    ),
    (
        put("experiments", "photos", "models", "pixelcnn", ["background"]),
        "found background; there must be one training whose objective is",
    ),
    (
        put("models", "vae", "trainings", "baseline", "outliers", ["letters_a_m"]),
        "the objective baseline uses no outliers; remove this key",
    ),
    (
        put("models", "pixelcnn", "trainings", "oe_noise", "outliers", ["blobs"]),
        "oe_noise.outliers[0]: blobs has no split 'train', which",
    ),
    (
        put("models", "pixelcnn", "trainings", "oe_noise", "outliers", ["photos"]),
        "outliers[0]: photos is the in-distribution set itself",
    ),
    (
        put(*WRN, "options", "dropout", 0.0),
        "wrn.options.dropout: dropout_entropy needs a model with dropout; set it above 0",
    ),
    (
        put(*WRN, "scores", ["background_class"]),
        "wrn.scores[0]: background_class needs a training whose objective is background_class",
    ),
    (
        put(
            *TRAININGS,
            "logit_norm",
            {"objective": "background_class", "init": "baseline", "epochs": 1, "lr": 0.1},
        ),
        "number of outputs",
    ),
    (
        put(*WRN, "swag", "steps", 5),
        "models.wrn.swag.steps: 5 steps cannot give 6 snapshots",
    ),
    (put(*WRN, "swag", "samples", 1), "models.wrn.swag.samples: found 1; expected at least 2"),
    (
        put(*WRN, "scores", ["ensemble_msp", "ensemble_entropy"]),
        "models.wrn.scores: every seed and every training must have at least one",
    ),
    (put(*WRN, "scores", ["mps"]), "models.wrn.scores[0]: unknown name 'mps'; did you mean 'msp'?"),
    (
        put(*WRN, "architecture", "wnr"),
        "models.wrn.architecture: unknown name 'wnr'; did you mean 'wrn'?",
    ),
    (put("models", "resnet", DEMO["models"]["wrn"]), "models.resnet: unknown name 'resnet'"),
    (put(*WRN, "options", "depth", 11), "models.wrn.options: depth is 11; expected 6n + 4"),
    (
        put(*WRN, "options", "dept", 10),
        "models.wrn.options: unknown name 'dept'; did you mean 'depth'?",
    ),
    (
        put(*WRN, "options", "depth", "x"),
        "models.wrn.options.depth: expected an integer, found 'x'",
    ),
    (
        put(*TRAININGS, "baseline", "epochs", 0),
        "models.wrn.trainings.baseline.epochs: found 0; expected at least 1",
    ),
    (
        put(*TRAININGS, "baseline", "epoch", 3),
        "models.wrn.trainings.baseline: unknown name 'epoch'; did you mean 'epochs'?",
    ),
    (
        put(*TRAININGS, "baseline", "processes", 3),
        "baseline.batch_size: 3 processes cannot share 32 images equally; use a",
    ),
    (
        put(*TRAININGS, "baseline", "momentum", 1),
        "models.wrn.trainings.baseline.momentum: found 1; expected less than 1",
    ),
    (
        put(*TRAININGS, "baseline", "objective", "margin"),
        "baseline.objective: margin does not train a classifier model such as wrn; these do",
    ),
    (
        put(*TRAININGS, "baseline", "objective", "oo"),
        "models.wrn.trainings.baseline.objective: unknown name 'oo'",
    ),
    (
        put(*TRAININGS, "baseline", "init", "oe_tune"),
        "baseline.init: leads in a circle, baseline -> oe_tune -> baseline",
    ),
    (
        put(*TRAININGS, "oe_tune", "init", "base"),
        "models.wrn.trainings.oe_tune.init: unknown name 'base'; did you mean 'baseline'?",
    ),
    (
        put(*TRAININGS, "oe_tune", "options", {"weight": -1}),
        "models.wrn.trainings.oe_tune.options: weight is -1; expected 0 or more",
    ),
    (
        drop(*TRAININGS, "baseline", "lr"),
        "models.wrn.trainings.baseline: the key 'lr' is missing (learning rate",
    ),
    (
        put(*DIGITS, "near", ["leters_n_z"]),
        "experiments.digits.near[0]: unknown name 'leters_n_z'; did you mean 'letters_n_z'?",
    ),
    (
        put(*DIGITS, "near", ["digits"]),
        "experiments.digits.near[0]: digits is the in-distribution set itself",
    ),
    (
        put(*DIGITS, "near", ["faces"]),
        "experiments.digits: faces stands in two of near, far, synthetic, shifts",
    ),
    (
        put(*DIGITS, "outliers", []),
        "experiments.digits.outliers: oe_scratch of wrn needs auxiliary outliers",
    ),
    (
        put(*DIGITS, "models", {"wnr": ["baseline"]}),
        "experiments.digits.models: unknown name 'wnr'",
    ),
    (
        put(*DIGITS, "models", {"wrn": ["base"]}),
        "experiments.digits.models.wrn[0]: unknown name 'base'",
    ),
    (
        put(*DIGITS, "corruptions", {"mist": [1]}),
        "experiments.digits.corruptions: unknown name 'mist'",
    ),
    (
        put(*DIGITS, "corruptions", {"contrast": [7]}),
        "experiments.digits.corruptions.contrast[0]: found 7; expected at most 5 (severity)",
    ),
    (
        put("experiments", "dogs", {"models": {"wrn": ["baseline"]}}),
        "experiments.dogs: unknown name 'dogs'",
    ),
    (
        put("experiments", "photos", {"models": {"vae": ["baseline"]}}),
        "experiments.photos: has no OOD set",
    ),
    (
        drop("experiments", "photos"),
        "figures[0]: likelihood_histograms shows density models, and no experiment has one",
    ),
    (
        put("models", "wrn", "figures", ["rocs"]),
        "models.wrn.figures[0]: unknown name 'rocs'; did you mean 'roc'?",
    ),
    (
        put("models", "wrn_size", "figures", ["roc"]),
        "training_size is drawn only of models that ask for it, and none does",
    ),
    (
        put("models", "vae", "seeds", 4),
        "models.vae.seeds: found 4, but the study has only 3",
    ),
    (put("models", "vae", "seeds", 0), "models.vae.seeds: found 0; expected at least 1"),
    (
        put("measures", {"ood_rates": [1]}),
        "measures.ood_rates[0]: found 1; expected less than 1 (a share)",
    ),
    (
        put("limits", {"a": {"b": "digits/wrn/oe_tun"}}),
        "limits.a.b: unknown name 'oe_tun'; did you mean 'oe_tune'?",
    ),
    (
        put("limits", {"a": {"b": "digits/wrn"}}),
        "limits.a.b: found 'digits/wrn'; expected in_dist/model/training",
    ),
    (
        put("limits", {"a": {0.1: "digits/wrn/oe_tune"}}),
        "limits.a: found 0.1; expected text (text: a number in quotes)",
    ),
    (put("figures", ["rocs"]), "figures[0]: unknown name 'rocs'; did you mean 'roc'?"),
]


@pytest.mark.parametrize("change, message", MISTAKES, ids=[message for _, message in MISTAKES])
def test_mistake(change, message):
    content = copy.deepcopy(DEMO)
    change(content)
    with pytest.raises(OecalError) as caught:
        load(content)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_claims_on_the_command_line():
    """`snakemake --config claims=` gives None."""
    assert load({**DEMO, "claims": None}).claims == {}


@pytest.mark.parametrize(
    "text, message",
    [("a: [", "cannot be read"), ("- 1", "must be a YAML mapping"), (None, "cannot be read")],
)
def test_a_file_that_is_no_configuration(tmp_path, text, message):
    path = tmp_path / "x.yaml"
    if text:
        path.write_text(text)
    with pytest.raises(OecalError, match=message) as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_checking_changes_nothing_and_fills_in_defaults():
    content = copy.deepcopy(DEMO)
    study = load(content)
    assert content == DEMO
    assert study.config.compute.model_dump() == {
        "device": "auto",
        "precision": "auto",
        "threads": 1,
        "channels_last": True,
    }
    assert study.training("digits", "wrn", "oe_tune")["objective"]["options"] == {"weight": 0.5}
    assert study.config.models["wrn"].architecture == "wrn"


def test_a_figure_of_treatments_needs_one():
    digits = {**DEMO["experiments"]["digits"], "models": {"wrn": ["baseline"]}}
    with pytest.raises(
        OecalError,
        match=r"figures\[0\]: oe_gain compares trainings with the first one, and no model has two; remove it",
    ):
        load({**DEMO, "experiments": {"digits": digits}, "figures": ["oe_gain"]})


def test_one_configuration_over_another():
    both = merge(
        DEMO,
        {
            "study": "small",
            "datasets": {"faces": {"size": 12}},
            "experiments": {"digits": {"models": {"wrn": []}, "far": []}},
            "figures": [
                f
                for f in DEMO["figures"]
                if f not in ("shift_calibration", "decomposition", "attacks")
            ],
            "claims": "",
        },
    )
    assert both["datasets"]["faces"] == {"source": "faces", "size": 12}
    assert both["datasets"]["digits"] == DEMO["datasets"]["digits"]
    study = load(both)
    assert study.name == "small"
    assert "digits" not in {
        run.in_dist for run in study.runs()
    }  # its only model has no training left
    assert DEMO["experiments"]["digits"]["far"] == ["photos", "textures", "faces"]


def test_a_figure_that_needs_more_than_any_experiment_has():
    with pytest.raises(
        OecalError,
        match=r"figures\[\d+\]: decomposition needs ambiguous, and no experiment has any; add some, or remove",
    ):
        load(merge(DEMO, {"experiments": {"digits": {"ambiguous": []}}}))


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


def test_a_data_set_that_is_named_like_a_way_to_fade():
    content = copy.deepcopy(DEMO)
    content["datasets"]["blur"] = {"source": "faces"}
    content["experiments"]["digits"]["far"].append("blur")
    with pytest.raises(
        OecalError,
        match="experiments.digits.paths: blur is a way to fade an image and a data set; give the data set",
    ):
        load(content)
    content["experiments"]["digits"]["paths"] = ["faces"]
    load(content)


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
