import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from oecal.data import duplicates
from oecal.data.preprocess import resize


@pytest.fixture
def natural(rng):
    """Smooth random images: coarse noise, enlarged."""
    return resize(rng.integers(64, 192, (60, 3, 6, 6), np.uint8), 32, 32, "bicubic")


def as_jpeg(image, quality):
    buffer = io.BytesIO()
    Image.fromarray(image.transpose(1, 2, 0)).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer)).transpose(2, 0, 1)


def test_the_first_of_equal_images_stays():
    images = np.arange(4, dtype=np.uint8).reshape(4, 1, 1, 1)[[0, 1, 0, 2, 1, 0]]
    assert duplicates.find_repeated(images).tolist() == [False, False, True, False, True, True]
    assert duplicates.find_repeated(images[:0]).tolist() == []


def test_exact(natural):
    changed = natural.copy()
    changed[3, 0, 5, 5] ^= 1
    others = changed[:10]
    assert np.flatnonzero(duplicates.find_exact(natural, others)).tolist() == [
        0,
        1,
        2,
        4,
        5,
        6,
        7,
        8,
        9,
    ]
    grey = duplicates.adapt(natural[:2], (1, 32, 32))
    assert duplicates.find_exact(natural, grey).tolist()[:3] == [
        True,
        True,
        False,
    ]  # compared in the other set's format
    assert not duplicates.find_exact(natural, natural[:0]).any()


def test_near_finds_the_same_photograph_compressed_or_resized(natural):
    others = np.stack(
        [
            as_jpeg(natural[7], 75),
            as_jpeg(natural[8], 50),
            resize(resize(natural[9][None], 48, 48, "bicubic"), 32, 32)[0],
        ]
    )
    assert np.flatnonzero(duplicates.find_near(natural, others)).tolist() == [7, 8, 9]
    assert not duplicates.find_near(natural, natural[:0]).any()
    assert not duplicates.find_near(natural[:0], natural).any()


def test_near_across_formats(natural):
    small = duplicates.adapt(natural[[5]], (1, 20, 20), "box")
    assert np.flatnonzero(duplicates.find_near(small, natural)).tolist() == [0]
    assert np.flatnonzero(duplicates.find_near(natural, small)).tolist() == [5]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.floats(0, 12), st.integers(1, 40), st.integers(1, 40))
def test_near_is_the_comparison_of_all_pairs(seed, noise, n, m):
    """Blocks, and the screening at 8x8, lose no pair and add none."""
    rng = np.random.default_rng(seed)
    base = rng.integers(0, 256, (max(n, m), 1, 16, 16))
    images = base[:n].astype(np.uint8)
    others = np.clip(base[:m] + rng.normal(0, noise, (m, 1, 16, 16)), 0, 255).astype(np.uint8)
    distance = np.sqrt(((images[:, None].astype(float) - others[None]) ** 2).mean(axis=(2, 3, 4)))
    np.testing.assert_array_equal(
        duplicates.find_near(images, others), (distance <= duplicates.NEAR).any(axis=1)
    )


def test_blocks_do_not_matter(natural, monkeypatch):
    is_near = duplicates.find_near(natural, natural[20:30])
    monkeypatch.setattr(duplicates, "BLOCK", 7)
    np.testing.assert_array_equal(duplicates.find_near(natural, natural[20:30]), is_near)
    assert is_near[20:30].all()
