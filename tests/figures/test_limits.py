"""The figures of the limits: which cell says what."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Rectangle

from oecal.figures import limits, limits_by_set
from oecal.tables.limits import COLUMNS

KEYS = ["factor", "setting", "measure", "kind", "ood", "difference", "control_value", "verdict"]
ROWS = [
    ("weight", "0", "auroc_msp", "far", "", 0.123, 0.5, "helps"),
    ("weight", "0", "auroc_msp", "far", "kmnist", 0.003, 0.5, "nothing"),
    ("weight", "0", "auroc_msp", "near", "letters", -0.2, 0.5, "hurts"),
    ("weight", "0", "ece", "id", "", 0.004, 0.5, "hurts"),
    ("weight", "0.5", "auroc_msp", "far", "", -0.001, 0.5, "nothing"),
    ("weight", "0.5", "rms", "id", "", -0.3, 0.5, "helps"),
    ("number", "0", "images", "", "", 150.0, 300.0, "hurts"),
]


@pytest.fixture
def path(tmp_path):
    pd.DataFrame(ROWS, columns=KEYS).reindex(columns=COLUMNS).to_csv(
        tmp_path / "limits.csv", index=False
    )
    return str(tmp_path / "limits.csv")


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def filled(figure):
    return [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]


def test_frame(path):
    data = limits.collect_data(path)
    assert data[["setting", "group", "column", "verdict"]].to_numpy().tolist() == [
        ["0", "AUROC of MSP\n(more: better)", "far", "helps"],
        ["0", "ECE\n(less: better)", "ID", "hurts"],
        ["0.5", "AUROC of MSP\n(more: better)", "far", "nothing"],
        ["0", "images\nseen", "%", "hurts"],
    ]
    np.testing.assert_allclose(data["difference"], [12.3, 0.4, -0.1, 50])


def test_cells(path, saved_twice):
    data = limits.collect_data(path)
    figure = limits.draw_figure(data)
    assert {"+12.3", "-0.1", "+0.4", "+50.0", "weight", "0", "0.5", "number"} <= set(texts(figure))
    helps, hurts = filled(figure)  # neither what shows nothing nor the price is coloured
    assert (helps.get_hatch() or "", hurts.get_hatch()) == ("", "////")
    assert helps.get_facecolor()[3] == limits.SHADES[10]
    assert hurts.get_facecolor()[3] == limits.SHADES[0]
    saved_twice(limits, data)


def test_of_each_set(path, saved_twice):
    data = limits_by_set.collect_data(path)
    assert data[["group", "column"]].to_numpy().tolist() == [["far", "KMNIST"], ["near", "letters"]]
    figure = limits_by_set.draw_figure(data)
    assert {"-20.0", "+0.3"} <= set(texts(figure))
    assert texts(figure).index("near") < texts(figure).index("far")
    assert [patch.get_hatch() for patch in filled(figure)] == ["////"]
    saved_twice(limits_by_set, data)
