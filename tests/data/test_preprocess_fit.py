"""The ways in which images of another ratio are fitted into a format."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from oecal.data.preprocess import FITS, INTERPOLATIONS, Format, adapt

SIDES = st.integers(1, 40)


@given(
    SIDES,
    SIDES,
    SIDES,
    SIDES,
    st.sampled_from([1, 3]),
    st.sampled_from([1, 3]),
    st.sampled_from(sorted(INTERPOLATIONS)),
)
def test_shape_and_constants(h, w, height, width, c, channels, interpolation):
    flat = np.full((2, c, h, w), 77, np.uint8)
    for fit in FITS:
        out = adapt(flat, (channels, height, width), interpolation, fit)
        assert out.shape == (2, channels, height, width)
        assert out.dtype == np.uint8
        if fit != "pad":
            assert (out == 77).all()
        else:
            assert set(np.unique(out)) <= {0, 77}
            inside = out[0, 0] == 77
            rows, columns = inside.any(1), inside.any(0)
            np.testing.assert_array_equal(inside, rows[:, None] & columns)  # a rectangle
            assert rows.all() or columns.all()
            for line in (rows, columns):
                assert abs(line.argmax() - line[::-1].argmax()) <= 1  # in the middle


def test_crop_keeps_the_centre(rng):
    wide = rng.integers(0, 256, (2, 3, 8, 20), np.uint8)
    np.testing.assert_array_equal(adapt(wide, (3, 8, 8), fit="crop"), wide[..., 6:14])
    np.testing.assert_array_equal(
        adapt(wide.swapaxes(2, 3), (3, 8, 8), fit="crop"), wide.swapaxes(2, 3)[:, :, 6:14]
    )
    for interpolation, resample in INTERPOLATIONS.items():
        peer = ImageOps.fit(Image.fromarray(wide[0, 0]), (5, 5), resample)
        np.testing.assert_array_equal(
            adapt(wide, (3, 5, 5), interpolation, "crop")[0, 0], np.asarray(peer)
        )


def test_pad_keeps_all(rng):
    wide = rng.integers(1, 256, (2, 1, 4, 8), np.uint8)
    out = adapt(wide, (1, 8, 8), fit="pad")
    np.testing.assert_array_equal(out[:, :, 2:6], wide)
    assert not out[:, :, [0, 1, 6, 7]].any()
    peer = ImageOps.pad(Image.fromarray(wide[0, 0]), (20, 20), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(
        adapt(wide, (1, 20, 20), "lanczos", "pad")[0, 0], np.asarray(peer)
    )
    assert (
        adapt(np.full((1, 1, 500, 1), 9, np.uint8), (1, 8, 8), fit="pad")[0, 0].any(0).sum() == 1
    )  # a thin line stays one


@pytest.mark.parametrize("fit", FITS)
def test_images_of_the_same_ratio_are_fitted_the_same_way(rng, fit):
    images = rng.integers(0, 256, (3, 3, 12, 18), np.uint8)
    for shape in ((3, 12, 18), (3, 8, 12), (1, 24, 36)):
        np.testing.assert_array_equal(
            adapt(images, shape, "bicubic", fit), adapt(images, shape, "bicubic")
        )
    once = adapt(images, (3, 7, 7), "lanczos", fit)
    np.testing.assert_array_equal(adapt(once, (3, 7, 7), "lanczos", fit), once)
    assert adapt(images[:0], (1, 5, 5), fit=fit).shape == (0, 1, 5, 5)


@pytest.mark.parametrize("fit", FITS)
def test_a_batch_is_its_images_one_by_one(rng, fit):
    images = rng.integers(0, 256, (4, 3, 9, 14), np.uint8)
    form = Format((1, 6, 6), "lanczos", fit)
    one_by_one = np.concatenate([form(image[None]) for image in images])
    np.testing.assert_array_equal(form(images), one_by_one)
    np.testing.assert_array_equal(form(images), adapt(images, (1, 6, 6), "lanczos", fit))


def test_shrinking_is_antialiased_in_every_fit():
    stripes = np.zeros((1, 1, 32, 48), np.uint8)
    stripes[..., ::2] = 255
    for fit in FITS:
        inside = adapt(stripes, (1, 8, 8), fit=fit)[0, 0, 3:5]
        assert np.abs(inside.astype(int) - 127).max() < 20
