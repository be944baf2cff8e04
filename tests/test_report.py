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
    trainings = pd.DataFrame([{**RUN, "training": t, "objective": t} for t in ("baseline", "oe", "background")])
    return {"detection": detection, "calibration": calibration, "selective": selective, "likelihood": likelihood, "trainings": trainings}


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


def test_what_is_seen_of_a_density():
    who = {**RUN, "kind": "far", "score": "log_likelihood"}
    rows = [("baseline", "x", 0.2), ("baseline", "y", 0.4), ("baseline", "z", 0.9), ("oe", "x", 0.8), ("oe", "y", 0.3), ("oe", "z", 0.9),
            ("background", "x", 0.1)]  # fmt: skip
    detection = pd.DataFrame([{**who, "training": t, "seed": s, "ood": o, "auroc": a} for s in (0, 1) for t, o, a in rows])
    bits = [("baseline", 3.0), ("oe", 3.5), ("background", 9.0)]
    likelihood = pd.DataFrame([{**RUN, "training": t, "seed": s, "set": "a", "bpd_mean": b} for s in (0, 1) for t, b in bits])
    found = tables() | {"detection": detection, "likelihood": likelihood}
    assert seen("oe_density_gain", "a", "m", found) == (
        "baseline: 2 of 3 OOD sets have an AUROC below 50%. oe: 0.50 ± 0.00 bits/dim on in-distribution images; lifts x of these above 50%."
    )
    assert "background" not in seen("likelihood_histograms", "a", "m", found)


def test_one_table_for_a_score_of_several_models():
    found = tables()
    found["detection"] = pd.concat([found["detection"], found["detection"].assign(model="other")])
    titles = [title for title, _, _ in summaries(found)]
    assert titles.count("Detection of each set: a, msp") == 1
