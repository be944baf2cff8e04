"""Outputs of the same images, as near as the library promises."""

import numpy as np

from oecal.predict.outputs import TOLERANCE


def assert_same_outputs(found, expected, dims):
    """Compare outputs by name, (N, ...) each; dims: the number of values of an image."""
    assert found.keys() == expected.keys()
    for name, theirs in expected.items():
        # The logit of the background is one of the logits, by itself it may be next to 0.
        sizes = np.abs(expected["logits"] if name == "background_logit" else theirs)
        scale = dims if name == "log_likelihood" else sizes.max(axis=1)
        error = np.abs(np.asarray(found[name], np.float64) - theirs).reshape(len(theirs), -1)
        assert (error.max(axis=1) <= TOLERANCE * scale).all(), name
