"""confidence.csv, pit.csv and decomposition.csv, from small files with known answers."""

import numpy as np
import pytest

from oecal.tables import confidence, decomposition, pit
from tests.run_files import written


def logits_of(p):
    """Two classes, the first with probability p."""
    return np.log(np.stack([p, 1 - np.asarray(p)], axis=1))


def test_confidence(tmp_path):
    inside = {"logits": logits_of([0.95, 0.995, 0.8]), "labels": np.array([0, 0, 1])}
    outside = {"logits": logits_of([0.5, 0.999]), "labels": np.array([-1, -1])}
    groups = {
        "a/test": ("id", inside),
        "b/test": ("far", outside),
        "contrast-3/test": ("corruption", inside),
    }
    table = confidence.compute_table([written(tmp_path / "x.h5", groups)]).set_index("group")
    assert list(table.index) == ["id", "id wrong", "far"]
    np.testing.assert_allclose(table["mean"], [0.9725, 0.8, 0.7495])
    np.testing.assert_allclose(table["above_90"], [1, 0, 0.5])
    np.testing.assert_allclose(table["above_99"], [0.5, 0, 0.5])
    assert list(table["n"]) == [2, 1, 2]


def test_confidence_of_a_density_model_is_an_empty_row(tmp_path):
    paths = [
        written(tmp_path / "x.h5", {"a/test": ("id", {"log_likelihood": np.zeros(3)})}, "density")
    ]
    assert confidence.compute_table(paths)["n"].tolist() == [0]


def test_pit(tmp_path):
    groups = {
        "a/val": ("id", {"log_likelihood": np.arange(99.0)}),
        "a/test": ("id", {"log_likelihood": np.arange(99.0)}),
        "b/test": (
            "far",
            {"log_likelihood": np.full(10, 1000.0)},
        ),  # the paradox: more likely than all data
        "c/test": ("synthetic", {"log_likelihood": np.full(10, -1000.0)}),
    }
    table = pit.compute_table([written(tmp_path / "x.h5", groups, "density")]).set_index("set")
    np.testing.assert_allclose(table["mean"], [0.5, 0.995, 0.005])
    np.testing.assert_allclose(table["below_05"], [5 / 99, 0, 1])
    np.testing.assert_allclose(table["above_95"], [5 / 99, 1, 0], rtol=0.25)
    np.testing.assert_allclose(table["ks"], [0.01, 0.995, 0.995], atol=0.01)


def test_decomposition(tmp_path):
    """Scores of both kinds of uncertainty, of the epistemic kind, and of the aleatoric kind."""
    scores = {
        "a/test": ("id", {"both": [0, 1], "epistemic": [0, 0], "aleatoric": [0, 1]}),
        "b/test": ("ambiguous", {"both": [5, 6], "epistemic": [0, 0], "aleatoric": [5, 6]}),
        "c/test": ("near", {"both": [5, 6], "epistemic": [2, 3], "aleatoric": [0, 1]}),
        "d/test": ("near", {"both": [5, 6], "epistemic": [2, 3], "aleatoric": [0, 1]}),
    }
    table = decomposition.compute_table([written(tmp_path / "x.h5", scores)]).set_index("score")
    assert set(table["kind"]) == {"near"}
    assert set(table["n_ood"]) == {4}
    columns = ["auroc_ambiguous", "auroc_ood", "auroc_ood_ambiguous"]
    assert table.loc["both", columns].tolist() == [1, 1, 0.5]
    assert table.loc["epistemic", columns].tolist() == [0.5, 1, 1]
    assert table.loc["aleatoric", columns].tolist() == [1, 0.5, 0]


@pytest.mark.parametrize("without", ["b/test", "c/test"])
def test_decomposition_without_ambiguous_or_ood_images_is_empty(tmp_path, without):
    groups = {
        place: (role, {"msp": [0, 1]})
        for place, role in (("a/test", "id"), ("b/test", "ambiguous"), ("c/test", "near"))
    }
    del groups[without]
    table = decomposition.compute_table([written(tmp_path / "x.h5", groups)])
    assert list(table.columns) == decomposition.COLUMNS
    assert table.empty
