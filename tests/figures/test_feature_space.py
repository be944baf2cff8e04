"""The figure of the features of a classifier."""

import h5py
import numpy as np

from oecal.figures import feature_space
from oecal.runs.run_files import read_run

KINDS = {"far_1": "far", "near_1": "near", "far_2": "far", "noise": "synthetic"}


def list_texts(ax):
    return [text.get_text() for text in ax.texts]


def write_features(path, training, rng, sets=("far_1", "noise"), away=1.0, classes=3, width=8):
    """ID images about class means of the first three features; OOD images along another one."""
    with h5py.File(path, "w") as file:
        file.attrs.update(
            {
                "in_dist": "a",
                "model": "m",
                "training": training,
                "seed": 0,
                "kind": "classifier",
                "dims": 4,
            }
        )
        file.attrs["order"] = ["a/train", "a/test", *(f"{s}/test" for s in sets)]
        for place in file.attrs["order"]:
            inside = place.startswith("a/")
            n = 90 if inside else 40
            labels = np.arange(n) % classes if inside else np.full(n, -1)
            centres = (
                4 * np.eye(width)[labels]
                if inside
                else 4 * away * np.tile(np.eye(width)[-1], (n, 1))
            )
            group = file.create_group(place)
            group.attrs["role"] = "id" if inside else KINDS[place.split("/")[0]]
            group["labels"] = labels
            group["features"] = np.abs(centres + 0.1 * rng.normal(size=(n, width))).astype(
                np.float32
            )
    return str(path)


def test_feature_space_shows_what_a_plane_hides(tmp_path, rng, saved_twice):
    paths = [
        write_features(tmp_path / f"{t}.h5", t, rng, away=a)
        for t, a in (("baseline", 1.0), ("oe_tune", 5.0))
    ]
    data = feature_space.collect_data(paths)
    assert data.groupby(["training", "kind"]).size().to_dict() == {
        (t, k): n
        for t in ("baseline", "oe_tune")
        for k, n in (("far", 40), ("id", 90), ("synthetic", 40))
    }
    inside = data[data["kind"] == "id"].groupby("training")[["inside", "outside"]].median()
    np.testing.assert_allclose(inside, 1)
    outside = data[data["kind"] == "far"].groupby("training")["outside"].median()
    assert (outside > 5).all()
    assert outside["oe_tune"] > 3 * outside["baseline"]
    first = data[data["training"] == "baseline"]
    assert (first[first["kind"] == "id"][["x", "y"]].mean() <= 0).all()
    np.testing.assert_allclose(
        first["x"].var(ddof=0) / first["explained_x"], first["y"].var(ddof=0) / first["explained_y"]
    )
    figure = feature_space.draw_figure(data)
    assert sorted(list_texts(figure.axes[0])) == ["0", "1", "2"]
    assert [t.get_text() for t in figure.legends[0].get_texts()] == [
        "in-distribution",
        "far OOD",
        "synthetic OOD",
    ]
    saved_twice(feature_space, data)


def test_features_of_many_classes(tmp_path, rng):
    path = write_features(tmp_path / "many.h5", "baseline", rng, classes=30, width=40)
    data = feature_space.collect_data([path])
    assert len(data) == 90 + 40 + 40
    assert not list_texts(feature_space.draw_figure(data).axes[0])
    narrow = feature_space.collect_data(
        [write_features(tmp_path / "narrow.h5", "baseline", rng, classes=8)]
    )
    assert (narrow["outside"] > 0).all()  # 7 dimensions of class means, of 8 in all


def test_an_equal_number_of_each_kind(tmp_path, rng):
    run = read_run(
        write_features(
            tmp_path / "x.h5", "baseline", rng, sets=("near_1", "far_1", "far_2", "noise")
        )
    )
    shares = {group.set: len(index) for group, index in feature_space.choose_images(run)}
    assert shares == {"a": 90, "near_1": 40, "far_1": 40, "far_2": 40, "noise": 40}
    assert np.array_equal(
        feature_space.sample_indices(run.find("id"), 10),
        feature_space.sample_indices(run.find("id"), 10),
    )
