"""How a score's hyperparameters are found in its signature, and chosen."""

import json

import h5py
import numpy as np
import pandas as pd
import pytest

from oecal.scores import catalogue
from oecal.scores.catalogue import Score, list_scores
from oecal.scores.fit_memory import remember_fit
from oecal.scores.score_run import score_run
from oecal.scores.tuning import choose_options


def test_the_default_stands_in_the_grid():
    for s in list_scores().values():
        for key, values in s.grids.items():
            assert s.options[key] in values, (
                f"{s.name}: {key} = {s.options[key]} is not in {values}"
            )


def power(x, *, exponent=1, sign=1):
    return sign * x**exponent


def test_the_best_combination_is_chosen():
    entry = Score(
        "power",
        "",
        "power",
        ("x",),
        {"exponent": 1, "sign": 1},
        {"exponent": (1, 2), "sign": (1, -1)},
    )
    near, far = {"x": np.array([-0.5, 0.5, 1.0])}, {"x": np.array([-3.0, 3.0])}
    assert choose_options(entry, power, near, far) == {"exponent": 2, "sign": 1}
    assert choose_options(entry, power, far, near) == {"exponent": 2, "sign": -1}
    assert (
        choose_options(entry, power, {"x": np.zeros(3)}, {"x": np.zeros(2)}) == entry.options
    )  # all are as good: the default stays


def test_a_choice_that_is_not_finite_loses():
    def fragile(x, *, k=1):
        return x if k == 1 else np.where(x > 0, np.nan, x)

    entry = Score("fragile", "", "fragile", ("x",), {"k": 1}, {"k": (1, 2)})
    assert choose_options(entry, fragile, {"x": np.array([1.0])}, {"x": np.array([0.0])}) == {
        "k": 1
    }


def test_a_fit_is_done_once_for_the_same_arrays():
    calls = []

    @remember_fit
    def fit(x, k):
        calls.append(k)
        return x.mean() * k

    x, same_values = np.arange(4.0), np.arange(4.0)
    assert fit(x, 2) == fit(x, 2) == 3
    assert calls == [2]
    assert fit(same_values, 2) == 3  # equal is not the same: it may be another run's
    assert fit(x, 3) == 4.5
    assert calls == [2, 2, 3]


def outputs(path, rng, outliers):
    """The outputs of a classifier whose ID images and outliers lie on two sides."""
    with h5py.File(path, "w") as file:
        places = {
            "a/train": ("id", 60, 0),
            "a/val": ("id", 40, 0),
            "a/test": ("id", 30, 0),
            "b/test": ("far", 30, 2),
        }
        places |= {"c/train": ("outlier", 20, 2)} if outliers else {}
        file.attrs.update(
            in_dist="a",
            model="m",
            training="t",
            seed=0,
            kind="classifier",
            dims=4,
            order=list(places),
        )
        file["head/weight"], file["head/bias"] = (
            np.eye(3, 4, dtype=np.float32),
            np.zeros(3, np.float32),
        )
        for place, (role, n, shift) in places.items():
            group = file.create_group(place)
            group.attrs["role"] = role
            group["features"] = (rng.uniform(0, 1, (n, 4)) + shift * np.eye(4)[3]).astype(
                np.float32
            )
            group["logits"] = group["features"][:, :3]
            group["labels"] = rng.integers(3, size=n)
    return str(path)


@pytest.mark.parametrize("outliers", [True, False])
def test_the_job_chooses_with_outliers_and_says_what(tmp_path, rng, outliers):
    names = ["msp", "knn"]
    score_run(
        outputs(tmp_path / "x.h5", rng, outliers),
        names,
        str(tmp_path / "y.h5"),
        str(tmp_path / "cost.csv"),
    )
    with h5py.File(tmp_path / "y.h5") as file:
        found = json.loads(file.attrs["chosen"])
        assert set(found) == ({"knn"} if outliers else set())
        assert all(found[name].keys() == catalogue.find_score(name).grids.keys() for name in found)
        assert set(file["a/test"]) == set(names)
        assert set(file["a/train"]) == {"msp"}  # a training image is its own nearest neighbour
        assert file["b/test/knn"][:].min() > np.median(file["a/test/knn"])
    costs = pd.read_csv(tmp_path / "cost.csv").set_index("score")
    assert list(costs.index) == names
    assert costs.loc["msp", "images"] == 160 + 20 * outliers
    assert (costs["seconds"] > 0).all()
    assert (costs["peak_mb"] > 0).all()
