import numpy as np
import pytest

from oecal.data.image_paths import FADES, FADING, STEPS, T, blend_towards


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (3, 2, 8, 8), np.uint8)


def test_towards_goes_straight_from_an_image_to_its_end(images, rng):
    ends = rng.integers(0, 256, images.shape, np.uint8)
    path = blend_towards(images, ends).reshape(3, STEPS, 2, 8, 8)
    np.testing.assert_array_equal(path[:, 0], images)
    np.testing.assert_array_equal(path[:, -1], ends)
    np.testing.assert_allclose(path[:, 5], (images.astype(float) + ends) / 2, atol=0.5)


def test_contrast_ends_at_the_mean_of_each_channel(images):
    path = FADING["contrast"](images).reshape(3, STEPS, 2, 8, 8)
    np.testing.assert_array_equal(path[:, 0], images)
    np.testing.assert_allclose(
        path[:, -1],
        np.broadcast_to(images.mean(axis=(2, 3), keepdims=True), images.shape),
        atol=0.5,
    )
    np.testing.assert_allclose(
        path.std(axis=(3, 4)) / images.std(axis=(2, 3))[:, None],
        np.tile((1 - T)[:, None], (3, 1, 2)),
        atol=0.02,
    )


def test_blur_takes_detail_away_and_mixes_neither_images_nor_channels(images):
    images[:, 1] = np.arange(3)[:, None, None]
    path = FADING["blur"](images).reshape(3, STEPS, 2, 8, 8)
    np.testing.assert_array_equal(path[:, 0], images)
    assert (np.diff(path[:, :, 0].std(axis=(2, 3)), axis=1) < 1).all()
    np.testing.assert_array_equal(
        path[:, :, 1], np.broadcast_to(np.arange(3)[:, None, None, None], path[:, :, 1].shape)
    )


def test_the_names_that_a_configuration_may_use():
    assert tuple(FADING) == FADES
