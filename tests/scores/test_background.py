import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit, softmax

from oecal.scores.background import background_class


def test_the_log_odds_of_the_background_class(rng):
    logits, background = (
        rng.normal(0, 3, (100, 5)).astype(np.float32),
        rng.normal(0, 3, 100).astype(np.float32),
    )
    p = softmax(np.column_stack([logits, background]).astype(float), axis=1)[:, -1]
    np.testing.assert_allclose(background_class(logits, background), np.log(p / (1 - p)))
    np.testing.assert_allclose(expit(background_class(logits, background)), p)


def test_ranks_where_the_probability_is_1():
    values = background_class(np.zeros((3, 2), np.float32), np.array([100, 200, 200.5], np.float32))
    assert (expit(values) == 1).all()
    assert (np.diff(values) > 0).all()


@given(
    arrays(np.float32, (3, 4), elements=st.floats(-1e4, 1e4, width=32)),
    arrays(np.float32, 3, elements=st.floats(-1e4, 1e4, width=32)),
)
def test_invariance(logits, background):
    values = background_class(logits, background)
    assert values.shape == (3,)
    assert values.dtype == np.float64
    np.testing.assert_allclose(background_class(logits[:, ::-1], background), values)
    np.testing.assert_allclose(
        background_class(logits.astype(float) + 512, background.astype(float) + 512),
        values,
        atol=1e-9,
    )
