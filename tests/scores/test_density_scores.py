import io

import numpy as np
import pytest
from PIL import Image
from scipy.stats import norm

from oecal.predict.image_statistics import compressed_bits, compute_statistics
from oecal.scores import density, likelihood, plain
from oecal.scores.catalogue import find_score, list_fitting_scores, list_scores


def test_statistics_by_hand():
    images = np.array([[[[0, 255], [0, 255]]], [[[10, 10], [20, 20]]]], np.uint8)
    found = compute_statistics(images, np.full((1, 2, 2), 10.0))
    np.testing.assert_allclose(found["zero_fraction"], [0.5, 0])
    np.testing.assert_allclose(found["total_variation"], [255, 10])
    np.testing.assert_allclose(
        found["mean_distance"], [np.sqrt((2 * 100 + 2 * 245**2) / 4), np.sqrt(50)]
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_png_bits_are_those_of_a_png(rng, channels):
    image = rng.integers(0, 256, (channels, 9, 7), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(image[0] if channels == 1 else image.transpose(1, 2, 0)).save(
        buffer, "PNG", compress_level=9
    )
    assert compressed_bits(image, "PNG", compress_level=9) == 8 * len(buffer.getvalue())


@pytest.mark.parametrize("channels", [1, 3])
def test_compressed_lengths_order_images_by_complexity(rng, channels):
    noise = rng.integers(0, 256, (channels, 20, 20), np.uint8)
    ramp = np.broadcast_to(np.arange(20, dtype=np.uint8), (channels, 20, 20)).copy()
    found = compute_statistics(
        np.stack([np.zeros_like(noise), ramp, noise]), np.zeros_like(noise, float)
    )
    for name in ("png_bits", "webp_bits"):
        assert (np.diff(found[name]) > 0).all(), name
    assert (found["webp_bits"] <= found["png_bits"]).all()


def test_typicality_is_about_the_entropy_of_the_training_set():
    train = np.array([-10.0, -20.0])  # H = 15 nats
    np.testing.assert_allclose(
        likelihood.typicality(np.array([-15.0, -10.0, -30.0]), train), [0, 5, 15]
    )


def test_input_complexity_in_bits():
    np.testing.assert_allclose(
        likelihood.input_complexity(np.array([-8 * np.log(2)]), np.array([3.0])), [5.0]
    )


def test_plain_scores_call_the_simple_image_anomalous(rng):
    simple, rich = np.zeros((1, 1, 8, 8), np.uint8), rng.integers(1, 256, (1, 1, 8, 8), np.uint8)
    found = compute_statistics(np.concatenate([simple, rich]), rich[0].astype(float))
    for name in ("png_size", "webp_size", "zero_fraction", "smoothness", "mean_distance"):
        (need,) = list_scores()[name].arguments
        low, high = getattr(plain, name)(found[need])[::-1]
        assert low < high, name


def test_typicality_of_batches():
    """Far from H on both sides by 3 nats: single images are atypical, batches of both kinds in
    equal shares are not.
    """
    values = np.where(np.arange(4000) % 2, -17.0, -23.0)
    alone, many = (likelihood.typicality(values, np.array([-20.0]), m=m) for m in (1, 100))
    np.testing.assert_allclose(alone, 3)
    assert many.shape == (40,)
    assert many.max() < 1.5  # 3 / sqrt(100) is one standard error
    np.testing.assert_array_equal(many, likelihood.typicality(values, np.array([-20.0]), m=100))
    assert likelihood.typicality(values[:25], np.array([-20.0]), m=10).shape == (2,)


def test_ratio_and_waic_by_hand():
    np.testing.assert_allclose(
        likelihood.likelihood_ratio(np.array([-10.0, -3.0]), np.array([-12.0, -2.0])), [-2, 1]
    )
    np.testing.assert_allclose(
        likelihood.waic(np.array([[-10.0, -5.0], [-14.0, -5.0]])), [12 + 8, 5]
    )


def test_better_compression_is_subtracted_too():
    np.testing.assert_allclose(
        likelihood.input_complexity_webp(np.array([-8 * np.log(2)]), np.array([2.0])), [6.0]
    )


def test_parts_of_a_likelihood():
    x = np.array([1.0, -2.0])
    for name, sign in (
        ("last_scale", -1),
        ("kl", 1),
        ("reconstruction", -1),
        ("input_gradient", 1),
    ):
        np.testing.assert_array_equal(getattr(density, name)(x), sign * x)
    np.testing.assert_array_equal(density.likelihood_regret(x), x)


def test_gradient_norms_are_gaussian_log_densities(rng):
    val = rng.normal(
        [0.0, 5.0, 1.0], [1.0, 2.0, 0.0], (500, 3)
    )  # the third tensor's norm never varies
    new = np.array([[0.0, 5.0, 9.0], [4.0, 5.0, 1.0]])
    expected = -sum(norm.logpdf(new[:, j], val[:, j].mean(), val[:, j].std(ddof=1)) for j in (0, 1))
    np.testing.assert_allclose(density.gradient_norms(new, val), expected)


def test_which_scores_a_model_can_have():
    plain_ones = {"png_size", "webp_size", "zero_fraction", "smoothness", "mean_distance"}
    exact = plain_ones | {
        "log_likelihood",
        "typicality",
        "likelihood_ratio",
        "waic",
        "input_complexity",
        "input_complexity_webp",
        "gradient_norms",
        "input_gradient",
    }
    assert set(list_fitting_scores(["log_likelihood"])) == exact
    assert set(list_fitting_scores(["log_likelihood", "last_scale"])) == exact | {"last_scale"}
    assert set(list_fitting_scores(["log_likelihood", "elbo", "reconstruction", "kl"])) == exact | {
        "kl",
        "reconstruction",
        "likelihood_regret",
    }
    assert plain_ones.isdisjoint(list_fitting_scores(["logits", "features"]))


def test_a_family_of_scores():
    assert find_score("typicality").options == {"m": 1}
    ten = find_score("typicality_10")
    assert (ten.function, ten.options) == ("typicality", {"m": 10})
    assert ten.prefixes == {"train"}
    assert ten.needs == {"log_likelihood"}
    for wrong in ("typicality_1", "typicality_x", "log_likelihood_10", "waic_", "_10", "nothing"):
        with pytest.raises(KeyError):
            find_score(wrong)
