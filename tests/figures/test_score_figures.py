"""Figures of all scores of a classifier: gains, ranks, heat maps, costs."""

import numpy as np
import pandas as pd
import pytest

from oecal.figures import compute_cost, oe_gain, ood_heatmap, score_rank, style
from oecal.metrics.ranks import critical_difference
from oecal.metrics.seed_intervals import mean_interval
from oecal.scores.catalogue import list_fitting_scores

WHO = {"in_dist": "a", "model": "m"}
SETS = {
    "far_1": "far",
    "near_1": "near",
    "far_2": "far",
    "noise": "synthetic",
}  # not in the order of the figures
SCORES = ["msp", "react", "energy", "ensemble_msp"]


def auroc(training, seed, ood, score):
    gain = {"baseline": 0, "oe_tune": 0.1 + seed / 50, "oe_scratch": 0.2}[training] * {
        "near": 0.5,
        "far": 1,
        "synthetic": -1,
    }[SETS[ood]]
    return 0.6 + SCORES.index(score) / 20 + list(SETS).index(ood) / 100 + gain


@pytest.fixture
def detection(tmp_path):
    """ensemble_msp has one seed; oe_scratch alone has the score energy on top of the others."""
    rows = [
        {
            **WHO,
            "training": t,
            "seed": s,
            "ood": o,
            "kind": k,
            "score": score,
            "auroc": auroc(t, s, o, score),
        }
        for t in ("baseline", "oe_tune", "oe_scratch")
        for s in (0, 1, 2)
        for o, k in SETS.items()
        for score in SCORES
        if not (score == "ensemble_msp" and s) and not (score == "energy" and t != "oe_scratch")
    ]
    table = pd.DataFrame(rows).assign(fpr95=lambda d: 1 - d["auroc"])
    path = tmp_path / "detection.csv"
    pd.concat([table, table.assign(model="other", auroc=0.0)]).to_csv(path, index=False)
    return str(path)


def text_of(ax):
    return [text.get_text() for text in ax.texts]


def test_families_stand_together():
    assert style.group_by_family(["msp", "react", "ensemble_msp", "energy"]) == {
        "msp": "logits",
        "energy": "logits",
        "react": "shaping",
        "ensemble_msp": "ensemble",
    }


def test_every_score_of_a_classifier_has_a_name():
    names = [style.display_name(score) for score in list_fitting_scores(("logits", "features"))]
    assert len(set(names)) == len(names)
    assert not any("_" in name for name in names)


def test_gain_is_within_a_seed(detection, saved_twice):
    data = oe_gain.collect_data(detection, **WHO, first="baseline", training="oe_tune")
    assert list(data["score"].unique()) == ["msp", "react", "ensemble_msp"]
    near = data[(data["score"] == "msp") & (data["kind"] == "near")]
    np.testing.assert_allclose(near["auroc"], [0.05, 0.06, 0.07])
    np.testing.assert_allclose(near["fpr95"], [-0.05, -0.06, -0.07])
    figure = oe_gain.draw_figure(data)
    left = figure.axes[0]
    mean, half = mean_interval(np.array([5.0, 6.0, 7.0]))
    intervals = [line.get_xdata() for line in left.lines if len(line.get_xdata()) == 2]
    assert any(np.allclose(x, [mean - half, mean + half]) for x in intervals)
    single = [line for line in left.lines if line.get_markerfacecolor() == "white"]
    assert len(single) == 3  # the ensemble's kinds
    assert [t.get_text() for t in figure.legends[0].get_texts()] == [
        "near OOD",
        "far OOD",
        "synthetic OOD",
    ]
    assert text_of(figure.axes[1]) == ["logits", "shaping", "ensemble"]
    assert figure.get_suptitle() == "OE tune minus baseline"
    saved_twice(oe_gain, data)


def test_ranks_and_critical_difference(detection, saved_twice):
    data = score_rank.collect_data(
        detection, **WHO, trainings=["baseline", "oe_tune", "oe_scratch"]
    )
    baseline = data[data["training"] == "baseline"].set_index("score")
    assert baseline["rank"].to_dict() == {"msp": 3.0, "react": 2.0, "ensemble_msp": 1.0}
    assert baseline["sets"].unique().tolist() == [4]
    assert baseline["cd"].iloc[0] == pytest.approx(
        2.343 * np.sqrt(3 * 4 / (6 * 4)), abs=1e-3
    )  # q of Demsar's table 5(a)
    assert baseline["chi2"].iloc[0] == pytest.approx(8)  # N (k - 1): the order is always the same
    assert set(data[data["training"] == "oe_scratch"]["score"]) == set(SCORES)
    figure = score_rank.draw_figure(data)
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == [
        "ensemble, MSP",
        "ReAct",
        "MSP",
        "energy",
    ]
    assert figure.axes[0].get_title() == "baseline\nCD = 1.7, p = 0.018"
    full = [
        line.get_xdata()[0]
        for line in figure.axes[0].lines
        if line.get_marker() == "o" and line.get_markerfacecolor() != "white"
    ]
    assert sorted(full) == [1.0, 2.0]  # 3 is farther from 1 than the critical difference
    assert figure.axes[0].patches[0].get_width() == pytest.approx(critical_difference(3, 4))
    saved_twice(score_rank, data)


def test_ranks_of_a_single_score(detection, tmp_path):
    table = pd.read_csv(detection)
    table[table["score"] == "msp"].to_csv(tmp_path / "one.csv", index=False)
    data = score_rank.collect_data(str(tmp_path / "one.csv"), **WHO, trainings=["baseline"])
    assert data[["rank", "p"]].to_numpy().tolist() == [[1.0, 1.0]]
    assert len(score_rank.draw_figure(data).axes) == 1


def test_heatmap_of_the_first_training_has_no_change(detection, saved_twice):
    data = ood_heatmap.collect_data(detection, **WHO, first="baseline", training="baseline")
    figure = ood_heatmap.draw_figure(data)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["baseline: AUROC, %"]
    assert text_of(figure.axes[0])[:4] == [
        "61.0",
        "60.0",
        "62.0",
        "63.0",
    ]  # MSP: near, far, synthetic
    assert text_of(figure.axes[0])[-3:] == ["near", "far", "synthetic"]
    saved_twice(ood_heatmap, data)


def test_heatmap_shows_values_and_changes(detection, saved_twice):
    data = ood_heatmap.collect_data(detection, **WHO, first="baseline", training="oe_scratch")
    figure = ood_heatmap.draw_figure(data)
    left, right = figure.axes
    assert [t.get_text() for t in left.get_yticklabels()] == [
        "MSP",
        "energy",
        "ReAct",
        "ensemble, MSP",
    ]
    assert [t.get_text() for t in left.get_xticklabels()] == ["near 1", "far 1", "far 2", "noise"]
    assert text_of(left)[:4] == ["71.0", "80.0", "82.0", "43.0"]
    assert text_of(right) == ["+10", "+20", "+20", "-20"] * 3 + [
        "near",
        "far",
        "synthetic",
    ]  # the first training has no energy
    assert right.get_title(loc="left") == "minus baseline, percentage points"
    saved_twice(ood_heatmap, data)


def test_numbers_in_cells():
    assert [ood_heatmap.format_percent(v) for v in (97.34, 100.0, 5.0)] == ["97.3", "100", "5.0"]
    assert [ood_heatmap.format_percent(v, "+") for v in (12.3, -4.06, -0.04)] == [
        "+12",
        "-4.1",
        "0.0",
    ]
    assert [ood_heatmap.format_percent(v, longest=3) for v in (97.34, 100.0, 5.0)] == [
        "97",
        "100",
        "5.0",
    ]


def test_heatmap_of_many_sets_has_shorter_numbers():
    rows = [
        {
            "score": "msp",
            "family": "logits",
            "ood": f"set_{n}",
            "kind": "far",
            "auroc": 0.876,
            "change": 0.0123,
        }
        for n in range(70)
    ]
    few, many = (
        ood_heatmap.draw_figure(
            pd.DataFrame(rows[:n]).assign(training="oe_tune", against="baseline")
        )
        for n in (20, 70)
    )
    assert text_of(few.axes[0])[0] == "88"
    assert text_of(many.axes[0]) == ["far"]


def costs(tmp_path):
    rows = [
        {
            **WHO,
            "training": t,
            "seed": s,
            "score": score,
            "seconds_forward": 2.0,
            "seconds_predict": predict,
            "seconds_score": scoring,
            "peak_mb_forward": 50.0,
            "peak_mb": peak,
        }
        for t in ("baseline", "oe_tune")
        for s in (0, 1, 2)
        for score, predict, scoring, peak in (
            ("msp", 2.0, 0.001, 0.0),
            ("react", 2.0, 0.01, 3.0),
            ("ensemble_msp", 6.0, 0.001, 9.0),
        )
        if not (score == "ensemble_msp" and s)
    ]
    path = tmp_path / "costs.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return str(path)


def test_cost_beyond_the_forward_pass(detection, tmp_path, saved_twice):
    data = compute_cost.collect_data(
        costs(tmp_path), detection, **WHO, trainings=["baseline", "oe_tune", "oe_scratch"]
    )
    assert data["training"].unique().tolist() == ["baseline", "oe_tune"]
    baseline = data[data["training"] == "baseline"].set_index("score")
    np.testing.assert_allclose(baseline["seconds"], [0.001, 0.01, 4.001])
    np.testing.assert_allclose(baseline["auroc"], [0.615, 0.665, 0.765])
    assert baseline["forward_seconds"].tolist() == [2.0] * 3
    figure = compute_cost.draw_figure(data)
    left, right = figure.axes
    assert text_of(left) == ["", "MSP", "", "ReAct", "", "ensemble, MSP"]
    assert any(np.allclose(line.get_xdata(), 2.0) for line in left.lines)
    assert right.get_xlim()[0] < compute_cost.FLOORS["peak_mb"] < 50 < right.get_xlim()[1]
    labels = [t.get_text() for t in figure.legends[0].get_texts()]
    assert labels == ["baseline", "OE tune", "forward pass", "logits", "shaping", "ensemble"]
    saved_twice(compute_cost, data)


def test_cost_of_one_training(detection, tmp_path):
    data = compute_cost.collect_data(costs(tmp_path), detection, **WHO, trainings=["oe_tune"])
    labels = [t.get_text() for t in compute_cost.draw_figure(data).legends[0].get_texts()]
    assert labels[:2] == ["OE tune", "forward pass"]


def test_pareto_front():
    cost, value = np.array([3.0, 1.0, 2.0, 1.0, 4.0]), np.array([0.9, 0.5, 0.4, 0.6, 0.9])
    assert compute_cost.find_pareto_front(cost, value).tolist() == [3, 0]


def test_names_above_the_front_do_not_overlap():
    places = compute_cost.spread_labels(np.array([0.1, 0.11, 0.5, 0.98, 1.0]), 0.1)
    np.testing.assert_allclose(places, [0.1, 0.2, 0.5, 0.9, 1.0])
    assert (np.diff(compute_cost.spread_labels(np.full(6, 0.9), 0.05)) > 0.0499).all()
