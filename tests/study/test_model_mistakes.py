"""Mistakes under `models`: each ends in one line that says where and what was expected."""

import pytest

from tests.study.mistakes import DEMO, TRAININGS, WRN, assert_refused, drop, put

MISTAKES = [
    (
        put("models", "vae", "trainings", "baseline", "label_noise", 0.1),
        "vae.trainings.baseline.label_noise: a density model has no label",
    ),
    (put("models", None), "models: found None; expected a mapping"),
    (
        put(*WRN, "scores", ["log_likelihood"]),
        "models.wrn.scores[0]: log_likelihood needs log_likelihood, which wrn does not provide",
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
        put("models", "vae", "scores", ["waic"]),
        "models.vae.scores: at least one score must exist for every seed and training",
    ),
    (
        put("models", "vae", "scores", ["kl"]),
        "vae.scores: the figure oe_density_gain shows log_likelihood, which is missing",
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
        "wrn.options.dropout: dropout_entropy needs dropout; set it above 0",
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
        "models.wrn.swag.steps: found 5; expected at least 6, one for each snapshot",
    ),
    (put(*WRN, "swag", "samples", 1), "models.wrn.swag.samples: found 1; expected at least 2"),
    (
        put(*WRN, "scores", ["ensemble_msp", "ensemble_entropy"]),
        "models.wrn.scores: at least one score must exist for every seed and training",
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
        "models.wrn.options.depth: found 'x'; expected an integer",
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
        "baseline.objective: margin does not train a classifier model such as wrn; use",
    ),
    (
        put(*TRAININGS, "baseline", "objective", "oo"),
        "models.wrn.trainings.baseline.objective: unknown name 'oo'",
    ),
    (
        put(*TRAININGS, "baseline", "init", "oe_tune"),
        "baseline.init: found a cycle, baseline -> oe_tune -> baseline",
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
        put("models", "wrn", "figures", ["rocs"]),
        "models.wrn.figures[0]: unknown name 'rocs'; did you mean 'roc'?",
    ),
    (
        put("models", "wrn_size", "figures", ["roc"]),
        "training_size is drawn only for models that list it, and none does",
    ),
    (
        put("models", "vae", "seeds", 4),
        "models.vae.seeds: found 4; expected at most 3, the seeds of the study",
    ),
    (put("models", "vae", "seeds", 0), "models.vae.seeds: found 0; expected at least 1"),
]


@pytest.mark.parametrize("change, message", MISTAKES, ids=[message for _, message in MISTAKES])
def test_mistake(change, message):
    assert_refused(change, message)
