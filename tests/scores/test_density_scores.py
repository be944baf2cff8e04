import io

import numpy as np
import pytest
from PIL import Image

from oecal.predict.plain import png_bits, statistics
from oecal.scores import likelihood, plain
from oecal.scores.catalogue import scores


def test_statistics_by_hand():
    images = np.array([[[[0, 255], [0, 255]]], [[[10, 10], [20, 20]]]], np.uint8)
    found = statistics(images, np.full((1, 2, 2), 10.0))
    np.testing.assert_allclose(found["zero_fraction"], [0.5, 0])
    np.testing.assert_allclose(found["total_variation"], [255, 10])
    np.testing.assert_allclose(found["mean_distance"], [np.sqrt((2 * 100 + 2 * 245**2) / 4), np.sqrt(50)])


@pytest.mark.parametrize("channels", [1, 3])
def test_png_bits_are_those_of_a_png(rng, channels):
    image = rng.integers(0, 256, (channels, 9, 7), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(image[0] if channels == 1 else image.transpose(1, 2, 0)).save(buffer, "PNG", compress_level=9)
    assert png_bits(image) == 8 * len(buffer.getvalue())
    assert png_bits(np.zeros_like(image)) < png_bits(image)


def test_typicality_is_about_the_entropy_of_the_training_set():
    train = np.array([-10.0, -20.0])  # H = 15 nats
    np.testing.assert_allclose(likelihood.typicality(np.array([-15.0, -10.0, -30.0]), train), [0, 5, 15])


def test_input_complexity_in_bits():
    np.testing.assert_allclose(likelihood.input_complexity(np.array([-8 * np.log(2)]), np.array([3.0])), [5.0])


def test_plain_scores_call_the_simple_image_anomalous(rng):
    simple, rich = np.zeros((1, 1, 8, 8), np.uint8), rng.integers(1, 256, (1, 1, 8, 8), np.uint8)
    found = statistics(np.concatenate([simple, rich]), rich[0].astype(float))
    for name in ("png_size", "zero_fraction", "smoothness", "mean_distance"):
        (need,) = scores()[name].needs
        low, high = getattr(plain, name)(found[need])[::-1]
        assert low < high, name


def test_they_are_for_density_models():
    names = {score.name for score in scores().values() if score.kind == "density"}
    assert names == {"log_likelihood", "typicality", "input_complexity", "png_size", "zero_fraction", "smoothness", "mean_distance"}
