"""Mistakes under `experiments`: each ends in one line that says where and what was expected."""

import pytest

from tests.study.mistakes import DIGITS, assert_refused, drop, put

MISTAKES = [
    (
        put(*DIGITS, "scores", ["mps"]),
        "experiments.digits.scores[0]: unknown name 'mps'; did you mean 'msp'?",
    ),
    (
        put(*DIGITS, "scores", ["ensemble_msp"]),
        "experiments.digits.scores: at least one score must exist for every seed and training of",
    ),
    (
        put(*DIGITS, "attacks", {"fgms": [4]}),
        "experiments.digits.attacks: unknown name 'fgms'; did you mean 'fgsm'?",
    ),
    (
        put(*DIGITS, "attacks", {"pgd": [0]}),
        "experiments.digits.attacks.pgd[0]: found 0; expected at least 1",
    ),
    (put(*DIGITS, "paths", ["digits"]), "experiments.digits.paths[0]: unknown name 'digits'"),
    (
        put(*DIGITS, "paths", ["blurr"]),
        "experiments.digits.paths[0]: unknown name 'blurr'; did you mean 'blur'?",
    ),
    (
        put(*DIGITS, "outliers", ["gaussian"]),
        "experiments.digits.outliers[0]: gaussian has no split 'train', which is needed here",
    ),
    (
        put(*DIGITS, "fit", "cut"),
        "experiments.digits.fit: found 'cut'; expected stretch, crop or pad",
    ),
    (
        put("experiments", {"digits": {"models": {"wrn": []}, "far": ["faces"]}}),
        "experiments: no experiment has a model to train; list at least one",
    ),
    (
        put("experiments", "photos", "models", "pixelcnn", ["baseline"]),
        "photos.models.pixelcnn: likelihood_ratio needs a training whose objective is background",
    ),
    (
        put("experiments", "photos", "models", "pixelcnn", ["background"]),
        "found background; expected one training whose objective is",
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
        "experiments.digits: faces is listed twice under near, far, synthetic, shifts",
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
        "figures[0]: likelihood_histograms shows density models, but no experiment has one",
    ),
]


@pytest.mark.parametrize("change, message", MISTAKES, ids=[message for _, message in MISTAKES])
def test_mistake(change, message):
    assert_refused(change, message)
