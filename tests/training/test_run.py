import numpy as np
import pytest

from oecal.data import store
from oecal.data.store import ImageSet, Split
from oecal.errors import OecalError
from oecal.training.run import run

PARAMS = {
    "model": {"architecture": "wrn", "options": {"depth": 10, "width": 1, "dropout": 0.0}},
    "objective": {"name": "baseline", "options": {}},
    "interpolation": "bilinear",
    "recipe": {},
}


def test_a_classifier_needs_labels(tmp_path):
    split = Split.unlabelled(np.zeros((4, 1, 8, 8), np.uint8))
    store.write(tmp_path / "x.h5", ImageSet({"train": split, "val": split}, "", "", ""))
    with pytest.raises(OecalError, match="x.h5: has images without a label"):
        run(PARAMS, str(tmp_path / "x.h5"), [], None, tmp_path, 0, "code", device="cpu")
