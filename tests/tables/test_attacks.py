"""attacks.csv and its figure: what is compared with what."""

import h5py
import numpy as np
import pytest

from oecal.figures import attacks as figure
from oecal.figures import style
from oecal.tables import attacks

# Score of all images of a set; its role.
SETS = {
    "a": ("id", 1.0),
    "b": ("near", 2.0),
    "c": ("far", 3.0),
    "d": ("synthetic", 9.0),
    "pgd-4-a": ("attack", 2.5),
    "pgd-4-b": ("attack", 0.5),
    "pgd-4-c": ("attack", 3.5),
    "random-16-b": ("attack", 1.0),
}


@pytest.fixture
def paths(tmp_path):
    found = {"outputs": [], "scores": []}
    for seed in (0, 1):
        for kind in found:
            with h5py.File(tmp_path / f"{kind}{seed}.h5", "w") as file:
                file.attrs.update(
                    in_dist="a",
                    model="m",
                    training="t",
                    seed=seed,
                    kind="classifier",
                    dims=4,
                    order=[f"{s}/test" for s in SETS],
                )
                for name, (role, value) in SETS.items():
                    group = file.create_group(f"{name}/test")
                    group.attrs["role"] = role
                    if kind == "outputs":
                        group["logits"] = np.tile([np.log(3), 0.0], (10, 1))
                        group["labels"] = (np.arange(10) == 0).astype(int)
                    else:
                        group["msp"] = np.full(10, value)
            found[kind].append(str(tmp_path / f"{kind}{seed}.h5"))
    return found


def test_table(paths):
    found = attacks.compute_table(**paths)
    assert list(found.columns) == attacks.COLUMNS
    assert "d" not in set(found["set"])  # only near and far sets are attacked
    first = found[found["seed"] == 0].set_index(["attack", "levels", "set"])
    auroc = first["auroc"]
    assert auroc["none", 0, "b"] == auroc["none", 0, "c"] == auroc["none", 0, "a"] == 1
    assert auroc["pgd", 4, "b"] == 0
    assert auroc["pgd", 4, "c"] == 1
    assert auroc["pgd", 4, "a"] == 0.5  # above all images of b, below all of c
    assert auroc["random", 16, "b"] == 0.5  # as high as the ID images
    np.testing.assert_allclose(first["mean_confidence"], 0.75)
    np.testing.assert_allclose(first["accuracy"].dropna(), 0.9)
    assert first["accuracy"].notna().sum() == 2  # of ID images


def test_figure(paths, tmp_path):
    attacks.compute_table(**paths).to_csv(tmp_path / "attacks.csv", index=False)
    data = figure.collect_data(str(tmp_path / "attacks.csv"), "a", "m", ["t"])
    drawn = figure.draw_figure(data)
    pgd = drawn.axes[0].lines[-1]
    np.testing.assert_allclose(pgd.get_xdata(), [0, 4])
    np.testing.assert_allclose(pgd.get_ydata(), [100, 50])  # the mean of b and c
    style.save_figure(drawn, tmp_path / "x.png")


def test_without_attacks(paths, tmp_path):
    for path in (p for kind in paths.values() for p in kind):
        with h5py.File(path, "a") as file:
            file.attrs["order"] = [place for place in file.attrs["order"] if "-" not in place]
    found = attacks.compute_table(**paths)
    assert found["n"].tolist() == [0, 0]
