"""The scoring job: what it says when it cannot score."""

import h5py
import pytest

from oecal.core.errors import OecalError
from oecal.scores.score_run import score_run


def outputs(path, rng, n=25):
    """The outputs of a density run with n test images."""
    with h5py.File(path, "w") as file:
        file.attrs.update(
            in_dist="a",
            model="m",
            training="t",
            seed=0,
            kind="density",
            dims=4,
            order=["a/train", "a/test"],
        )
        for place, count in (("a/train", 30), ("a/test", n)):
            file.create_group(place).attrs["role"] = "id"
            file[place]["log_likelihood"] = rng.normal(size=count)
    return str(path)


def test_a_batch_needs_its_images(tmp_path, rng):
    score_run(
        outputs(tmp_path / "x.h5", rng),
        ["typicality_10"],
        str(tmp_path / "y.h5"),
        str(tmp_path / "y.csv"),
    )
    with h5py.File(tmp_path / "y.h5") as file:
        assert file["a/test/typicality_10"].shape == (2,)
    with pytest.raises(
        OecalError,
        match="scores: typicality_10 needs more than the 5 images of a/test; remove this score",
    ):
        score_run(
            outputs(tmp_path / "x.h5", rng, 5),
            ["typicality_10"],
            str(tmp_path / "z.h5"),
            str(tmp_path / "z.csv"),
        )
    assert not (tmp_path / "z.h5").exists()


def test_outputs_that_lack_what_a_score_needs(tmp_path, rng):
    with pytest.raises(
        OecalError,
        match="x.h5: has no regret in a/test, which likelihood_regret needs; "
        "delete it and run again",
    ):
        score_run(
            outputs(tmp_path / "x.h5", rng),
            ["likelihood_regret"],
            str(tmp_path / "z.h5"),
            str(tmp_path / "z.csv"),
        )
