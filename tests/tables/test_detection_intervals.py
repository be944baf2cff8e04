"""detection_intervals.csv: the values of detection.csv, and paired differences."""

import numpy as np
import pandas as pd
import pytest

from oecal.tables import detection, detection_intervals
from tests.run_files import written

KEYS = ["training", "seed", "ood", "score"]


@pytest.fixture
def paths(tmp_path):
    """A second training that is better by far on `c`, and the same on `b`."""
    found = []
    for training, gain in (("baseline", 0.0), ("oe", 3.0)):
        for seed in (0, 1):
            rng = np.random.default_rng(seed)
            groups = {
                f"{name}/test": (role, {"msp": rng.normal(shift, 1, n), "knn": rng.normal(size=n)})
                for name, role, shift, n in (
                    ("a", "id", 0, 300),
                    ("b", "far", 1, 100),
                    ("c", "far", 1 + gain, 100),
                    ("d", "near", 0.5, 50),
                )
            }
            found.append(
                written(tmp_path / f"{training}{seed}.h5", groups, training=training, seed=seed)
            )
    return found


@pytest.fixture
def table(paths):
    return detection_intervals.compute_table(paths, resamples=200)


def test_values_are_those_of_the_detection_table(paths, table):
    theirs = detection.compute_table(paths).query("score == 'msp'").set_index(KEYS)
    single = table[table["ood"] != "all"]
    assert set(table["score"]) == {"msp"}
    for metric in ("auroc", "fpr95"):
        ours = single[single["metric"] == metric].set_index(KEYS)
        pd.testing.assert_series_equal(
            ours["value"], theirs[metric].loc[ours.index], check_names=False, rtol=0, atol=1e-6
        )
        assert (
            ours[["n_in", "n_out"]].to_numpy()
            == theirs.loc[ours.index, ["n_in", "n_out"]].to_numpy()
        ).all()


def test_the_mean_over_a_kind(table):
    auroc = table[
        (table["metric"] == "auroc") & (table["training"] == "oe") & (table["seed"] == 1)
    ].set_index(["ood", "kind"])
    assert auroc["value"]["all", "far"] == pytest.approx(auroc["value"][["b", "c"]].mean())
    assert auroc["n_out"]["all", "far"] == 200
    assert auroc["value"]["all", "near"] == auroc["value"]["d", "near"]


def test_intervals_and_differences(table):
    assert table["value"].between(table["low"], table["high"]).all()
    own = table[table["training"] == "oe"].set_index(["metric", "ood", "seed"])
    assert table[table["training"] == "baseline"]["difference"].isna().all()
    assert (own.loc["auroc"].loc["c", "difference_low"] > 0).all()
    assert (own.loc["fpr95"].loc["c", "difference_high"] < 0).all()
    same = own.sort_index().loc[
        ("auroc", "b")
    ]  # the same scores: whatever is drawn, there is no difference
    assert (same[["difference", "difference_low", "difference_high"]] == 0).all(axis=None)


def test_without_ood_sets(tmp_path):
    path = written(
        tmp_path / "x.h5", {"a/test": ("id", {"msp": np.arange(5.0)})}, training="t", seed=0
    )
    found = detection_intervals.compute_table([path], resamples=10)
    assert list(found.columns) == detection_intervals.COLUMNS
    assert len(found) == 1
    assert found["value"].isna().all()
