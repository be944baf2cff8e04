"""Figures on small frames: what must be seen in them."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from oecal.figures import (
    confidence_histograms,
    likelihood_histograms,
    reliability,
    risk_coverage,
    style,
    training_curves,
)


def test_names_for_readers():
    assert [style.display_name(k) for k in ("oe_tune", "msp", "h_u_p", "letters_n_z")] == [
        "OE tune",
        "MSP",
        "H(U; p)",
        "letters n z",
    ]


def test_save_leaves_no_date_and_nothing_half_written(tmp_path):
    def draw():
        figure, axes = style.make_panels(1, 1, 2.0)
        axes[0][0].plot([0, 1])
        return figure

    for name in ("a", "b"):
        style.save_figure(draw(), tmp_path / f"{name}.pdf", tmp_path / f"{name}.png")
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert b"CreationDate" not in (tmp_path / "a.pdf").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.pdf", "a.png", "b.pdf", "b.png"]


def test_reliability_shows_the_ece_of_each_panel():
    part = {
        "training": "baseline",
        "seed": 0,
        "confidence": np.full(10, 0.9),
        "correct": np.r_[np.ones(4), np.zeros(6)],
    }
    data = pd.concat(
        [pd.DataFrame({**part, "set": s, "post_hoc": p}) for s, p in reliability.COLUMNS]
    )
    figure = reliability.draw_figure(data, 10)
    assert [t.get_text() for ax in figure.axes for t in ax.texts] == ["ECE 0.500"] * 4
    assert np.nanmax(figure.axes[0].patches[0].get_data().values) == pytest.approx(0.4)


def test_histograms_and_curves_have_a_panel_per_training(rng):
    both = ["baseline", "oe_tune"]
    frame = pd.concat(
        [
            pd.DataFrame({"training": t, "group": g, "confidence": rng.random(9)})
            for t in both
            for g in ("id", "far")
        ]
    )
    assert len(confidence_histograms.draw_figure(frame).axes) == 4
    roles = [("a", "train"), ("a", "test"), ("b", "far"), ("c", "synthetic")]
    frame = pd.concat(
        [
            pd.DataFrame({"training": t, "set": s, "role": r, "bits": -rng.random(50) * 8})
            for t in both
            for s, r in roles
        ]
    )
    figure = likelihood_histograms.draw_figure(frame)
    assert [ax.get_title() for ax in figure.axes] == ["baseline", "OE tune"]
    labels = [t.get_text() for t in figure.legends[0].get_texts()]
    assert labels == [
        "a, train (in-distribution)",
        "a, test (in-distribution)",
        "b (far)",
        "c (synthetic)",
    ]


def test_risk_coverage_and_training_curves():
    grid = risk_coverage.GRID
    rows = [
        {
            "training": "baseline",
            "seed": s,
            "set": k,
            "score": "msp",
            "coverage": grid,
            "risk": grid,
            "best": 0 * grid,
        }
        for s in (0, 1)
        for k in ("id", "pooled")
    ]
    figure = risk_coverage.draw_figure(pd.concat(map(pd.DataFrame, rows)))
    np.testing.assert_allclose(figure.axes[0].lines[0].get_ydata(), 100 * grid)
    history = pd.DataFrame(
        {
            "epoch": [1, 2, 1],
            "loss": [3.0, 2.0, 4.0],
            "val_bpd": [5, 4, 6.0],
            "training": ["a", "a", "b"],
            "seed": 0,
        }
    )
    figure = training_curves.draw_figure(history)
    assert isinstance(figure, Figure)
    assert [ax.get_title() for ax in figure.axes] == [
        "training loss, nats",
        "validation, bits per dimension",
    ]
