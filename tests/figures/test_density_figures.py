"""Figures of density models that are drawn from their outputs: what must be seen in them."""

import h5py
import numpy as np
import pandas as pd
import pytest

from oecal.core.errors import OecalError
from oecal.figures import (
    constant_inputs,
    likelihood_extremes,
    likelihood_histograms,
    likelihood_vs_complexity,
    roc,
    samples,
    style,
)

DIMS = 4
NAT = DIMS * np.log(2)  # nats of one bit per dimension
TRAININGS = ["baseline", "oe_tune", "oe_letters", "oe_noise", "oe_scratch"]
ROLES = {"a": "id", "b": "far", "c": "synthetic"}


def write(path, training="baseline", seed=0, n=20, bpd=2.0, probes=True):
    """An outputs file with ID train and test, a far and a synthetic set.

    All images of a set differ a little.
    """
    with h5py.File(path, "w") as file:
        file.attrs.update(
            {
                "in_dist": "a",
                "model": "m",
                "training": training,
                "seed": str(seed),
                "kind": "density",
                "dims": DIMS,
            }
        )
        file.attrs["order"] = ["a/train", "a/test", "b/test", "c/test"]
        for k, place in enumerate(file.attrs["order"]):
            group = file.create_group(place)
            group.attrs["role"] = ROLES[place[0]]
            group["log_likelihood"] = -NAT * (bpd + k / 10 + np.linspace(0, 0.05, n))
            group["png_bits"] = DIMS * (3.0 + np.linspace(0, 1, n))
        if probes:
            file["probe/constant/log_likelihood"] = -NAT * np.linspace(0.5, 1.5, 256)
            file["probe/contrast/log_likelihood"] = -NAT * np.array(
                [[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]
            )
            file["probe/contrast/factor"] = [0.0, 0.5, 1.0]
            file["samples/images"] = np.arange(20 * 4, dtype=np.uint8).reshape(20, 1, 2, 2)
    return str(path)


def text_of(figure):
    return [text.get_text() for ax in figure.axes for text in ax.texts]


def test_wrapped_axes_are_evenly_filled():
    for count, rows, columns in ((1, 1, 1), (3, 1, 3), (4, 2, 2), (5, 2, 3), (7, 3, 3)):
        figure, axes = style.make_wrapped_panels(count, 3, 1.0, 2.0)
        assert len(axes) == count
        assert figure.axes[0].get_subplotspec().get_gridspec().get_geometry() == (rows, columns)
        assert figure.get_size_inches()[1] == 1.0 + 2.0 * rows


def test_fixed_places_stay_in_each_format(tmp_path):
    """Matplotlib turns the default layout on after it has saved a figure without one."""
    figure = samples.draw_figure(samples.collect_data([write(tmp_path / "x.h5")]))
    before = figure.axes[0].get_position().bounds
    style.save_figure(figure, tmp_path / "x.pdf", tmp_path / "x.png")
    assert figure.axes[0].get_position().bounds == before


def test_complexity_is_in_the_unit_of_the_likelihood(tmp_path, saved_twice):
    paths = [write(tmp_path / f"{t}.h5", t) for t in TRAININGS[:2]]
    data = likelihood_vs_complexity.collect_data(paths, write(tmp_path / "statistics.h5"))
    assert data.groupby(["training", "role"]).size().tolist() == [20] * 6
    first = data[(data["training"] == "baseline") & (data["role"] == "test")]
    np.testing.assert_allclose(first["png"], 3 + np.linspace(0, 1, 20))
    np.testing.assert_allclose(first["bpd"], 2.1 + np.linspace(0, 0.05, 20))
    figure = likelihood_vs_complexity.draw_figure(data)
    assert text_of(figure) == ["ID: Spearman 1.00"] * 2
    assert [ax.get_title() for ax in figure.axes] == ["baseline", "OE tune"]
    saved_twice(likelihood_vs_complexity, data)


def test_complexity_range_follows_the_first_training(tmp_path):
    paths = [write(tmp_path / "one.h5"), write(tmp_path / "two.h5", "oe_tune", bpd=5000.0)]
    figure = likelihood_vs_complexity.draw_figure(
        likelihood_vs_complexity.collect_data(paths, paths[0])
    )
    assert figure.axes[0].get_ylim()[1] < 30


def test_probes(tmp_path, saved_twice):
    paths = [write(tmp_path / f"{t}{s}.h5", t, s) for t in TRAININGS[:2] for s in (0, 1)]
    data = constant_inputs.collect_data(paths)
    part = data[(data["training"] == "baseline") & (data["seed"] == 0)]
    constant, contrast, inside = (part[part["probe"] == p] for p in ("constant", "contrast", "id"))
    np.testing.assert_allclose(constant["bpd"], np.linspace(0.5, 1.5, 256))
    assert constant["at"].tolist() == list(range(256))
    np.testing.assert_allclose(contrast[["at", "bpd"]].to_numpy(), [[0, 1.5], [0.5, 2.5], [1, 3.5]])
    np.testing.assert_allclose(inside["bpd"], 2.125)
    figure = constant_inputs.draw_figure(data)
    left, right = figure.axes
    np.testing.assert_allclose(left.lines[0].get_ydata(), np.linspace(0.5, 1.5, 256))
    assert right.get_xlim() == (1, 0)
    assert figure.legends[0].get_texts()[-1].get_text() == "ID test images, baseline: 2.12"
    saved_twice(constant_inputs, data)


@pytest.mark.parametrize("module", [constant_inputs, samples])
def test_files_without_probes_are_named(tmp_path, module):
    with pytest.raises(
        OecalError,
        match="old.h5: is damaged, or was not written by this workflow .*; delete it and run again",
    ):
        module.collect_data([write(tmp_path / "old.h5", probes=False)])


def test_samples_show_the_images_pixel_by_pixel(tmp_path, saved_twice):
    data = samples.collect_data([write(tmp_path / f"{t}.h5", t) for t in TRAININGS])
    assert len(data) == 16 * 5
    whole = samples.tile_images(list(data["image"][:16]))
    assert whole.shape == (4 * 2 + 3 * samples.GAP, 4 * 2 + 3 * samples.GAP, 3)
    assert whole[:2, :2, 0].tolist() == [[0, 1], [2, 3]]
    assert whole[4:6, 4:6, 2].tolist() == [
        [20, 21],
        [22, 23],
    ]  # the sixth image: second row, second column
    assert (whole[2:4] == 255).all()
    colour = np.arange(12, dtype=np.uint8).reshape(3, 2, 2)
    assert samples.tile_images([colour])[1, 1].tolist() == [3, 7, 11]
    assert [ax.get_title() for ax in samples.draw_figure(data).axes] == [
        style.display_name(t) for t in TRAININGS
    ]
    saved_twice(samples, data)


def test_histograms_name_what_lies_outside(rng):
    roles = [("a", "train", 3.0), ("a", "test", 3.0), ("b", "far", 2.0)]
    frame = pd.concat(
        pd.DataFrame(
            {
                "training": t,
                "set": s,
                "role": r,
                "bits": -m - rng.random(100) - (70 if t == "oe_letters" and s == "b" else 0),
            }
        )
        for t in TRAININGS
        for s, r, m in roles
    )
    figure = likelihood_histograms.draw_figure(frame)
    assert text_of(figure) == ["further left:\nb 100%"]
    assert figure.axes[0].get_xlim()[0] >= -8
    assert [ax.get_title() for ax in figure.axes if ax.axison] == [
        style.display_name(t) for t in TRAININGS
    ]


@pytest.mark.parametrize("count", [1, 3, 5])
def test_extremes_and_roc_take_many_trainings(rng, count):
    image = np.zeros((1, 4, 4), np.uint8)
    rows = [
        {"training": t, "set": s, "end": e, "bpd": rng.random(), "image": image}
        for t in TRAININGS[:count]
        for s in ("a", "b")
        for e in ("most", "least")
        for _ in range(6)
    ]
    titles = [
        t
        for ax in likelihood_extremes.draw_figure(pd.DataFrame(rows)).axes
        if (t := ax.get_title())
    ]
    assert titles == [
        f"{style.display_name(t)}: {end} likely"
        for t in TRAININGS[:count]
        for end in ("most", "least")
    ]
    curve = pd.DataFrame(
        {
            "seed": 0,
            "set": "b",
            "role": "far",
            "score": "msp",
            "fpr": roc.GRID,
            "tpr": roc.GRID,
            "auroc": 0.5,
        }
    )
    curves = [curve.assign(training=t) for t in TRAININGS[:count]]
    axes = [ax for ax in roc.draw_figure(pd.concat(curves)).axes if ax.axison]
    assert [ax.get_title() for ax in axes] == [
        f"{style.display_name(t)}, MSP" for t in TRAININGS[:count]
    ]
    assert all(ax.get_legend().get_texts()[0].get_text() == "50.0  b" for ax in axes)
