"""How a user's own images are divided into splits, and the option `path` of all their sources."""

import numpy as np
import pytest

from oecal.core.errors import OecalError
from oecal.core.options import check_options
from oecal.data import own_splits
from oecal.data.store import ImageSplit
from tests.data.own_images import SOURCES


@pytest.mark.parametrize("sizes", [(10,), (13, 9, 28), (1,) * 25, (500, 3)])
def test_divided_sets_are_disjoint_and_stratified(sizes):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    numbers = np.arange(len(labels))
    images = np.stack([numbers % 256, numbers // 256], 1).astype(np.uint8)[:, None, None]
    splits = own_splits.divide(ImageSplit(images, labels), "x")
    places = {
        name: split.images[:, 0, 0, 0] + 256 * split.images[:, 0, 0, 1].astype(int)
        for name, split in splits.items()
    }
    np.testing.assert_array_equal(np.sort(np.concatenate([*places.values()])), numbers)
    for name, share in (("train", 0.8), ("val", 0.1), ("test", 0.1)):
        np.testing.assert_array_equal(splits[name].labels, labels[places[name]])
        assert abs(len(places[name]) - share * len(labels)) < 2
        assert (
            np.abs(np.bincount(splits[name].labels, minlength=len(sizes)) - share * np.array(sizes))
            < 2
        ).all()


@pytest.mark.parametrize("source", SOURCES)
def test_an_empty_path(source):
    with pytest.raises(OecalError, match="x: path is empty; set it to the f"):
        check_options("data", source, {"path": ""}, "x")
