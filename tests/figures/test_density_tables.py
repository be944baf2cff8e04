"""Figures of density models that are drawn from tables: scores, gains of Outlier Exposure."""

import numpy as np
import pandas as pd

from oecal.figures import density_scores, oe_density_gain
from oecal.scores.catalogue import list_scores

TRAININGS = ["baseline", "oe_tune", "oe_letters", "oe_noise", "oe_scratch"]


def text_of(figure):
    return [text.get_text() for ax in figure.axes for text in ax.texts]


def detection(tmp_path, trainings, seeds=(0, 1)):
    """baseline inverts everything but noise; oe_letters repairs only the far set x."""
    sets = {
        "x": ("far", 0.1, 0.9),
        "y": ("near", 0.3, 0.3),
        "n1": ("synthetic", 1.0, 1.0),
        "n2": ("synthetic", 0.0, 0.2),
    }
    rows = [
        {
            "in_dist": "a",
            "model": "m",
            "training": t,
            "seed": s,
            "ood": o,
            "kind": k,
            "score": score,
            "auroc": two if "letters" in t else one,
        }
        for t in trainings
        for s in seeds
        for o, (k, one, two) in sets.items()
        for score in ("log_likelihood", "typicality_10", "png_size")
    ]
    table = pd.DataFrame(rows)
    table.loc[table["score"] == "png_size", "auroc"] = 0.99
    path = tmp_path / "detection.csv"
    pd.concat([table, table.assign(model="other")]).to_csv(path, index=False)
    return str(path)


def test_scores_with_published_numbers(tmp_path, saved_twice):
    sources = {"a": "cifar10", "x": "svhn", "y": "cifar100", "n1": "gaussian"}
    data = density_scores.collect_data(
        detection(tmp_path, TRAININGS[:3]), "a", "m", ["baseline", "oe_tune"], sources
    )
    assert data["training"].unique().tolist() == ["baseline", "oe_tune", density_scores.THEIRS]
    assert len(data[data["training"] != density_scores.THEIRS]) == 2 * 2 * 4 * 3
    cell = (
        (data["training"] == density_scores.THEIRS)
        & (data["ood"] == "x")
        & (data["score"] == "log_likelihood")
    )
    theirs = data[cell & data["source"].str.startswith("PixelCNN++")]
    assert theirs[["of", "auroc"]].to_numpy().tolist() == [["baseline", 0.158], ["oe_tune", 0.758]]
    assert len(data[cell]) > 2  # there is none of a model called m
    assert density_scores.sort_scores(data) == ["log_likelihood", "typicality_10", "png_size"]
    figure = density_scores.draw_figure(data)
    assert [ax.get_title().split("\n")[0] for ax in figure.axes] == [
        "y",
        "x",
        "synthetic",
    ]  # near, far, synthetic
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == [
        "log-likelihood",
        "typicality, M = 10",
        "PNG size",
    ]
    legend = [t.get_text() for t in figure.legends[0].get_texts()]
    assert legend == ["baseline", "OE tune", "no model", "published"]
    np.testing.assert_allclose(
        figure.axes[2].lines[0].get_xdata(), [50, 50]
    )  # the mean of 100 and 0
    assert "a  PixelCNN++: Hendrycks et al. 2019, table 5" in figure.get_supxlabel()
    saved_twice(density_scores, data)


def test_published_numbers_of_the_same_architecture_come_first(tmp_path):
    table = pd.read_csv(detection(tmp_path, ["baseline"])).assign(model="pixelcnn_small")
    table.to_csv(tmp_path / "named.csv", index=False)
    data = density_scores.collect_data(
        str(tmp_path / "named.csv"),
        "a",
        "pixelcnn_small",
        ["baseline"],
        {"a": "cifar10", "x": "svhn"},
    )
    cell = data[(data["training"] == density_scores.THEIRS) & (data["score"] == "log_likelihood")]
    assert cell["source"].unique().tolist() == ["PixelCNN++: Hendrycks et al. 2019, table 5"]
    other = data[(data["training"] == density_scores.THEIRS) & (data["score"] == "png_size")]
    assert other["auroc"].tolist() == [0.921]


def test_scores_of_sets_that_nobody_published(tmp_path):
    data = density_scores.collect_data(detection(tmp_path, TRAININGS), "a", "m", TRAININGS, {})
    figure = density_scores.draw_figure(data)
    assert figure.get_supxlabel() == "AUROC, %"
    assert len(figure.legends[0].get_texts()) == len(TRAININGS) + 1


def test_plain_scores_are_those_of_their_file():
    assert set(density_scores.PLAIN) == {
        name for name, score in list_scores().items() if score.module == "oecal.scores.plain"
    }


def test_published_numbers():
    table = pd.read_csv(density_scores.PUBLISHED)
    assert table["auroc"].between(0, 1).all()
    assert (
        table[["in_dist", "ood", "model", "training", "score", "reference"]].notna().all(axis=None)
    )
    assert not table.duplicated(["in_dist", "ood", "model", "training", "score", "reference"]).any()
    assert set(table["score"].str.replace(r"_\d+$", "", regex=True)) <= set(list_scores())


def likelihood(tmp_path, trainings, seeds=(0, 1)):
    base = {"a": 3.0, "x": 1.0, "y": 2.0, "n1": 8.0, "n2": 0.5, "a/train": 2.9}
    rows = [
        {
            "in_dist": "a",
            "model": "m",
            "training": t,
            "seed": s,
            "set": k,
            "bpd_sd": 0.1,
            "n": 9,
            "bpd_mean": bpd
            + s / 10
            + (0.25 if t != "baseline" and k == "a" else 70 if "letters" in t and k == "x" else 0),
        }
        for t in trainings
        for s in seeds
        for k, bpd in base.items()
    ]
    path = tmp_path / "likelihood.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return str(path)


def how(tmp_path, alike=""):
    """trainings.csv"""
    path = tmp_path / "trainings.csv"
    rows = [
        {"in_dist": "a", "model": "m", "training": t, "seed": 0, "outliers": "", "alike": ""}
        for t in TRAININGS
    ]
    rows[2].update(outliers="letters_a_m photos", alike=alike)
    pd.DataFrame(rows).to_csv(path, index=False)
    return str(path)


def test_gain_of_outlier_exposure_is_within_a_seed(tmp_path, saved_twice):
    tables = detection(tmp_path, TRAININGS[:3]), likelihood(tmp_path, TRAININGS[:3]), how(tmp_path)
    data = oe_density_gain.collect_data(*tables, "a", "m", ["baseline", "oe_letters"])
    assert data["set"].unique().tolist() == ["a", "y", "x", "n1", "n2"]  # ID, near, far, synthetic
    assert len(data) == 2 * 2 * 5
    assert data[data["training"] == "oe_letters"]["outliers"].unique().tolist() == [
        "letters a m, photos"
    ]
    change = data[data["training"] == "oe_letters"].set_index(["set", "seed"])["change"]
    np.testing.assert_allclose(change[["a", "x", "y"]], [0.25, 0.25, 70, 70, 0, 0], atol=1e-9)
    assert data[data["set"] == "a"]["auroc"].isna().all()
    figure = oe_density_gain.draw_figure(data)
    costs, above, below = figure.axes
    shown = [t.get_text() for t in above.texts]
    assert shown[:12] == [
        "30",
        "10",
        "100",
        "0",
        "35",
        "0",
        "30",
        "90",
        "100",
        "20",
        "60",
        "20",
    ]  # y x n1 n2, mean, worst set
    assert [t.get_text() for t in below.texts][:4] == ["0", "+70", "0", "0"]
    assert [t for t in text_of(figure) if t in ("3.05", "+0.25")] == ["3.05", "+0.25"]
    assert [t.get_text() for t in costs.texts if "letters" in t.get_text()] == [
        "OE letters",
        "letters a m, photos",
    ]
    saved_twice(oe_density_gain, data)


def test_sets_like_an_auxiliary_one_are_marked_and_not_in_the_mean(tmp_path):
    tables = (
        detection(tmp_path, TRAININGS[:3]),
        likelihood(tmp_path, TRAININGS[:3]),
        how(tmp_path, alike="n1 n2"),
    )
    figure = oe_density_gain.draw_figure(
        oe_density_gain.collect_data(*tables, "a", "m", ["baseline", "oe_letters"])
    )
    shown = [t.get_text() for t in figure.axes[1].texts]
    assert shown[:12] == ["30", "10", "100", "0", "20", "10", "30", "90", "100*", "20*", "60", "30"]


def test_gain_without_a_second_training_or_a_common_seed(tmp_path):
    tables = detection(tmp_path, TRAININGS), likelihood(tmp_path, TRAININGS), how(tmp_path)
    assert (
        len(
            oe_density_gain.draw_figure(
                oe_density_gain.collect_data(*tables, "a", "m", ["baseline"])
            ).axes
        )
        == 2
    )
    alone = likelihood(tmp_path, ["baseline"], seeds=[0])
    both = pd.concat([pd.read_csv(alone), pd.read_csv(likelihood(tmp_path, ["oe_tune"]))])
    both.to_csv(alone, index=False)
    data = oe_density_gain.collect_data(
        tables[0], alone, tables[2], "a", "m", ["baseline", "oe_tune"]
    )
    assert data[data["seed"] == 1]["change"].isna().all()
    np.testing.assert_allclose(
        data[(data["seed"] == 0) & (data["training"] == "oe_tune") & (data["set"] == "a")][
            "change"
        ],
        0.25,
    )


def test_numbers_in_cells():
    assert [
        oe_density_gain.format_change(v) for v in (0.004, -0.004, 0.023, -0.5, 1.26, -9.97, 73.2)
    ] == [
        "0",
        "0",
        "+0.02",
        "-0.50",
        "+1.3",
        "-10",
        "+73",
    ]
    assert oe_density_gain.list_left_edges(["near", "near", "far", "synthetic"]).tolist() == [
        0,
        1,
        2.25,
        3.5,
    ]
