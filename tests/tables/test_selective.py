"""selective.csv: which scores have a place in it."""

import h5py
import numpy as np

from oecal.tables.selective import errors_and_scores


def written(path, arrays):
    """A classifier's file with an ID and an OOD test set."""
    with h5py.File(path, "w") as file:
        file.attrs.update(in_dist="a", model="m", training="t", seed=0, kind="classifier", dims=4, order=["a/test", "b/test"])
        for place, role in (("a/test", "id"), ("b/test", "far")):
            file.create_group(place).attrs["role"] = role
            for name, values in arrays[place].items():
                file[place][name] = values
    return str(path)


def test_a_score_of_part_of_the_images_has_none(tmp_path, rng):
    """Even where it is of all ID images: the drawn OOD images need not be among those that it has."""
    n = {"a/test": 40, "b/test": 60}
    outputs = {place: {"logits": rng.normal(size=(k, 3)), "labels": rng.integers(3, size=k)} for place, k in n.items()}
    scores = {place: {"msp": rng.uniform(size=k), "odin": rng.uniform(size=min(k, 50))} for place, k in n.items()}
    found = errors_and_scores(written(tmp_path / "x.h5", outputs), written(tmp_path / "y.h5", scores), 1.0)
    assert {name: list(values) for name, (_, values) in found.items()} == {"id": ["msp", "odin"], "pooled": ["msp"]}
    errors, values = found["pooled"]
    assert len(errors) == len(values["msp"]) == 80
    assert errors[40:].all()
    assert np.isin(values["msp"][40:], scores["b/test"]["msp"]).all()
