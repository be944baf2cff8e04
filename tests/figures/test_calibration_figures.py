"""Calibration per training, and by the size and the length of a training."""

import numpy as np
import pandas as pd
import pytest

from oecal.figures import id_or_pooled, style, training_size

KEY = {"in_dist": "a", "model": "m"}


def calibration(path, trainings, post_hoc=("none", "temperature")):
    """ECE 0.02 on ID and 0.1 pooled, confidence 0.05 above the accuracy there.

    a corrupted set that no figure here shows.
    """
    rows = [
        {
            **KEY,
            "training": t,
            "seed": seed,
            "post_hoc": p,
            "set": s,
            "ece": {"id": 0.02}.get(s, 0.1) + 0.01 * n,
            "rms": 0.2,
            "accuracy": 0.9,
            "mean_confidence": 0.95,
        }
        for n, t in enumerate(trainings)
        for seed in (0, 1)
        for p in post_hoc
        for s in ("id", "pooled", "blur-3")
    ]
    pd.DataFrame([*rows, {**rows[0], "model": "other"}]).to_csv(path, index=False)
    return str(path)


def test_id_or_pooled(tmp_path):
    path = calibration(tmp_path / "c.csv", ["mixup", "baseline", "unasked"])
    data = id_or_pooled.collect_data(path, "a", "m", ["baseline", "mixup"])
    assert data["training"].unique().tolist() == ["baseline", "mixup"]
    assert len(data) == 2 * 2 * 2 * 2
    np.testing.assert_allclose(data["excess"], 0.05)
    rms, ece, _ = id_or_pooled.draw_figure(data).axes
    assert [t.get_text() for t in rms.get_yticklabels()] == ["baseline", "mixup"]
    points = [
        (line.get_xdata()[0], line.get_ydata()[0])
        for line in ece.lines
        if line.get_marker() in ("o", "s")
    ]
    np.testing.assert_allclose(points, [(3, -0.14), (2, 0.86)] * 2 + [(11, 0.14), (10, 1.14)] * 2)
    style.plt.close("all")


TRAININGS = {  # objective, train_images (0: all), steps
    "baseline": ("baseline", 0, 100),
    "few": ("baseline", 50, 100),
    "more": ("baseline", 9999, 100),
    "long": ("baseline", 0, 400),
    "oe": ("oe", 0, 100),
    "oe_few": ("oe", 50, 100),
}


@pytest.fixture
def tables(tmp_path):
    about = [
        {**KEY, "training": t, "seed": seed, "objective": o, "train_images": n, "steps": steps}
        for t, (o, n, steps) in TRAININGS.items()
        for seed in (0, 1)
    ]
    pd.DataFrame(about).to_csv(tmp_path / "t.csv", index=False)
    sizes = pd.DataFrame(
        {"name": ["b", "a", "a"], "split": ["train", "val", "train"], "n": [7, 30, 800]}
    )
    sizes.to_csv(tmp_path / "d.csv", index=False)
    calibration(tmp_path / "c.csv", TRAININGS)
    return {
        argument: str(tmp_path / f"{argument[0]}.csv")
        for argument in ("calibration", "trainings_table", "datasets")
    }


def test_training_size(tables):
    data = training_size.collect_data(**tables, in_dist="a", model="m")
    size, length = (data[data["axis"] == axis] for axis in ("train_images", "steps"))
    assert sorted(
        size.drop_duplicates(["objective", "at"])[["objective", "at"]].itertuples(
            index=False, name=None
        )
    ) == [("baseline", 50), ("baseline", 800), ("oe", 50), ("oe", 800)]
    assert sorted(
        length.drop_duplicates(["objective", "at"])[["objective", "at"]].itertuples(
            index=False, name=None
        )
    ) == [("baseline", 100), ("baseline", 400), ("oe", 100)]
    assert set(data["set"]) == {"id", "pooled"}


def test_training_size_is_drawn(tables, tmp_path):
    """`more` asks for more images than there are, so it stands where `baseline` does.

    There the mean of both is drawn.
    """
    figure = training_size.draw_figure(training_size.collect_data(**tables, in_dist="a", model="m"))
    style.save_figure(figure, tmp_path / "f.png")
    ece = figure.axes[1].lines[0]
    np.testing.assert_allclose(ece.get_xdata(), [50, 800])
    np.testing.assert_allclose(ece.get_ydata(), [3, (2 + 4) / 2])
    assert [t.get_text() for t in figure.axes[0].get_xticklabels()] == ["50", "800"]
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["baseline", "OE"]
