"""What is said of each figure, in numbers."""

import pandas as pd

from oecal.core.components import list_components, read_constant
from oecal.report.figure_sentences import describe_shown_figure
from oecal.report.summary_tables import SECTIONS
from tests.report.small_tables import RUN, tables


def test_what_is_seen():
    found = tables()
    assert (
        describe_shown_figure("roc", found, "a", "m")
        == "baseline: AUROC (%) below 50 for x (40.5). oe: AUROC (%) below 50 for no OOD set."
    )
    assert (
        "oe, id: ECE 10.0 ± 0.0%, on average under-confident by 10.0 points."
        in describe_shown_figure("reliability", found, "a", "m")
    )
    assert "hardest set x (40.5% with msp)" in describe_shown_figure("ood_heatmap", found, "a", "m")
    assert describe_shown_figure("risk_coverage", found, "a", "m") == "oe, id: AURC 2.0 ± 0.0%."
    assert describe_shown_figure("training_curves", found, "a", "m") == ""


def test_what_is_seen_of_a_density():
    who = {**RUN, "kind": "far", "score": "log_likelihood"}
    rows = [
        ("baseline", "x", 0.2),
        ("baseline", "y", 0.4),
        ("baseline", "z", 0.9),
        ("oe", "x", 0.8),
        ("oe", "y", 0.3),
        ("oe", "z", 0.9),
        ("background", "x", 0.1),
    ]
    detection = pd.DataFrame(
        [
            {**who, "training": t, "seed": s, "ood": o, "auroc": a}
            for s in (0, 1)
            for t, o, a in rows
        ]
    )
    bits = [("baseline", 3.0), ("oe", 3.5), ("background", 9.0)]
    likelihood = pd.DataFrame(
        [
            {**RUN, "training": t, "seed": s, "set": "a", "bpd_mean": b}
            for s in (0, 1)
            for t, b in bits
        ]
    )
    found = tables() | {"detection": detection, "likelihood": likelihood}
    assert describe_shown_figure("oe_density_gain", found, "a", "m") == (
        "baseline: 2 of 3 OOD sets have an AUROC below 50%. "
        "oe: 0.50 ± 0.00 bits/dim on in-distribution images; lifts x of these above 50%."
    )
    assert "background" not in describe_shown_figure("likelihood_histograms", found, "a", "m")


def test_what_is_seen_of_scores():
    """Three scores on two sets: OE lifts two of them."""
    gains = {"msp": 0.1, "energy": 0.2, "ensemble_msp": -0.1}
    rows = [
        {
            **RUN,
            "training": t,
            "seed": s,
            "ood": o,
            "kind": "far",
            "score": score,
            "auroc": base + gain * (t == "oe") * (1 + s / 10),
        }
        for t in ("baseline", "oe")
        for s in (0, 1)
        for o, base in (("x", 0.5), ("y", 0.6))
        for score, gain in gains.items()
        if not (score == "ensemble_msp" and s)
    ]
    spent = [("msp", 2.0, 0.001), ("energy", 2.0, 0.002), ("ensemble_msp", 4.0, 0.001)]
    costs = [
        {
            **RUN,
            "training": t,
            "seed": 0,
            "score": score,
            "seconds_forward": 2.0,
            "seconds_predict": predict,
            "seconds_score": scoring,
        }
        for t in ("baseline", "oe")
        for score, predict, scoring in spent
    ]
    found = tables() | {"detection": pd.DataFrame(rows), "costs": pd.DataFrame(costs)}
    assert describe_shown_figure("oe_gain", found, "a", "m", "oe") == (
        "oe minus baseline, AUROC over all sets: higher with 2 of 3 scores, "
        "most with energy (21.0 ± 12.7 points), "
        "least with ensemble_msp (-10.0 points)."
    )
    rank = describe_shown_figure("score_rank", found, "a", "m")
    assert (
        "oe: best mean rank 1.0 with energy; "
        "3 of 3 scores are within the critical difference of it." in rank
    )
    heatmap = describe_shown_figure("ood_heatmap", found, "a", "m", "oe")
    assert (
        heatmap == "oe: mean AUROC over all sets 76.0% with energy, the best score here; "
        "hardest set x (60.5% with msp)."
    )
    cost = describe_shown_figure("compute_cost", found, "a", "m")
    assert (
        "oe, mean AUROC and seconds for 1,000 images: best energy (76.0%, 2 s), "
        "which needs one forward pass." in cost
    )
    detection = found["detection"].assign(
        auroc=lambda d: d["auroc"].where(d["score"] != "ensemble_msp", 1.0)
    )
    cost = describe_shown_figure("compute_cost", found | {"detection": detection}, "a", "m")
    assert (
        "images: best ensemble_msp (100.0%, 4 s); with one forward pass energy (76.0%, 2 s)."
        in cost
    )
    assert describe_shown_figure("feature_space", found, "a", "m") == ""


def test_what_is_seen_of_calibration_and_promises():
    run = {"in_dist": "a", "model": "m", "training": "t", "seed": 0}
    rows = {
        "trainings": [{"objective": "oe"}],
        "calibration": [
            {"post_hoc": "none", "set": "id", "accuracy": 0.9, "mean_confidence": 0.9},
            {"post_hoc": "none", "set": "blur-1", "accuracy": 0.8, "mean_confidence": 0.9},
            {"post_hoc": "none", "set": "blur-5", "accuracy": 0.4, "mean_confidence": 0.9},
            {"post_hoc": "none", "set": "noise-5", "accuracy": 0.5, "mean_confidence": 0.8},
        ],
        "paths": [
            {"set": s, "t": t, "confidence": c, "bpd": None}
            for s in ("x", "y")
            for t, c in ((0, 0.9), (0.5, 0.1), (1, 0.6))
        ],
        "pit": [
            {"set": "a", "below_05": 0.06, "above_95": 0.05},
            {"set": "x", "below_05": 0, "above_95": 0.8},
        ],
        "decomposition": [
            {"score": s, "auroc_ood_ambiguous": o, "auroc_ambiguous": 0.7}
            for s, o in (("msp", 0.4), ("knn", 0.9))
        ],
        "promises": [
            {"promise": "p", "set": s, "threshold": t, "kept": k}
            for s, t, k in (("id", 1, True), ("id", None, True), ("x", 1, False))
        ],
        "drift": [
            {"score": "msp", "ood_rate": r, "alarm_share": s} for r, s in ((0, 0.01), (0.05, 0.5))
        ],
    }
    rows["prevalence"] = [
        {"post_hoc": p, "ood_rate": r, "ece": e}
        for p, r, e in (("none", 0.05, 0.2), ("none", 0.5, 0.4), ("x", 0.5, 0))
    ]
    rows["resampled"] = [
        {"promise": "p", "outliers": o, "splits": 9, "without": w, "exceeds_pool": e}
        for o, w, e in (("none", 0, 0.01), ("none", 0, 0.03), ("auxiliary", 9, 0))
    ]
    found = {name: pd.DataFrame([{**run, **row} for row in parts]) for name, parts in rows.items()}
    assert (
        describe_shown_figure("prevalence", found, "a", "m")
        == "t: ECE 20.0% at 5% OOD, 40.0% at 50% OOD."
    )
    assert (
        describe_shown_figure("resampled", found, "a", "m")
        == "t, p: broken in 1 to 3% of the splits, judged on all images."
    )
    both = [
        {**run, "training": t, "post_hoc": p, "set": s, "ece": e}
        for t, p, s, e in (
            ("t", "none", "id", 0.01),
            ("t", "none", "pooled", 0.2),
            ("u", "none", "id", 0.03),
            ("u", "none", "pooled", 0.1),
        )
    ]
    assert describe_shown_figure(
        "id_or_pooled",
        {"calibration": pd.DataFrame(both), "trainings": found["trainings"]},
        "a",
        "m",
    ) == ("u minus t, ECE in points: -10.0 pooled, 2.0 on in-distribution images.")
    assert (
        describe_shown_figure("shift_calibration", found, "a", "m")
        == "t, severity 5: accuracy 45.0%, confidence above it by 40.0 points."
    )
    assert (
        describe_shown_figure("paths", found, "a", "m")
        == "t: confidence 90% at the start; at the end: x 60%, y 60%."
    )
    assert describe_shown_figure("pit", found, "a", "m") == (
        "t: p at most 0.05 for 6.0% of the in-distribution test images; "
        "more likely than 95% of the validation images is most of x (80%)."
    )
    assert describe_shown_figure("decomposition", found, "a", "m") == (
        "t: OOD ranks above ambiguous images with 1 of 2 scores, most with knn (AUROC 90.0%; "
        "ambiguous against in-distribution images 70.0%)."
    )
    assert describe_shown_figure("promises", found, "a", "m") == "p, t: kept in 1 of 1 cases."
    assert (
        describe_shown_figure("drift", found, "a", "m")
        == "t, msp: an alarm in 1% of the streams at an OOD rate of 0%, "
        "50% of the streams at an OOD rate of 5%."
    )


def test_each_figure_has_a_section():
    figures = list_components("figures", "FOR")
    assert len(figures) > 25
    for figure in figures:
        assert read_constant("figures", figure, "SECTION") in SECTIONS
