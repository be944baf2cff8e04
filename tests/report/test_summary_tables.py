"""The tables for readers."""

import pandas as pd

from oecal.figures.sentences import format_over_seeds
from oecal.report.summary_tables import pivot_over_seeds, summarize_results
from tests.report.small_tables import RUN, tables


def test_numbers_over_seeds():
    assert format_over_seeds(pd.Series([0.5])) == "50.0"
    assert format_over_seeds(pd.Series([0.5, 0.5])) == "50.0 ± 0.0"
    assert (
        format_over_seeds(pd.Series([1.0, 3.0]), percent=False) == "2.00 ± 12.71"
    )  # t_1(0.975) * sqrt(2) / sqrt(2)


def test_tables():
    found = {summary.title: summary.table for summary in summarize_results(tables())}
    assert list(found)[:3] == [
        "Detection: AUROC",
        "Detection: FPR95",
        "Detection of each set: a, msp",
    ]
    assert found["Detection of each set: a, msp"]["n"].tolist() == [2, 2]
    assert found["Detection of each set: a, msp"]["x"].tolist() == ["40.5 ± 6.4", "80.5 ± 6.4"]
    assert list(found["Calibration: ECE"].columns) == [
        "in_dist",
        "model",
        "training",
        "post_hoc",
        "n",
        "id",
        "pooled",
        "corruptions (mean)",
    ]
    assert "Likelihood" not in found


def test_order_of_appearance_is_kept():
    table = pd.DataFrame(
        {
            "row": ["z", "a", "z", "a"],
            "column": ["q", "q", "b", "b"],
            "v": [0.1, 0.2, 0.3, 0.4],
            "seed": 0,
        }
    )
    found = pivot_over_seeds(table, ["row"], "column", "v")
    assert found["row"].tolist() == ["z", "a"]
    assert list(found.columns) == ["row", "n", "q", "b"]


def test_one_table_for_a_score_of_several_models():
    found = tables()
    found["detection"] = pd.concat([found["detection"], found["detection"].assign(model="other")])
    titles = [summary.title for summary in summarize_results(found)]
    assert titles.count("Detection of each set: a, msp") == 1


def test_intervals_over_images_and_limits():
    run = {**RUN, "training": "oe", "seed": 0, "metric": "auroc"}
    change = {"difference": 0.1, "difference_low": 0.05, "difference_high": 0.15}
    interval = {"kind": "far", "score": "msp", "value": 0.5, "low": 0.4, "high": 0.6}
    rows = [
        {**run, **interval, "training": t, "ood": o, **(change if t == "oe" else {})}
        for t in ("baseline", "oe")
        for o in ("x", "all")
    ]
    setting = {**run, "factor": "size", "setting": "10", "control": "baseline", "n": 3}
    limits = [
        {
            **setting,
            "measure": "auroc_msp",
            "kind": "far",
            "ood": None,
            "difference": -0.012,
            "low": -0.022,
            "high": -0.002,
        },
        {
            **setting,
            "measure": "auroc_msp",
            "kind": "far",
            "ood": "x",
            "difference": 0.9,
            "low": 0.9,
            "high": 0.9,
        },
        {
            **setting,
            "measure": "ece",
            "kind": "id",
            "ood": None,
            "difference": 0.01,
            "low": None,
            "high": None,
        },
    ]
    found = {
        s.name: s.table
        for s in summarize_results(
            tables() | {"detection_intervals": pd.DataFrame(rows), "limits": pd.DataFrame(limits)}
        )
    }
    assert found["images_auroc"]["far"].tolist() == ["50.0 [40.0, 60.0]"] * 2
    assert found["images_auroc"]["far, change"].tolist() == ["", "10.0 [5.0, 15.0]"]
    assert found["limits"][
        ["factor", "n", "AUROC of MSP, far", "ECE on ID"]
    ].to_numpy().tolist() == [["size", 3, "-1.2 ± 1.0", "+1.0"]]
