"""What holds for every corruption: names, rising strength, form, reproducible bytes."""

import inspect
import itertools

import numpy as np
import pytest
from scipy import ndimage

from oecal.core.seeds import make_generator
from oecal.data import corruption_functions, corruptions
from oecal.data.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from oecal.study.check_experiments import list_corruptions
from tests.data.scenes import make_scenes

RGB_ONLY = {"saturate"}
KINDS = [
    (name, channels)
    for name in CORRUPTIONS
    for channels in (1, 3)
    if not (channels == 1 and name in RGB_ONLY)
]


def test_the_list_of_names_is_that_of_the_functions():
    functions = [
        name
        for name, function in inspect.getmembers(corruption_functions, inspect.isfunction)
        if function.__module__ == corruption_functions.__name__
    ]
    assert sorted(functions) == sorted(CORRUPTIONS)
    for name in functions:
        parameters = inspect.signature(CORRUPTIONS[name]).parameters
        assert list(parameters) == ["x", "severity", "rng"]


def test_the_configuration_knows_the_same_names():
    assert list_corruptions() == list(CORRUPTIONS)


@pytest.mark.parametrize("side", [28, 32, 64])
@pytest.mark.parametrize("name, channels", KINDS)
def test_the_distance_to_the_image_rises_with_severity(name, channels, side):
    images = make_scenes(60, channels, side)
    distances = [np.abs(corrupt(images, name, s).astype(float) - images).mean() for s in SEVERITIES]
    assert distances[0] > 0.2
    assert all(a < b for a, b in itertools.pairwise(distances)), distances


@pytest.mark.parametrize("name, channels", KINDS)
@pytest.mark.parametrize("height, width", [(12, 12), (25, 25), (20, 32)])
def test_form(name, channels, height, width):
    images = make_scenes(5, channels, height, width)
    before = images.copy()
    for severity in SEVERITIES:
        values = CORRUPTIONS[name](images / 255, severity, np.random.default_rng(0))
        assert values.shape == images.shape
        assert np.isfinite(values).all()
        out = corrupt(images, name, severity)
        assert (out.shape, out.dtype) == (images.shape, np.uint8)
        assert (out != images).any()
    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_same_bytes_whatever_comes_after_and_in_whatever_chunks(name, monkeypatch):
    images = make_scenes(11, 3, 20)
    whole = corrupt(images, name, 4)
    np.testing.assert_array_equal(corrupt(images, name, 4), whole)
    np.testing.assert_array_equal(corrupt(images[:4], name, 4), whole[:4])
    monkeypatch.setattr(corruptions, "CHUNK", 3)
    np.testing.assert_array_equal(corrupt(images, name, 4), whole)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_no_images_and_black_images(name):
    assert corrupt(np.zeros((0, 3, 12, 12), np.uint8), name, 1).shape == (0, 3, 12, 12)
    assert np.isfinite(
        CORRUPTIONS[name](np.zeros((2, 3, 12, 12)), 3, np.random.default_rng(0))
    ).all()


# Committed results rest on the bytes of these four, with float64 and all images in one go.
FIRST_FOUR = {
    "gaussian_noise": lambda x, s, rng: x + rng.normal(0, 0.08 * s, x.shape),
    "gaussian_blur": lambda x, s, rng: ndimage.gaussian_filter(x, (0, 0, 0.5 * s, 0.5 * s)),
    "contrast": lambda x, s, rng: (
        x.mean((1, 2, 3), keepdims=True)
        + (0.75, 0.5, 0.35, 0.2, 0.1)[s - 1] * (x - x.mean((1, 2, 3), keepdims=True))
    ),
    "rotation": lambda x, s, rng: np.stack(
        [
            ndimage.rotate(i, (12 if u < 0.5 else -12) * s, axes=(1, 2), reshape=False, order=1)
            for i, u in zip(x, rng.random(len(x)), strict=True)
        ]
    ),
}


@pytest.mark.parametrize("name", FIRST_FOUR)
def test_the_first_four_keep_their_bytes(name, rng):
    images = rng.integers(0, 256, (20, 3, 16, 16), np.uint8)
    for severity in SEVERITIES:
        values = FIRST_FOUR[name](
            images / 255, severity, make_generator("corruption", name, severity)
        )
        np.testing.assert_array_equal(
            corrupt(images, name, severity), np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)
        )
