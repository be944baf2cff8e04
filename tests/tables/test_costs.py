"""What a score costs: forward passes, also of other seeds, costly methods, and the scoring."""

import pandas as pd
import pytest

from oecal.tables.costs import COLUMNS, compute_table


def write(folder, kind, run, column, rows):
    path = folder / "costs" / kind / f"{run}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows, columns=[column, "images", "seconds", "peak_mb"]).to_csv(path, index=False)
    return str(path)


@pytest.fixture
def found(tmp_path):
    runs = ["a/wrn/baseline/seed0", "a/wrn/baseline/seed1", "a/wrn/oe_tune/seed0"]
    predicted = [
        [("outputs", 2000, 4.0, 10.0), ("dropout", 100, 3.0, 70.0)],
        [("outputs", 2000, 6.0, 10.0), ("dropout", 100, 3.0, 70.0)],
        [("outputs", 2000, 8.0, 10.0), ("dropout", 100, 3.0, 70.0)],
    ]
    scored = [
        ("msp", 500, 0.5, 1.5),
        ("dropout_entropy", 50, 0.1, 0.5),
        ("laplace_msp", 500, 1.0, 90.0),
    ]
    outputs = [
        write(tmp_path, "outputs", run, "name", rows)
        for run, rows in zip(runs, predicted, strict=True)
    ]
    scores = [
        write(
            tmp_path,
            "scores",
            run,
            "score",
            scored + [("ensemble_msp", 500, 0.5, 2.0)] * (run == runs[0]),
        )
        for run in runs
    ]
    return compute_table(outputs, scores)


def test_a_row_for_each_run_and_score(found):
    assert list(found.columns) == COLUMNS
    assert len(found) == 3 * 3 + 1
    assert found["seed"].tolist() == [0] * 4 + [1] * 3 + [0] * 3


def test_seconds_are_for_a_thousand_images(found):
    at = found.set_index(["training", "seed", "score"])
    assert at.loc["oe_tune", 0, "msp"][
        ["seconds_forward", "seconds_predict", "seconds_score"]
    ].tolist() == pytest.approx([4, 4, 1])
    assert at.loc["baseline", 1, "dropout_entropy"][
        ["seconds_predict", "seconds_score"]
    ].tolist() == pytest.approx([3 + 30, 2])
    assert at.loc["baseline", 0, "ensemble_msp"][
        ["seconds_forward", "seconds_predict"]
    ].tolist() == pytest.approx([2, 2 + 3])


def test_memory_is_the_highest(found):
    peak = found.set_index(["training", "seed", "score"])["peak_mb"]
    assert peak["baseline", 0].to_dict() == {
        "msp": 1.5,
        "dropout_entropy": 70.0,
        "laplace_msp": 90.0,
        "ensemble_msp": 2.0,
    }
    assert (found["peak_mb_forward"] == 10).all()


def test_a_ratio_needs_a_second_model(tmp_path):
    run = "a/pixelcnn/oe_tune/seed0"
    outputs = write(tmp_path, "outputs", run, "name", [("outputs", 1000, 7.0, 10.0)])
    scores = write(tmp_path, "scores", run, "score", [("likelihood_ratio", 500, 0.0, 0.1)])
    assert compute_table([outputs], [scores])["seconds_predict"].tolist() == [14.0]
