"""promises.csv: what was promised and what happened on the test images."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta

from oecal.core.errors import OecalError
from oecal.figures import promises
from oecal.tables.promises import COLUMNS, compute_table, measure_errors, measure_rejection
from tests.run_files import KEY, written

ROLES = {
    "a/val": "id",
    "a/test": "id",
    "near/test": "near",
    "far/test": "far",
    "letters/train": "outlier",
}


@pytest.fixture
def paths(tmp_path):
    """100 ID test images with scores 0 ...

    99, of which each tenth is wrong; near OOD 50 ... 149, far OOD 90 ... 129.
    """
    starts = {
        "a/val": (0, 30),
        "a/test": (0, 100),
        "near/test": (50, 100),
        "far/test": (90, 40),
        "letters/train": (0, 30),
    }
    outputs = {
        place: {"logits": np.eye(2)[(np.arange(n) % 10 == 9) * 1], "labels": np.zeros(n, int)}
        for place, (_, n) in starts.items()
    }
    scores = {
        place: {"msp": first + np.arange(float(n)), "odin": np.zeros(20)}
        for place, (first, n) in starts.items()
    }
    about = {"level": 0.1, "confidence": 0.95}
    promises = {
        "reject": {
            "kind": "reject",
            **about,
            "ood_rate": 0.0,
            "scores": {"msp": {"threshold": 94.0}, "odin": {"threshold": 0.0}},
        },
        "error": {
            "kind": "error",
            **about,
            "ood_rate": 0.5,
            "scores": {"msp": {"threshold": 94.0}},
        },
        "error_id": {
            "kind": "error",
            **about,
            "ood_rate": 0.0,
            "scores": {"msp": {"threshold": 48.5}},
        },
        "none": {"kind": "error", **about, "ood_rate": 0.0, "scores": {"msp": {"threshold": None}}},
        "all": {"kind": "reject", **about, "ood_rate": 0.0, "scores": {"msp": {"threshold": None}}},
    }
    (tmp_path / "t.json").write_text(json.dumps({"run": KEY, "promises": promises}))
    files = [
        written(tmp_path / name, {at: (ROLES[at], own) for at, own in arrays.items()})
        for name, arrays in (("o.h5", outputs), ("s.h5", scores))
    ]
    return [str(tmp_path / "t.json")], [files[0]], [files[1]]


def test_table(paths):
    found = compute_table(*paths)
    assert list(found) == COLUMNS
    assert set(found["score"]) == {"msp"}  # odin is of part of the images
    by = found.set_index(["promise", "set"])
    assert by.index.tolist() == [
        ("reject", "id"),
        ("error", "pooled"),
        ("error", "near"),
        ("error", "far"),
        ("error_id", "id"),
        ("none", "id"),
        ("all", "id"),
    ]
    assert by.loc[("reject", "id"), ["promised", "realised", "coverage", "kept", "n"]].tolist() == [
        0.1,
        0.05,
        0.95,
        True,
        100,
    ]
    near, far = 45 / 100, 5 / 40
    for name, share, n in (
        ("pooled", (near + far) / 2, 240),
        ("near", near, 200),
        ("far", far, 140),
    ):
        row = by.loc[("error", name)]
        assert row["realised"] == pytest.approx((0.09 + share) / (0.95 + share))
        assert row["ood_accepted"] == pytest.approx(share)
        assert row["low"] < row["realised"] < row["high"]
        assert row["n"] == n
        assert row["kept"] == (row["realised"] <= 0.1)
    row = by.loc[("error_id", "id")]
    assert (row["realised"], row["coverage"]) == (4 / 49, 0.49)
    assert row["high"] == pytest.approx(beta.ppf(0.975, 5, 45))


def test_without_a_threshold_all_is_rejected(paths):
    by = compute_table(*paths).set_index("promise")
    assert by.loc["none", ["coverage", "ood_accepted", "kept"]].tolist() == [0, 0, True]
    assert np.isnan(by.loc["none", "realised"])
    assert by.loc["all", ["realised", "kept"]].tolist() == [1, False]


def test_a_study_without_promises_says_so(paths, tmp_path):
    (tmp_path / "t.json").write_text(json.dumps({"run": KEY, "promises": {}}))
    found = compute_table(*paths)
    assert found[["set", "n"]].to_numpy().tolist() == [["none", 0]]
    found.to_csv(tmp_path / "promises.csv", index=False)
    with pytest.raises(OecalError, match="add one under promises"):
        promises.collect_data(str(tmp_path / "promises.csv"), "a", "m", ["t"])


def test_intervals_cover(rng):
    """Of 400 samples about 95% have an interval over the true rate; also where errors are rare."""
    for a, c, shares in ((0.05, 0.9, [0.3, 0.1]), (0.002, 0.5, [0.01, 0.0])):
        true = (0.95 * a + 0.05 * np.mean(shares)) / (0.95 * c + 0.05 * np.mean(shares))
        covered = 0
        for _ in range(400):
            u = rng.uniform(size=400)
            found = measure_errors(
                u < c, u < a, [rng.uniform(size=200) < share for share in shares], 0.05
            )
            covered += found["low"] <= true <= found["high"]
        assert covered >= 0.92 * 400


def test_no_event_has_an_interval():
    assert measure_rejection(np.ones(50, bool))["high"] == pytest.approx(1 - 0.025 ** (1 / 50))
    found = measure_errors(np.ones(50, bool), np.zeros(50, bool), [np.zeros(50, bool)], 0.1)
    assert (found["realised"], found["low"]) == (0, 0)
    assert 0.01 < found["high"] < 0.1


def test_figure(paths, tmp_path):
    found = compute_table(*paths)
    twice = [found, found.assign(training="oe", seed=1), found.assign(model="other")]
    pd.concat(twice).to_csv(tmp_path / "promises.csv", index=False)
    data = promises.collect_data(str(tmp_path / "promises.csv"), "a", "m", ["oe", "t"])
    assert data["training"].unique().tolist() == ["oe", "t"]
    axes = promises.draw_figure(data).axes
    assert [ax.get_title() for ax in axes[::2]] == [
        "OE: 1 of 1 kept",
        "0 of 1 kept",
        "1 of 1 kept",
        "0 of 0 kept, 1 without",
        "0 of 0 kept, 1 without",
    ]
    assert axes[2].get_ylabel() == "at most 10% errors among accepted\n50% of what arrives is OOD"
    marks = [line.get_marker() for line in axes[2].lines]
    assert (marks.count("X"), marks.count("o"), marks.count("|")) == (1, 0, 2)


def test_figure_shows_few_scores(paths, tmp_path):
    found = compute_table(*paths)
    names = ["zeta", "knn", "eta", "msp", "theta", "iota", "kappa", "energy"]
    pd.concat([found.assign(score=name) for name in names]).to_csv(
        tmp_path / "promises.csv", index=False
    )
    shown = promises.collect_data(str(tmp_path / "promises.csv"), "a", "m", ["t"])["score"].unique()
    assert sorted(shown) == ["energy", "eta", "knn", "msp", "theta", "zeta"]
