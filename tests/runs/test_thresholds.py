"""Thresholds of a run: from validation images and auxiliary outliers alone, as JSON."""

import json

import h5py
import numpy as np
import pytest
from scipy.stats import binom

from oecal.metrics.guarantees import select_rejection_threshold
from oecal.runs.run_files import largest_pool
from oecal.runs.thresholds import pool_at_rate, read_guarantee, select_threshold, write_thresholds
from oecal.tables.promises import measure_errors
from tests.run_files import written

PROMISES = {
    "reject_5": {"reject": 0.05},
    "error_20": {"error": 0.2, "ood_rate": 0.1, "confidence": 0.9},
    "error_id": {"error": 0.2},
}
PLACES = {
    "a/val": ("id", 300),
    "a/test": ("id", 400),
    "letters/train": ("outlier", 90),
    "noise/test": ("far", 200),
}


def files(folder, rng, kind="classifier", outliers=True):
    """Outputs and scores of a run: `msp` is of all images, `odin` of 20, `blind` knows nothing.

    One answer in ten is wrong.
    """
    roles = {place: role for place, (role, _) in PLACES.items() if outliers or role != "outlier"}
    outputs, scores = {}, {}
    for place, role in roles.items():
        n = PLACES[place][1]
        labels = rng.integers(3, size=n)
        answers = np.where(rng.uniform(size=n) < 0.1, (labels + 1) % 3, labels)
        outputs[place] = (
            {"logits": np.eye(3)[answers], "labels": labels}
            if kind == "classifier"
            else {"log_likelihood": np.zeros(n)}
        )
        score = rng.normal(size=n) + 2.0 * (answers != labels) + 3.0 * (role not in ("id",))
        scores[place] = {"msp": score, "blind": rng.normal(size=n), "odin": rng.normal(size=20)}
    both = [
        {place: (role, arrays[place]) for place, role in roles.items()}
        for arrays in (outputs, scores)
    ]
    return written(folder / "outputs.h5", both[0], kind), written(
        folder / "scores.h5", both[1], kind
    )


def result(folder, *args, **kwargs):
    outputs, scores = files(folder, *args, **kwargs)
    write_thresholds(scores, outputs, PROMISES, str(folder / "thresholds" / "run.json"))
    return json.loads((folder / "thresholds" / "run.json").read_text())


def test_a_run_of_a_classifier(tmp_path, rng):
    found = result(tmp_path, rng)
    assert found["run"] == {"in_dist": "a", "model": "m", "training": "t", "seed": 0}
    assert list(found["promises"]) == list(PROMISES)
    reject, error = found["promises"]["reject_5"], found["promises"]["error_20"]
    assert {key: error[key] for key in error if key != "scores"} == {
        "kind": "error",
        "level": 0.2,
        "confidence": 0.9,
        "ood_rate": 0.1,
    }
    assert list(reject["scores"]) == list(error["scores"]) == ["blind", "msp"]
    with h5py.File(tmp_path / "scores.h5") as file:
        expected = select_rejection_threshold(file["a/val/msp"][:], 0.05)
    assert reject["scores"]["msp"] == {
        "threshold": expected.threshold,
        "n": 300,
        "bound": expected.bound,
    }
    assert error["scores"]["msp"]["n"] == 333
    assert error["scores"]["msp"]["bound"] <= 0.2
    assert found["promises"]["error_id"]["scores"]["msp"]["n"] == 300


def test_no_test_image_has_a_part_in_it(tmp_path, rng):
    before = result(tmp_path, rng)
    for name in ("outputs", "scores"):
        with h5py.File(tmp_path / f"{name}.h5", "r+") as file:
            for place in ("a/test", "noise/test"):
                for values in file[place].values():
                    values[:] = 0
    write_thresholds(
        str(tmp_path / "scores.h5"),
        str(tmp_path / "outputs.h5"),
        PROMISES,
        str(tmp_path / "after.json"),
    )
    assert json.loads((tmp_path / "after.json").read_text()) == before


def test_what_cannot_be_promised_is_left_out(tmp_path, rng):
    assert list(result(tmp_path, rng, outliers=False)["promises"]) == ["reject_5", "error_id"]
    assert list(result(tmp_path, rng, kind="density", outliers=False)["promises"]) == ["reject_5"]


def test_a_promise_that_none_can_keep_has_null(tmp_path, rng):
    outputs, scores = files(tmp_path, rng)
    write_thresholds(scores, outputs, {"never": {"error": 0.001}}, str(tmp_path / "x.json"))
    never = json.loads((tmp_path / "x.json").read_text())["promises"]["never"]
    assert never["scores"]["msp"] == {"threshold": None, "n": 300, "bound": None}


@pytest.mark.parametrize(
    ("sizes", "rate", "expected"),
    [
        ((400, 1000, 0.05), 0.05, (400, 21)),
        ((400, 1000, 0.0), 0.0, (400, 0)),
        ((900, 100, 0.5), 0.5, (100, 100)),
    ],
)
def test_shares_of_a_pool(sizes, rate, expected):
    assert largest_pool(*sizes[:2], rate) == expected


def test_pool_counts_outliers_as_errors(rng):
    scores, errors = pool_at_rate(np.arange(90.0), np.zeros(90, bool), 100 + np.arange(40.0), 0.25)
    assert (len(scores), errors.sum()) == (120, 30)
    np.testing.assert_array_equal(errors == 1, scores >= 100)
    again, _ = pool_at_rate(np.arange(90.0), np.zeros(90, bool), 100 + np.arange(40.0), 0.25)
    np.testing.assert_array_equal(scores, again)


def test_promises_are_kept_over_resamplings(rng):
    """Validation, outlier and test images drawn 300 times from one world with 5% OOD images.

    Answers are wrong the more often the higher the score. The realised rates on a large test sample
    exceed the promise no more often than 5% and chance.
    """
    repeats, broken, thresholds = 300, {"reject": 0, "error": 0}, []
    allowed = int(binom.ppf(0.999, repeats, 0.05))
    reject, error = (
        read_guarantee({"reject": 0.05}),
        read_guarantee({"error": 0.05, "ood_rate": 0.05}),
    )

    def images(n, ood=0):
        score = rng.normal(size=n)
        return (
            score,
            rng.uniform(size=n) < 0.2 / (1 + np.exp(-3 * score)),
            rng.normal(1.5, size=ood),
        )

    large, mistakes, others = images(100_000, 100_000)
    for _ in range(repeats):
        inside, wrong, outside = images(600, 200)
        broken["reject"] += (
            large > select_threshold(reject, inside, wrong, outside).threshold
        ).mean() > 0.05
        limit = select_threshold(error, inside, wrong, outside).threshold
        thresholds.append(np.nan if limit is None else limit)
        if limit is not None:
            broken["error"] += (
                measure_errors(large <= limit, mistakes, [others <= limit], 0.05)["realised"] > 0.05
            )
    assert max(broken.values()) <= allowed
    assert np.isnan(thresholds).mean() < 0.45
    assert (large <= np.nanmedian(thresholds)).mean() > 0.3
