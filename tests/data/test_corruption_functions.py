"""Each corruption by hand: the numbers that its docstring promises."""

import itertools
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from oecal.core.errors import OecalError
from oecal.data import corruption_functions, corruption_tools
from oecal.data.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from tests.data.scenes import make_scenes

# These average, move or scale: where all is of one colour there is nothing to see. (Not rotation
# and translation: black comes in.)
KEEP_CONSTANTS = [
    "gaussian_blur",
    "defocus_blur",
    "glass_blur",
    "motion_blur",
    "zoom_blur",
    "elastic",
    "pixelate",
]


def apply(name, x, severity=3, seed=0):
    return CORRUPTIONS[name](x, severity, np.random.default_rng(seed))


@pytest.mark.parametrize("severity, photons", list(enumerate((500, 250, 100, 75, 50), 1)))
def test_shot_noise_has_mean_x_and_variance_x_over_photons(severity, photons):
    out = apply("shot_noise", np.full((100, 1, 32, 32), 0.4), severity)
    np.testing.assert_allclose(out.mean(), 0.4, rtol=0.005)
    np.testing.assert_allclose(out.var(), 0.4 / photons, rtol=0.03)
    np.testing.assert_allclose(out * photons, np.rint(out * photons), atol=1e-9)


@pytest.mark.parametrize("severity, share", list(enumerate((0.01, 0.02, 0.03, 0.05, 0.07), 1)))
def test_impulse_noise_strikes_its_share_half_black_half_white(severity, share):
    out = apply("impulse_noise", np.full((200, 3, 32, 32), 0.4), severity)
    np.testing.assert_allclose([(out == 0).mean(), (out == 1).mean()], share / 2, rtol=0.05)
    assert ((out == 0.4) | (out == 0) | (out == 1)).all()


@pytest.mark.parametrize("severity, sigma", list(enumerate((0.06, 0.10, 0.12, 0.16, 0.20), 1)))
def test_speckle_noise_is_in_proportion_to_x(severity, sigma):
    for level in (0.2, 0.8):
        np.testing.assert_allclose(
            apply("speckle_noise", np.full((100, 1, 32, 32), level), severity).std(),
            sigma * level,
            rtol=0.02,
        )
    assert (apply("speckle_noise", np.zeros((1, 1, 8, 8)), severity) == 0).all()


@pytest.mark.parametrize("name", KEEP_CONSTANTS)
def test_constant_images_stay(name):
    flat = np.broadcast_to(np.array([0.2, 0.4, 0.8]).reshape(1, 3, 1, 1), (3, 3, 25, 25))
    for severity in SEVERITIES:
        np.testing.assert_allclose(apply(name, flat.copy(), severity), flat, atol=1e-9)


@pytest.mark.parametrize("name", ["defocus_blur", "motion_blur"])
def test_blur_spreads_a_point_and_loses_nothing_of_it(name):
    point = np.zeros((4, 1, 33, 33))
    point[..., 16, 16] = 1
    spread = []
    for severity in SEVERITIES:
        out = apply(name, point, severity)
        np.testing.assert_allclose(out.sum(axis=(1, 2, 3)), 1)
        assert (out >= 0).all()
        spread.append((out**2).sum())
    assert all(a > b for a, b in itertools.pairwise(spread))


def test_a_kernel_averages_the_bilinear_image(rng):
    image, (dy, dx) = rng.random((21, 21)), rng.uniform(-3, 3, (2, 50))
    at = np.stack([10 + dy, 10 + dx])
    expected = ndimage.map_coordinates(image, at, order=1).mean()
    np.testing.assert_allclose(
        ndimage.correlate(image, corruption_tools.kernel(dy, dx, np.ones(50)))[10, 10], expected
    )


def test_defocus_is_the_same_in_all_directions():
    point = np.zeros((1, 1, 15, 15))
    point[..., 7, 7] = 1
    out = apply("defocus_blur", point, 5)[0, 0]
    for turned in (out[::-1], out[:, ::-1], out.T):
        np.testing.assert_allclose(turned, out, atol=1e-12)


def test_lengths_grow_with_the_image():
    """Twice the radius on an image of twice the size: the same variance relative to the side."""
    variances = []
    for side in (33, 65):
        point = np.zeros((1, 1, side, side))
        point[..., side // 2, side // 2] = 1
        marginal = apply("defocus_blur", point, 5)[0, 0].sum(axis=0)
        variances.append((marginal * ((np.arange(side) - side // 2) / side) ** 2).sum())
    # The kernel is bilinear: 1/6 pixel^2 or less comes on top of r^2 / 4, and weighs more in the
    # small image.
    assert variances[0] == pytest.approx(variances[1], rel=0.25)
    assert variances[1] == pytest.approx((1.7 / 32) ** 2 / 4, rel=0.2)


def test_zoom_blur_keeps_the_middle_and_pulls_outward():
    x = np.zeros((1, 1, 31, 31))
    x[..., 15, 25] = 1
    out = apply("zoom_blur", x, 5)[0, 0, 15]
    assert out[:24].max() == 0
    assert out[26:28].min() > 0
    x[:] = np.random.default_rng(0).random(x.shape)
    np.testing.assert_allclose(apply("zoom_blur", x, 5)[..., 15, 15], x[..., 15, 15])


def test_resample_is_interpolation(rng):
    x = rng.random((2, 3, 7, 9))
    rows, columns = np.linspace(0, 6, 5), np.linspace(0, 8, 4)
    at = np.stack(np.meshgrid(rows, columns, indexing="ij"))
    expected = np.stack(
        [ndimage.map_coordinates(plane, at, order=1) for plane in x.reshape(6, 7, 9)]
    ).reshape(2, 3, 5, 4)
    np.testing.assert_allclose(corruption_tools.resample(x, rows, columns), expected)
    assert (
        corruption_tools.resample(x, np.array([-5.0, 99.0]), columns)[..., 0, 0] == x[..., 0, 0]
    ).all()


@pytest.mark.parametrize("severity, shift", list(enumerate((0.05, 0.10, 0.15, 0.20, 0.30), 1)))
def test_brightness_adds(rng, severity, shift):
    x = rng.random((2, 3, 8, 8))
    np.testing.assert_allclose(apply("brightness", x, severity) - x, shift)


def test_fractal_noise_fills_0_to_1_and_is_smooth():
    noise = corruption_tools.draw_fractal(np.zeros((50, 3, 32, 32)), 3, np.random.default_rng(0))
    assert noise.shape == (50, 1, 32, 32)
    np.testing.assert_allclose(
        [noise.min(axis=(1, 2, 3)), noise.max(axis=(1, 2, 3))], [[0] * 50, [1] * 50]
    )
    assert np.abs(np.diff(noise)).mean() < 0.05


def test_fog_by_hand():
    """Of a white image: (1 + a f) / (1 + a), f from 0 to 1."""
    out = apply("fog", np.ones((5, 3, 32, 32)), 4)
    np.testing.assert_allclose(out.min(axis=(1, 2, 3)), 0.5)
    np.testing.assert_allclose(out.max(axis=(1, 2, 3)), 1)
    np.testing.assert_array_equal(out[:, 0], out[:, 2])


def test_frost_leads_to_bluish_white():
    white = np.array([0.8, 0.95, 1.0])
    x = np.full((5, 3, 32, 32), 0.3)
    way = (apply("frost", x, 5) - x) / (white[:, None, None] - x)
    np.testing.assert_allclose(way[:, 0], way[:, 2])
    assert way.min() == pytest.approx(0, abs=1e-6)
    assert 0.85 < way.max() <= 0.9
    assert (apply("frost", np.ones((2, 1, 16, 16)), 5) == 1).all()


@pytest.mark.parametrize(
    "severity, share, b",
    [(1, 0.01, 0.95), (2, 0.02, 0.9), (3, 0.03, 0.9), (4, 0.045, 0.85), (5, 0.06, 0.8)],
)
def test_snow_by_hand(severity, share, b):
    """Of a black image: 0.5 (1 - b) and flakes of mean 1.5 share."""
    for side in (32, 64):
        out = apply("snow", np.zeros((200, 3, side, side)), severity)
        assert out.min() == pytest.approx(0.5 * (1 - b))
        assert out.mean() == pytest.approx(0.5 * (1 - b) + 1.5 * share, rel=0.05)
        np.testing.assert_array_equal(out[:, 0], out[:, 2])


def test_contrast_by_hand():
    x = np.array([0.0, 1.0]).reshape(1, 1, 1, 2)
    np.testing.assert_allclose(apply("contrast", x, 2), np.array([0.25, 0.75]).reshape(1, 1, 1, 2))


def test_elastic_moves_by_the_stated_standard_deviation():
    ramp = np.broadcast_to(np.arange(32.0), (200, 1, 32, 32)).copy()
    moved = (apply("elastic", ramp, 3) - ramp)[
        ..., 8:-8
    ]  # away from the edges, where the ramp is mirrored
    assert moved.std() == pytest.approx(1, rel=0.05)
    assert np.abs(np.diff(moved)).mean() < 0.3


def test_glass_blur_moves_at_random_within_its_reach():
    ramp = np.broadcast_to(np.arange(32.0), (200, 1, 32, 32)).copy()
    moved = corruption_functions.glass_blur(ramp, 5, np.random.default_rng(0)) - ramp
    assert np.abs(moved).max() <= 3
    assert moved[..., 4:-4].std() < 2.5 / np.sqrt(
        3
    )  # that of the uniform law; the blur makes it less
    assert moved[..., 4:-4].std() > 0.7


@pytest.mark.parametrize("severity, small", list(enumerate((30, 28, 27, 24, 20), 1)))
def test_pixelate_makes_blocks(rng, severity, small):
    x = rng.integers(0, 256, (3, 3, 32, 32)) / 255
    out = apply("pixelate", x, severity)
    for axis in (2, 3):
        changes = (np.diff(out, axis=axis) != 0).any(axis=tuple({0, 1, 2, 3} - {axis}))
        assert changes.sum() == small - 1


def test_jpeg_keeps_constants_and_is_pillows(rng):
    for channels in (1, 3):
        flat = np.full((2, channels, 12, 25), 128, np.uint8)
        assert np.abs(corrupt(flat, "jpeg", 5).astype(int) - 128).max() <= 1
    image = make_scenes(1, 3, 25)
    file = BytesIO()
    Image.fromarray(image[0].transpose(1, 2, 0)).save(file, "JPEG", quality=58)
    np.testing.assert_array_equal(
        corrupt(image, "jpeg", 3)[0].transpose(1, 2, 0), np.asarray(Image.open(file))
    )


@pytest.mark.parametrize("severity, factor", list(enumerate((1.5, 2, 2.5, 3, 4), 1)))
def test_saturate_leaves_grey_alone_and_keeps_the_luma(rng, severity, factor):
    grey = np.repeat(rng.random((2, 1, 8, 8)), 3, axis=1)
    np.testing.assert_allclose(apply("saturate", grey, severity), grey)
    x = rng.random((2, 3, 8, 8))
    out = apply("saturate", x, severity)
    np.testing.assert_allclose(corruption_tools.luma(out), corruption_tools.luma(x))
    np.testing.assert_allclose(out[:, 0] - out[:, 1], factor * (x[:, 0] - x[:, 1]))


def test_saturate_refuses_grey_images():
    with pytest.raises(
        OecalError,
        match="^corruptions: saturate needs RGB images; remove it for a grey data set$",
    ):
        corrupt(make_scenes(2, 1, 12), "saturate", 1)


@pytest.mark.parametrize("severity", SEVERITIES)
def test_translation_moves_a_point_by_its_length(severity):
    point = np.zeros((20, 1, 32, 32))
    point[..., 16, 16] = 1
    out = apply("translation", point, severity)
    np.testing.assert_allclose(out.sum(axis=(1, 2, 3)), 1)
    rows, columns = np.indices((32, 32)) - 16
    lengths = np.hypot((out * rows).sum(axis=(1, 2, 3)), (out * columns).sum(axis=(1, 2, 3)))
    np.testing.assert_allclose(lengths, severity)


def test_black_comes_in_when_an_image_is_turned_or_moved():
    white = np.ones((4, 1, 25, 25))
    for name in ("rotation", "translation"):
        out = apply(name, white, 5)
        assert out.min() == 0
        np.testing.assert_allclose(out[..., 12, 12], 1)
