"""selective.csv: which scores have a place in it."""

import numpy as np

from oecal.tables.selective import collect_errors_and_scores
from tests.run_files import written


def test_a_score_of_part_of_the_images_has_none(tmp_path, rng):
    """Even if it has all ID images: the drawn OOD images need not be among those that it has."""
    n = {"a/test": 40, "b/test": 60}
    outputs = {
        place: {"logits": rng.normal(size=(k, 3)), "labels": rng.integers(3, size=k)}
        for place, k in n.items()
    }
    scores = {
        place: {"msp": rng.uniform(size=k), "odin": rng.uniform(size=min(k, 50))}
        for place, k in n.items()
    }
    roles = {"a/test": "id", "b/test": "far"}
    paths = [
        written(tmp_path / f"{k}.h5", {at: (roles[at], own) for at, own in f.items()})
        for k, f in enumerate((outputs, scores))
    ]
    found = collect_errors_and_scores(*paths, 1.0)
    assert {name: list(values) for name, (_, values) in found.items()} == {
        "id": ["msp", "odin"],
        "pooled": ["msp"],
    }
    errors, values = found["pooled"]
    assert len(errors) == len(values["msp"]) == 80
    assert errors[40:].all()
    assert np.isin(values["msp"][40:], scores["b/test"]["msp"]).all()
