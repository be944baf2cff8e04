"""intervals.csv: the values of calibration.csv, and intervals paired by the images."""

import numpy as np
import pandas as pd
import pytest

from oecal.metrics.selective_metrics import selective_metrics
from oecal.runs.run_files import confidence_and_correctness, read_run, take_all
from oecal.tables import calibration, intervals
from tests.run_files import written

POOLED = {"bins": 15, "ood_ratio": 0.2}
KEYS = ["in_dist", "model", "training", "seed", "post_hoc", "set"]


SETS = {
    "a/test": ("id", 400),
    "a/val": ("id", 400),
    "b/test": ("near", 60),
    "c/test": ("far", 60),
    "d/test": ("shift", 50),
}


def groups(seed, sharpness):
    """Three classes, 400 images of each split and 60 OOD ones.

    All runs have the same images, labels and noise.
    """
    rng, images = np.random.default_rng(seed), np.random.default_rng(0)
    found = {}
    for place, (role, n) in SETS.items():
        labels = images.integers(3, size=n)
        logits = sharpness * (
            np.eye(3)[labels] * 1.5 * (role == "id")
            + images.normal(size=(n, 3))
            + 0.1 * rng.normal(size=(n, 3))
        )
        found[place] = (
            role,
            {
                "logits": logits.astype(np.float32),
                "labels": labels if role in ("id", "shift") else np.full(n, -1),
            },
        )
    return found


@pytest.fixture
def paths(tmp_path):
    return [
        written(
            tmp_path / f"{training}{seed}.h5", groups(seed, sharpness), training=training, seed=seed
        )
        for training, sharpness in (("baseline", 3.0), ("oe", 1.5))
        for seed in (0, 1)
    ]


@pytest.fixture
def table(paths):
    return intervals.compute_table(paths, **POOLED, resamples=100)


def test_values_are_those_of_the_calibration_table(paths, table):
    assert list(table.columns) == intervals.COLUMNS
    wide = table.pivot(index=KEYS, columns="metric", values="value").sort_index()
    theirs = (
        calibration.compute_table(paths, **POOLED, post_hoc=["temperature"])
        .set_index(KEYS)
        .sort_index()
        .loc[wide.index]
    )
    assert len(wide) == 4 * 2 * 2
    assert set(wide) - set(theirs) == {"aurc", "eaurc", "augrc"}
    for metric in set(wide) & set(theirs):
        np.testing.assert_array_equal(wide[metric], theirs[metric])
    of_classes = ["nll", "brier", "cwece"]
    assert wide.xs("pooled", level="set")[of_classes].isna().all(axis=None)
    assert wide.drop(columns=of_classes).notna().all(axis=None)
    assert wide.xs("id", level="set").notna().all(axis=None)


def test_selective_prediction_is_by_confidence(paths, table):
    run = read_run(paths[0], "logits", "labels", "log_likelihood")
    confidence, correct = confidence_and_correctness([take_all(run.find("id"))], None)
    expected = selective_metrics(-confidence, 1 - correct, 1, 1)
    rows = table[
        (table["training"] == "baseline")
        & (table["seed"] == 0)
        & (table["set"] == "id")
        & (table["post_hoc"] == "none")
    ]
    found = rows.set_index("metric")["value"]
    assert {name: found[name] for name in ("aurc", "eaurc", "augrc")} == {
        name: expected[name] for name in ("aurc", "eaurc", "augrc")
    }


def test_intervals(table):
    assert (table["low"] <= table["high"]).all()
    errors = [
        "ece",
        "ace",
        "cwece",
        "mce",
        "rms",
        "mad",
        "smece",
        "ce2_debiased",
        "reliability",
        "resolution",
    ]
    means = table[~table["metric"].isin(errors)]
    assert means["value"].between(means["low"], means["high"]).all()
    assert set(table.loc[table["set"] == "id", "n"]) == {400}
    assert set(table.loc[table["set"] == "pooled", "n"]) == {480}


def test_differences_are_to_the_first_training_of_the_same_seed(table):
    columns = ["difference", "difference_low", "difference_high"]
    assert table.loc[table["training"] == "baseline", columns].isna().all(axis=None)
    oe = table[table["training"] == "oe"].set_index(
        [k for k in KEYS if k != "training"] + ["metric"]
    )
    first = table[table["training"] == "baseline"].set_index(oe.index.names).loc[oe.index]
    np.testing.assert_allclose(oe["difference"], oe["value"] - first["value"])
    assert (oe["difference_low"] <= oe["difference_high"]).all()
    accuracy = oe.xs(
        "accuracy", level="metric"
    )  # the same errors but for a few: paired, the images' own spread cancels
    assert (
        (accuracy["difference_high"] - accuracy["difference_low"])
        < (accuracy["high"] - accuracy["low"]) / 2
    ).all()
    nll = oe.xs(("nll", "none"), level=("metric", "post_hoc"))
    assert (nll["difference_high"] < 0).all()  # half as sharp is better here


def test_the_same_again_and_for_a_run_by_itself(paths, table):
    pd.testing.assert_frame_equal(intervals.compute_table(paths, **POOLED, resamples=100), table)
    alone = intervals.compute_table(paths[2:3], **POOLED, resamples=100)
    both = table[(table["training"] == "oe") & (table["seed"] == 0)].reset_index(drop=True)
    columns = [c for c in intervals.COLUMNS if not c.startswith("difference")]
    pd.testing.assert_frame_equal(alone[columns], both[columns])


def test_without_ood_images_there_is_no_pooled_row(tmp_path):
    inside = {place: group for place, group in groups(0, 3.0).items() if group[0] == "id"}
    assert set(
        intervals.compute_table([written(tmp_path / "x.h5", inside)], **POOLED, resamples=100)[
            "set"
        ]
    ) == {"id"}


def test_a_density_model_has_an_empty_row(tmp_path):
    paths = [
        written(tmp_path / "x.h5", {"a/test": ("id", {"log_likelihood": np.zeros(3)})}, "density")
    ]
    found = intervals.compute_table(paths, **POOLED, resamples=100)
    assert (found["n"].tolist(), found["set"].tolist()) == ([0], ["none"])
