import pandas as pd

from oecal.report import over_seeds, seen, summaries, wide

RUN = {"in_dist": "a", "model": "m"}


def tables():
    detection = pd.DataFrame(
        [{**RUN, "training": t, "seed": s, "ood": o, "kind": "near", "score": "msp", "auroc": a + s / 100}
         for s in (0, 1) for t, o, a in (("baseline", "x", 0.4), ("baseline", "y", 0.9), ("oe", "x", 0.8), ("oe", "y", 0.9))]
    )  # fmt: skip
    calibration = pd.DataFrame(
        [{**RUN, "training": "oe", "seed": s, "post_hoc": "none", "set": n, "ece": 0.1, "rms": 0.1, "accuracy": 0.9, "mean_confidence": 0.8}
         for s in (0, 1) for n in ("id", "pooled", "blur-1", "blur-2")]
    )  # fmt: skip
    selective = pd.DataFrame(
        [{**RUN, "training": "oe", "seed": s, "score": "msp", "set": "id", "aurc": 0.02, "augrc": 0.01} for s in (0, 1)]
    )
    likelihood = pd.DataFrame(columns=["in_dist", "model", "training", "seed", "set", "bpd_mean", "bpd_sd", "n"])
    return {"detection": detection, "calibration": calibration, "selective": selective, "likelihood": likelihood}


def test_numbers_over_seeds():
    assert over_seeds(pd.Series([0.5])) == "50.0"
    assert over_seeds(pd.Series([0.5, 0.5])) == "50.0 ± 0.0"
    assert over_seeds(pd.Series([1.0, 3.0]), percent=False) == "2.00 ± 12.71"  # t_1(0.975) * sqrt(2) / sqrt(2)


def test_tables():
    found = {title: table for title, _, table in summaries(tables())}
    assert list(found)[:2] == ["Detection", "Detection of each set: a, msp"]
    assert found["Detection of each set: a, msp"]["x"].tolist() == ["40.5 ± 6.4", "80.5 ± 6.4"]
    assert list(found["Calibration: ECE"].columns) == ["in_dist", "model", "training", "post_hoc", "id", "pooled", "corruptions (mean)"]
    assert "Likelihood" not in found


def test_order_of_appearance_is_kept():
    table = pd.DataFrame({"row": ["z", "a", "z", "a"], "column": ["q", "q", "b", "b"], "v": [0.1, 0.2, 0.3, 0.4]})
    found = wide(table, ["row"], "column", "v")
    assert found["row"].tolist() == ["z", "a"]
    assert list(found.columns) == ["row", "q", "b"]


def test_what_is_seen():
    found = tables()
    assert seen("roc", "a", "m", found) == "baseline: AUROC (%) below 50 for x (40.5). oe: AUROC (%) below 50 for no OOD set."
    assert "oe, id: ECE 10.0 ± 0.0%, on average under-confident by 10.0 points." in seen("reliability", "a", "m", found)
    assert "hardest set x (40.5% with msp)" in seen("detection_heatmap", "a", "m", found)
    assert seen("risk_coverage", "a", "m", found) == "oe, id: AURC 2.0 ± 0.0%."
    assert seen("training_curves", "a", "m", found) == ""
