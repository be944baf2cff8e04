"""drift.csv: streams of test images, times to the alarm."""

import numpy as np
import pandas as pd
import pytest

from oecal.core.errors import OecalError
from oecal.figures import drift
from oecal.tables.drift import COLUMNS, RATES, compute_table, draw_streams, summarize_alarms
from tests.run_files import written

ROLES = {"a/val": "id", "a/test": "id", "near/test": "near", "far/test": "far"}


def scored(path, rng, training="t", away=3.0, scores=("msp", "energy", "odin"), ood=True, seed=0):
    places = [place for place in ROLES if ood or place.startswith("a/")]
    shift = {place: away * (not place.startswith("a/")) for place in places}
    groups = {
        place: (ROLES[place], {score: rng.normal(size=600) + shift[place] for score in scores})
        for place in places
    }
    return written(path, groups, training=training, seed=seed)


def options(streams):
    return {"drift_streams": streams, "drift_length": 2000, "drift_onset": 500}


def test_streams():
    picks = draw_streams(100, [10, 1000], 0.5, 200, 80, 40)
    assert picks.shape == (200, 80)
    assert picks[:, :40].max() < 100
    assert all(len(set(line[line < 100])) == np.count_nonzero(line < 100) for line in picks)
    late = picks[:, 40:]
    assert np.mean(late >= 100) == pytest.approx(0.5, abs=0.03)
    assert np.mean(late[late >= 100] < 110) == pytest.approx(
        0.5, abs=0.03
    )  # the small set as often as the large one
    assert late.max() < 1110
    np.testing.assert_array_equal(picks, draw_streams(100, [10, 1000], 0.5, 200, 80, 40))
    assert draw_streams(100, [10], 0.0, 5, 100, 0).max() == 99


def test_summary_of_times():
    found = summarize_alarms(np.array([3, 10, 12, 19, -1]), 10)  # the first is false
    assert found == {"alarm_share": 0.75, "median_time": 3, "q25": 1, "q75": 10}
    assert summarize_alarms(np.array([-1, -1, 5]), 0)["alarm_share"] == pytest.approx(1 / 3)
    assert np.isnan(summarize_alarms(np.array([-1, -1, 5]), 0)["median_time"])
    assert np.isnan(summarize_alarms(np.array([1, 2]), 5)["alarm_share"])


def test_table(tmp_path, rng):
    found = compute_table([scored(tmp_path / "s.h5", rng)], **options(50))
    assert list(found) == COLUMNS
    assert found[["score", "ood_rate"]].to_numpy().tolist() == [
        [s, r] for s in ("msp", "energy") for r in RATES
    ]
    assert found["length"].unique().tolist() == [600]
    assert found["onset"].unique().tolist() == [0, 150]
    by = found.set_index(["score", "ood_rate"])
    assert by.loc[("msp", 0.0), ["set", "alarm_share"]].tolist() == ["id", 0]
    assert by.loc[("msp", 0.2), "alarm_share"] > 0.95
    assert (
        by.loc[("msp", 0.2), "q25"]
        <= by.loc[("msp", 0.2), "median_time"]
        <= by.loc[("msp", 0.2), "q75"]
        < 200
    )
    again = compute_table([scored(tmp_path / "s.h5", np.random.default_rng(0))], **options(50))
    pd.testing.assert_frame_equal(found, again)


def test_figure(tmp_path, rng):
    paths = [
        scored(tmp_path / f"{t}{s}.h5", rng, t, away, seed=s)
        for t, away in (("baseline", 1.0), ("oe", 4.0))
        for s in (0, 1)
    ]
    compute_table(paths, **options(20)).to_csv(tmp_path / "drift.csv", index=False)
    data = drift.collect_data(str(tmp_path / "drift.csv"), "a", "m", ["oe", "baseline"])
    assert data["training"].unique().tolist() == ["oe", "baseline"]
    top, _, bottom, _ = drift.draw_figure(data).axes
    assert top.get_title() == "MSP"
    open_ = [len(line.get_xdata()) for line in top.lines if line.get_markerfacecolor() == "white"]
    assert sum(open_) >= 4  # 1% of OOD images is not noticed by most streams
    shares = np.concatenate(
        [line.get_ydata() for line in bottom.lines if line.get_marker() != "None"]
    )
    assert len(shares) == 4


def test_without_ood_sets_or_scores(tmp_path, rng):
    found = compute_table([scored(tmp_path / "a.h5", rng, ood=False)], **options(10))
    assert found["ood_rate"].tolist() == [0, 0]
    other = compute_table(
        [scored(tmp_path / "b.h5", rng, scores=("max_logit", "msp"))], **options(10)
    )
    assert other["score"].unique().tolist() == ["msp"]
    nothing = compute_table([scored(tmp_path / "c.h5", rng, scores=("max_logit",))], **options(10))
    assert nothing["set"].tolist() == ["none"]
    nothing.to_csv(tmp_path / "drift.csv", index=False)
    with pytest.raises(OecalError, match="add one of: msp"):
        drift.collect_data(str(tmp_path / "drift.csv"), "a", "m", ["t"])
