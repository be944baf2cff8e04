"""prevalence.csv and its figure: the share of OOD is what it says, and closed forms hold."""

import h5py
import numpy as np
import pytest

from oecal.figures import prevalence as figure
from oecal.figures import style
from oecal.runs.run_files import StoredRun, StoredSet, mix_at_rate, share_equally
from oecal.tables import prevalence

OPTIONS = {"bins": 15, "ood_rates": [0.01, 0.05, 0.17, 0.5]}
SETS = {
    "a/test": ("id", 400),
    "a/val": ("id", 300),
    "b/test": ("near", 200),
    "c/test": ("far", 150),
    "d/test": ("shift", 50),
}


def run_of(**sizes):
    roles = {"a": "id", "d": "shift"}
    groups = [
        StoredSet(name, "test", roles.get(name, "far"), {"logits": np.zeros((n, 2))})
        for name, n in sizes.items()
    ]
    return StoredRun({}, "classifier", 4, groups, {})


def written(path, training, seed, sets=SETS):
    """A classifier that is right on 9 of 10 ID images; its confidence is 0.9 on all images."""
    z = np.log(9.0)
    with h5py.File(path, "w") as file:
        file.attrs.update(
            in_dist="a",
            model="m",
            training=training,
            seed=seed,
            kind="classifier",
            dims=4,
            order=list(sets),
        )
        for place, (role, n) in sets.items():
            file[f"{place}/logits"] = np.tile([z, 0.0], (n, 1))
            file[f"{place}/labels"] = (np.arange(n) % 10 == 0).astype(int)
            file[place].attrs["role"] = role
    return str(path)


@pytest.mark.parametrize(
    ("sizes", "total", "expected"),
    [
        ([5, 5, 5], 9, [3, 3, 3]),
        ([2, 50, 50], 42, [2, 20, 20]),
        ([3, 1, 4], 8, [3, 1, 4]),
        ([4, 4], 0, [0, 0]),
        ([0, 7], 3, [0, 3]),
    ],
)
def test_shares(sizes, total, expected):
    np.testing.assert_array_equal(share_equally(sizes, total), expected)


def test_shares_that_cannot_be_equal():
    given = share_equally([1, 20, 20, 20], 12)
    assert given.sum() == 12
    assert given[0] == 1
    assert sorted(given[1:]) == [3, 4, 4]
    np.testing.assert_array_equal(given, share_equally([1, 20, 20, 20], 12))


@pytest.mark.parametrize(
    ("rate", "id_images", "ood_images"),
    [(0.01, 100, 1), (0.2, 100, 25), (0.5, 72, 72), (0.9, 8, 72), (1e-6, 100, 1)],
)
def test_mixed_has_the_rate(rate, id_images, ood_images):
    """72 OOD images in all: at a rate of 0.5 and more, ID images are left out.

    A shift is not OOD.
    """
    run = run_of(a=100, b=50, c=20, d=50, e=2)
    parts = mix_at_rate(run, rate)
    assert [g.set for g, _ in parts] == ["a", "b", "c", "e"]
    assert (len(parts[0][1]), sum(len(i) for _, i in parts[1:])) == (id_images, ood_images)
    assert all(len(np.unique(i)) == len(i) and (i < len(g)).all() for g, i in parts)
    assert all(
        np.array_equal(one, two)
        for (_, one), (_, two) in zip(parts, mix_at_rate(run, rate), strict=True)
    )


def test_more_ood_adds_to_what_was_drawn():
    run = run_of(a=100, b=50, c=50)
    few, many = mix_at_rate(run, 0.1), mix_at_rate(run, 0.3)
    assert all(set(one) <= set(two) for (_, one), (_, two) in zip(few, many, strict=True))


def test_without_ood_there_is_id_alone():
    assert [(g.set, len(i)) for g, i in mix_at_rate(run_of(a=10, d=5), 0.5)] == [("a", 10)]


def test_table_in_closed_form(tmp_path):
    """Calibrated on ID, so T = 1 stays.

    With a share r of OOD the accuracy is 0.9 (1 - r), and every error of calibration 0.9 r.
    """
    found = prevalence.compute_table([written(tmp_path / "x.h5", "t", 0)], **OPTIONS)
    assert list(found.columns) == prevalence.COLUMNS
    assert found["post_hoc"].tolist() == ["none"] * 4 + ["temperature"] * 4
    np.testing.assert_allclose(found["ood_rate"], OPTIONS["ood_rates"] * 2)
    np.testing.assert_allclose(found["rate"][:4], [4 / 404, 21 / 421, 82 / 482, 0.5])
    right = found["accuracy"] / (1 - found["rate"])
    np.testing.assert_allclose(right[:3], 0.9)
    assert right[3] == pytest.approx(0.9, abs=0.03)  # 350 of the 400 ID images are drawn
    np.testing.assert_allclose(found["mean_confidence"], 0.9, atol=1e-4)
    for metric in ("ece", "rms", "mad"):
        np.testing.assert_allclose(
            found[metric], found["mean_confidence"] - found["accuracy"], atol=1e-9
        )
    assert found["n"].tolist() == [404, 421, 482, 700] * 2


def test_table_without_ood(tmp_path):
    sets = {place: SETS[place] for place in ("a/test", "a/val", "d/test")}
    found = prevalence.compute_table([written(tmp_path / "x.h5", "t", 0, sets)], **OPTIONS)
    assert found["n"].tolist() == [0]
    assert found["ece"].isna().all()


def test_figure(tmp_path):
    paths = [
        written(tmp_path / f"{t}{s}.h5", t, s) for t in ("oe_tune", "baseline") for s in (0, 1)
    ]
    prevalence.compute_table(paths, **OPTIONS).to_csv(tmp_path / "prevalence.csv", index=False)
    data = figure.collect_data(str(tmp_path / "prevalence.csv"), "a", "m", ["baseline", "oe_tune"])
    assert data["training"].unique().tolist() == ["baseline", "oe_tune"]
    drawn = figure.draw_figure(data)
    ece, _, excess = drawn.axes
    np.testing.assert_allclose(
        ece.lines[0].get_xdata(), [100 * 4 / 404, 100 * 21 / 421, 100 * 82 / 482, 50]
    )
    np.testing.assert_allclose(excess.lines[0].get_ydata(), ece.lines[0].get_ydata())
    assert [line.get_linestyle() for line in ece.lines[:4]] == ["-", "--", "-", "--"]
    assert [t.get_text() for t in ece.get_xticklabels()] == ["1", "5", "17", "50"]
    assert [t.get_text() for t in drawn.legends[0].get_texts()] == [
        "baseline",
        "OE tune",
        "after temperature scaling",
    ]
    style.plt.close("all")


def test_figure_without_ood(tmp_path):
    sets = {place: SETS[place] for place in ("a/test", "a/val")}
    prevalence.compute_table([written(tmp_path / "x.h5", "t", 0, sets)], **OPTIONS).to_csv(
        tmp_path / "p.csv", index=False
    )
    drawn = figure.draw_figure(figure.collect_data(str(tmp_path / "p.csv"), "a", "m", ["t"]))
    style.save_figure(drawn, tmp_path / "p.png")
    assert len(drawn.axes[0].lines) == 1  # the legend's
