"""Every score that there is, found as the workflow finds it: a new score is tested here without a
word.
"""

import importlib
import warnings

import numpy as np
import pytest
from scipy.special import softmax

from oecal.scores.catalogue import BACKGROUND_LOGIT, HEAD, PASSES, list_scores

CLASSES, DIMS = 5, 12
OF_LOGITS = {"logits", "features", "labels", BACKGROUND_LOGIT} | HEAD | PASSES.keys()
CLASSIFIERS = [s for s in list_scores().values() if s.needs <= OF_LOGITS]
WEIGHT, BIAS = (
    np.random.default_rng(1).normal(size=(CLASSES, DIMS)).astype(np.float32),
    np.linspace(-1, 1, CLASSES, dtype=np.float32),
)


def images(rng, n, scale=1.0, classes=CLASSES):
    """What a classifier says of n images: features (n, D) >= 0, logits W f + b, labels, and the
    costly arrays.
    """
    features = np.maximum(rng.normal(0.3, 1, (n, DIMS)), 0).astype(np.float32)
    logits = ((features @ WEIGHT.T + BIAS) * np.float32(scale)).astype(np.float32)
    found = {"features": features, "logits": logits, "labels": rng.integers(classes, size=n)}
    found |= {
        BACKGROUND_LOGIT: rng.normal(size=n).astype(np.float32),
        "odin": rng.uniform(0.5, 0.9, (n, 6)),
    }
    for method in ("dropout", "tta", "swag"):
        p = softmax(rng.normal(size=(4, n, CLASSES)), axis=2)
        found |= {
            f"{method}_p": p.mean(axis=0),
            f"{method}_mi": rng.uniform(0, 1, n),
            f"{method}_agreement": rng.integers(1, 5, n) / 4,
        }
    return found


def call(score, own, test):
    """The score of `test`, all that it compares with from `own`."""
    arrays = test | {
        f"{split}_{name}": values for split, of in own.items() for name, values in of.items()
    }
    arrays |= {
        "seeds_logits": np.stack([test["logits"], test["logits"][:, ::-1], 0 * test["logits"]])
    }
    arrays |= {"head_weight": WEIGHT, "head_bias": BIAS}
    function = getattr(importlib.import_module(score.module), score.function)
    before = {name: arrays[name].copy() for name in score.arguments}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = np.asarray(
            function(**{name: arrays[name] for name in score.arguments}, **score.options)
        )
    assert all(np.array_equal(arrays[name], kept) for name, kept in before.items()), (
        "an input was changed"
    )
    assert values.shape == (len(test["logits"]),)
    assert np.isfinite(values).all()
    return values


def taken(test, index):
    return {name: values[index] for name, values in test.items()}


each_score = pytest.mark.parametrize("score", CLASSIFIERS, ids=lambda s: s.name)


@pytest.fixture
def own(rng):
    return {"train": images(rng, 200), "val": images(rng, 60)}


@each_score
def test_an_image_has_the_same_score_whatever_images_are_beside_it(score, own, rng):
    test = images(rng, 40)
    values = call(score, own, test)
    assert len(np.unique(values)) > 1
    index = rng.permutation(40)[:17]
    np.testing.assert_allclose(
        call(score, own, taken(test, index)), values[index], rtol=1e-5, atol=1e-6
    )
    np.testing.assert_array_equal(call(score, own, test), values)


def one_class_missing(own, rng):
    own["train"] = taken(own["train"], own["train"]["labels"] != 2)
    own["val"] = taken(own["val"], own["val"]["labels"] != 2)


def few_training_images(own, rng):
    own["train"] = taken(own["train"], slice(DIMS // 2))


def constant_features(own, rng):
    for part in own.values():
        part["features"][:, 3:] = 0.5
        part["logits"] = part["features"] @ WEIGHT.T + BIAS


def one_feature_never_active(own, rng):
    for part in own.values():
        part["features"][:, 3] = 0


@each_score
@pytest.mark.parametrize(
    "change", [one_class_missing, few_training_images, constant_features, one_feature_never_active]
)
def test_fits_on_unlucky_training_images(score, own, rng, change):
    change(own, rng)
    call(score, own, images(rng, 30))


def huge(test):
    test["logits"] = test["logits"] * np.float32(1e4)


def tied(test):
    test["logits"][:] = test["logits"][:, :1]


def saturated(test):
    test["logits"][:, 0] += 150


def silent(test):
    test["features"][:] = 0
    test["logits"] = test["features"] @ WEIGHT.T + BIAS


def large_features(test):
    test["features"] *= np.float32(1e4)
    test["logits"] = test["features"] @ WEIGHT.T + BIAS


@each_score
@pytest.mark.parametrize("change", [huge, tied, saturated, silent, large_features])
def test_finite_on_hostile_images(score, own, rng, change):
    test = images(rng, 30)
    change(test)
    call(score, own, test)


def test_every_score_of_a_classifier_is_tried():
    assert {"msp", "energy"} <= {s.name for s in CLASSIFIERS}
    assert {s.family for s in list_scores().values()} - {s.family for s in CLASSIFIERS} == {
        "density",
        "likelihood",
        "plain",
    }
