"""Metrics with a file of their own: what holds for each, a new one is tested here without an edit;
and that the tables take them.
"""

import importlib

import numpy as np
import pytest
import yaml

from oecal.core.codegraph import ROOT
from oecal.core.components import list_components, read_constant
from oecal.core.errors import OecalError
from oecal.metrics.calibration_metrics import bin_by_width, brier_decomposition
from oecal.study.check_claims import check_claim
from oecal.study.claim_entries import parse_claim
from oecal.study.loading import load, merge
from oecal.tables import calibration, detection, intervals
from tests.run_files import written

METRICS = list_components("metrics", "TABLE")
OPTIONS = {
    "bins": 15,
    "ood_ratio": 0.2,
    "metrics": ["correctness_brier"],
}


def of(name):
    return importlib.import_module(f"oecal.metrics.{name}").metric


@pytest.mark.parametrize("name", METRICS)
def test_its_column_is_no_other_metrics(name):
    assert name not in [
        *calibration.COLUMNS,
        *detection.COLUMNS,
        *intervals.COLUMNS,
        "aurc",
        "eaurc",
        "augrc",
    ]


def a_weight_counts_an_image_so_often(metric, rng):
    confidence, correct = rng.integers(11, size=60) / 10, rng.integers(2, size=60).astype(float)
    drawn = np.stack([rng.multinomial(60, np.full(60, 1 / 60)) for _ in range(3)], axis=1)
    found = metric(confidence, correct, drawn.astype(float))
    assert found.shape == (3,)
    for weights, value in zip(drawn.T, found, strict=True):
        repeated = metric(
            np.repeat(confidence, weights), np.repeat(correct, weights), np.ones((60, 1))
        )
        assert repeated.item() == pytest.approx(value)
    all_alike = [
        metric(np.full(5, c), np.full(5, y), np.ones((5, 1))).item()
        for c in (0.0, 1.0)
        for y in (0.0, 1.0)
    ]
    assert np.isfinite(all_alike).all()


def the_order_of_the_scores_alone_counts(metric, rng):
    inside, outside = rng.normal(size=50), rng.normal(1, 1, 40)
    found = metric(inside, outside)
    assert metric(np.exp(inside), np.exp(outside)) == pytest.approx(found)
    assert np.isfinite([found, metric(np.zeros(5), np.zeros(4))]).all()  # ties only


@pytest.mark.parametrize("name", METRICS)
def test_contract_of_every_metric(name, rng):
    contract = {
        "calibration": a_weight_counts_an_image_so_often,
        "detection": the_order_of_the_scores_alone_counts,
    }
    contract[read_constant("metrics", name, "TABLE")](of(name), rng)


def test_correctness_brier_is_the_sum_of_its_parts(rng):
    images = rng.integers(11, size=60) / 10, rng.integers(2, size=60).astype(float)
    parts = brier_decomposition(*images, bin_by_width(*images))
    total = parts["reliability"] - parts["resolution"] + parts["uncertainty"] + parts["within"]
    assert of("correctness_brier")(*images, np.ones((60, 1))).item() == pytest.approx(total)


def test_the_tables_take_it(tmp_path, rng):
    def group(n, classes):
        labels = rng.integers(classes, size=n) if classes else np.full(n, -1)
        return {"logits": rng.normal(size=(n, 3)).astype(np.float32), "labels": labels}

    groups = {
        "a/test": ("id", group(100, 3)),
        "a/val": ("id", group(100, 3)),
        "b/test": ("far", group(30, 0)),
    }
    paths = [written(tmp_path / "x.h5", groups)]
    table, among = (
        calibration.compute_table(paths, **OPTIONS, post_hoc=["temperature"]),
        intervals.compute_table(paths, **OPTIONS, resamples=100),
    )
    assert list(table.columns) == [*calibration.COLUMNS, "correctness_brier"]
    assert table["correctness_brier"].between(0, 1).all()
    rows = among[among["metric"] == "correctness_brier"].set_index(["post_hoc", "set"])
    assert (
        rows["value"].to_dict()
        == table.set_index(["post_hoc", "set"])["correctness_brier"].to_dict()
    )
    assert rows["value"].between(rows["low"], rows["high"]).all()


def test_detection_takes_one_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(
        detection,
        "load_custom_metrics",
        lambda options, table: {"beyond": lambda inside, outside: (outside > inside.max()).mean()},
    )
    groups = {
        "a/test": ("id", {"s": np.array([0.0, 1.0])}),
        "b/test": ("far", {"s": np.array([1.0, 3.0])}),
    }
    table = detection.compute_table([written(tmp_path / "x.h5", groups)])
    assert list(table.columns) == [*detection.COLUMNS, "beyond"]
    assert table["beyond"].tolist() == [0.5]


def test_a_claim_may_be_about_it():
    plain = yaml.safe_load((ROOT / "studies/tiny.yaml").read_text())
    where = {"in_dist": "tiny_digits", "model": "wrn", "training": "baseline", "set": "pooled"}
    claim = parse_claim(
        "claims.x",
        {
            "statement": "x",
            "table": "calibration",
            "where": where,
            "value": "correctness_brier",
            "is": "below",
        },
    )
    check_claim(
        "claims.x", claim, load(merge(plain, {"measures": {"metrics": ["correctness_brier"]}}))
    )
    with pytest.raises(OecalError, match="claims.x.value: unknown name 'correctness_brier'"):
        check_claim("claims.x", claim, load(plain))
