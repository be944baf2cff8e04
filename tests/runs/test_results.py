import h5py
import numpy as np
import pytest
from scipy.special import log_softmax

from oecal.core.errors import OecalError
from oecal.runs.run_files import (
    StoredRun,
    StoredSet,
    confidence_and_correctness,
    pool_test_images,
    read_run,
)
from oecal.scores import score_run as scoring
from oecal.tables import likelihood


def group(name, role, n, k=3, split="test", seed=0):
    rng = np.random.default_rng(seed)
    arrays = {
        "logits": rng.normal(size=(n, k)).astype(np.float32),
        "labels": rng.integers(k, size=n),
    }
    return StoredSet(name, split, role, arrays)


def run_of(*groups):
    return StoredRun(
        {"in_dist": "a", "model": "m", "training": "t", "seed": 0},
        "classifier",
        4,
        list(groups),
        {},
    )


def test_pooled_takes_equal_shares_and_the_same_images_each_time():
    run = run_of(
        group("a", "id", 100),
        group("b", "near", 50),
        group("c", "far", 50),
        group("d", "shift", 50),
        group("e", "synthetic", 2),
    )
    parts = pool_test_images(run, 0.2)
    assert [(g.set, len(i)) for g, i in parts] == [
        ("a", 100),
        ("b", 7),
        ("c", 7),
        ("e", 2),
    ]  # a shift is not OOD; e has no more
    again = pool_test_images(run, 0.2)
    assert all(np.array_equal(one, two) for (_, one), (_, two) in zip(parts, again, strict=True))
    assert all(len(set(i)) == len(i) for _, i in parts)


def test_ood_counts_as_wrong():
    inside, outside = group("a", "id", 20), group("b", "near", 20)
    inside.arrays["labels"][:] = inside["logits"].argmax(axis=1)
    outside.arrays["labels"][:] = outside["logits"].argmax(axis=1)
    confidence, correct = confidence_and_correctness(
        [(inside, np.arange(20)), (outside, np.arange(20))]
    )
    np.testing.assert_array_equal(correct, np.r_[np.ones(20), np.zeros(20)])
    assert ((confidence > 1 / 3) & (confidence <= 1)).all()
    cooler, _ = confidence_and_correctness(
        [(inside, np.arange(20))], lambda z: log_softmax(z / 5, axis=1)
    )
    assert (cooler < confidence[:20]).all()


def test_a_damaged_file(tmp_path):
    (tmp_path / "x.h5").write_bytes(b"")
    with h5py.File(tmp_path / "y.h5", "w"):
        pass
    for name in ("x", "y", "z"):
        with pytest.raises(
            OecalError,
            match=rf"{name}.h5: is damaged, or was not written .* delete it and run again",
        ):
            read_run(tmp_path / f"{name}.h5")


def test_a_score_that_is_not_finite(tmp_path):
    with h5py.File(tmp_path / "out.h5", "w") as file:
        file.attrs.update(
            in_dist="a", model="m", training="t", seed=0, kind="density", dims=4, order=["a/test"]
        )
        file["a/test/log_likelihood"] = np.array([-1.0, -np.inf])
        file["a/test"].attrs["role"] = "id"
    with pytest.raises(
        OecalError, match="scores: log_likelihood has values on a/test that are not finite"
    ):
        scoring.score_run(
            str(tmp_path / "out.h5"),
            ["log_likelihood"],
            str(tmp_path / "scores.h5"),
            str(tmp_path / "scores.csv"),
        )
    assert not (tmp_path / "scores.h5").exists()


def test_a_table_for_models_that_the_study_does_not_have(tmp_path):
    for seed in (0, 1):
        with h5py.File(tmp_path / f"{seed}.h5", "w") as file:
            file.attrs.update(
                in_dist="a",
                model="m",
                training="t",
                seed=seed,
                kind="classifier",
                dims=4,
                order=["a/test"],
            )
            file.create_group("a/test").attrs["role"] = "id"
    paths = [str(tmp_path / f"{seed}.h5") for seed in (0, 1)]
    table = likelihood.compute_table(paths)
    assert table["seed"].tolist() == [0, 1]
    assert table["n"].tolist() == [0, 0]
    assert table["bpd_mean"].isna().all()
    assert list(table.columns) == likelihood.COLUMNS
