"""The corruptions of oecal.data.corruptions, by family: noise, blur, weather, digital, geometric.

Each is f(x, severity, rng): x is float (N, C, H, W) in [0, 1], grey or RGB; the result has that
shape, is finite and may leave [0, 1].

The set and the ideas follow Hendrycks & Dietterich, ICLR 2019 (arXiv 1903.12261). Where a docstring
says CIFAR-10-C, the strengths are those of that data set (create_c/make_cifar_c.py in
github.com/hendrycks/robustness), the others are our own. All code is our own, and so are the
textures of fog, frost and snow. Lengths are for images 32 pixels wide ("px"); they grow and shrink
with the width. Only those of gaussian_blur, which is older, are in pixels of the image itself.

Each draws once, the image as the first axis: the random numbers of an image do not depend on how
many images come after it.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image
from scipy import ndimage

from oecal.core.errors import OecalError
from oecal.data.corruption_tools import displace, draw_fractal, kernel, luma, px, resample, smear
from oecal.data.preprocess import resize

# Noise


def gaussian_noise(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return x + N(0, sigma), sigma = 0.08, 0.16, 0.24, 0.32, 0.40."""
    return x + rng.normal(0, 0.08 * severity, x.shape)


def shot_noise(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return Poisson(k x) / k, of mean x and variance x / k.

    k = 500, 250, 100, 75, 50 photons at white (CIFAR-10-C).
    """
    k = (500, 250, 100, 75, 50)[severity - 1]
    return rng.poisson(k * x) / k


def impulse_noise(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Set a share 0.01, 0.02, 0.03, 0.05, 0.07 of the values (CIFAR-10-C) to 0 or 1, half each."""
    half = (0.01, 0.02, 0.03, 0.05, 0.07)[severity - 1] / 2
    u = rng.random(x.shape)
    return np.where(u < half, 0, np.where(u >= 1 - half, 1, x))


def speckle_noise(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return x + x N(0, sigma), sigma = 0.06, 0.10, 0.12, 0.16, 0.20 (CIFAR-10-C)."""
    return x + x * rng.normal(0, (0.06, 0.10, 0.12, 0.16, 0.20)[severity - 1], x.shape)


# Blur


def gaussian_blur(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Blur by a Gaussian of standard deviation 0.5, 1.0, 1.5, 2.0, 2.5 pixels."""
    sigma = 0.5 * severity
    blurred: np.ndarray = ndimage.gaussian_filter(x, sigma=(0, 0, sigma, sigma))
    return blurred


def defocus_blur(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Average over a disk of radius 0.2, 0.5, 0.8, 1.25, 1.7 px.

    With these radii the kernel's middle weighs as much as CIFAR-10-C's, which for most severities
    is a Gaussian.
    """
    steps = np.mgrid[-20:21, -20:21].reshape(2, -1)
    steps = steps[:, (steps**2).sum(axis=0) <= 20**2]
    dy, dx = (0.2, 0.5, 0.8, 1.25, 1.7)[severity - 1] * px(x) * steps / 20
    blurred: np.ndarray = ndimage.correlate(x, kernel(dy, dx, np.ones(len(dy)))[None, None])
    return blurred


def glass_blur(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Take each pixel from a random point nearby, then blur by a Gaussian of 0.4 px.

    The point is at most 1.25, 1.5, 1.75, 2, 2.5 px away in each direction. CIFAR-10-C swaps
    neighbouring pixels one after the other instead; the strengths are our own, as its do not grow.
    """
    reach = (1.25, 1.5, 1.75, 2, 2.5)[severity - 1] * px(x)
    moves = rng.uniform(-reach, reach, (len(x), 2, *x.shape[2:]))
    blurred: np.ndarray = ndimage.gaussian_filter(
        displace(x, moves[:, 0], moves[:, 1], "reflect"), (0, 0, 0.4 * px(x), 0.4 * px(x))
    )
    return blurred


def motion_blur(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Average along a line from each pixel, in each image in one of 36 directions at random.

    The weight at distance t <= 3 sigma is exp(-t^2 / 2 sigma^2), sigma = 1, 1.5, 2, 2.25, 2.5 px
    (CIFAR-10-C has 2 twice, cut off at another distance).
    """
    sigma = (1, 1.5, 2, 2.25, 2.5)[severity - 1] * px(x)
    return smear(x, 10 * rng.integers(36, size=len(x)), sigma, 3 * sigma)


def zoom_blur(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Average the image enlarged about its middle by 11 factors.

    They go from 1 to 1.05, 1.10, 1.15, 1.20, 1.25 (CIFAR-10-C).
    """
    rows, columns = (np.arange(n) - (n - 1) / 2 for n in x.shape[2:])
    out = np.zeros_like(x)
    for zoom in np.linspace(1, 1 + 0.05 * severity, 11):
        out += resample(x, rows / zoom - rows[0], columns / zoom - columns[0])
    return out / 11


# Weather


def brightness(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return x + 0.05, 0.10, 0.15, 0.20, 0.30.

    CIFAR-10-C adds as much to V of HSV, which is the same for grey.
    """
    return x + (0.05, 0.10, 0.15, 0.20, 0.30)[severity - 1]


def fog(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return (x + a f) m / (m + a), where m is the image's highest value and f fractal noise.

    Each octave of the noise is 1/decay as strong as the one before. a, decay = (0.2, 3), (0.5, 3),
    (0.75, 2.5), (1, 2), (1.5, 1.75) (CIFAR-10-C).
    """
    amount, decay = ((0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75))[severity - 1]
    highest = x.max(axis=(1, 2, 3), keepdims=True)
    foggy: np.ndarray = (x + amount * draw_fractal(x, decay, rng)) * highest / (highest + amount)
    return foggy


def frost(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return x + a ice (white - x), a = 0.3, 0.45, 0.6, 0.75, 0.9.

    The strengths and the ice are our own, not the photographs of CIFAR-10-C. The ice is a net of
    veins, (1 - |2 f - 1|)^3 of fractal noise f (decay 1.3); white is bluish in RGB, (0.8, 0.95, 1).
    """
    ice = (1 - np.abs(2 * draw_fractal(x, 1.3, rng) - 1)) ** 3
    white = np.array([0.8, 0.95, 1.0] if x.shape[1] == 3 else [1.0])[:, None, None]
    frosted: np.ndarray = x + 0.15 * (severity + 1) * ice * (white - x)
    return frosted


def snow(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return b x + (1 - b) max(x, 1.5 grey + 0.5) + 1.5 flakes.

    b = 0.95, 0.9, 0.9, 0.85, 0.8 (CIFAR-10-C). The flakes are our own, as those of CIFAR-10-C are
    long and look like rain: a share 0.01, 0.02, 0.03, 0.045, 0.06 of the points of a grid of 1 px,
    blurred along 3 px at 70 to 110 degrees.
    """
    share, b = ((0.01, 0.95), (0.02, 0.9), (0.03, 0.9), (0.045, 0.85), (0.06, 0.8))[severity - 1]
    height, width = (min(n, 32 * n // x.shape[3]) for n in x.shape[2:])
    draws = rng.random((len(x), height * width + 1))
    points = (draws[:, 1:] < share).reshape(-1, 1, height, width).astype(float)
    layer = resample(
        points, np.linspace(0, height - 1, x.shape[2]), np.linspace(0, width - 1, x.shape[3])
    )
    flakes = smear(layer, 70 + 10 * np.floor(5 * draws[:, 0]), 1.5 * px(x), 3 * px(x))
    snowed: np.ndarray = b * x + (1 - b) * np.maximum(x, 1.5 * luma(x) + 0.5) + 1.5 * flakes
    return snowed


# Digital


def contrast(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Multiply the distance from the image's mean level by 0.75, 0.5, 0.35, 0.2, 0.1."""
    mean = x.mean(axis=(1, 2, 3), keepdims=True)
    flat: np.ndarray = mean + (0.75, 0.5, 0.35, 0.2, 0.1)[severity - 1] * (x - mean)
    return flat


def elastic(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Move each point by smooth noise; the image is mirrored beyond its edge.

    The standard deviation in each direction is 0.5, 0.75, 1, 1.4, 1.8 px (our own strengths, as
    CIFAR-10-C's do not grow); that of white noise blurred with s = 3 px is 1 / (2 s sqrt(pi)).
    """
    s = 3 * px(x)
    amount = (0.5, 0.75, 1, 1.4, 1.8)[severity - 1] * px(x) * 2 * s * np.sqrt(np.pi)
    noise = ndimage.gaussian_filter(
        rng.normal(size=(len(x), 2, *x.shape[2:])), (0, 0, s, s), mode="wrap"
    )
    return displace(x, amount * noise[:, 0], amount * noise[:, 1], "reflect")


def pixelate(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Resize to 0.95, 0.9, 0.85, 0.75, 0.65 of height and width (CIFAR-10-C) and back; box filter.

    The smaller size is rounded down, so two severities can be the same for images under 14 pixels.
    """
    share = (0.95, 0.9, 0.85, 0.75, 0.65)[severity - 1]
    height, width = x.shape[2:]
    small = resize(
        np.rint(255 * x).astype(np.uint8),
        max(1, int(share * height)),
        max(1, int(share * width)),
        "box",
    )
    return resize(small, height, width, "box") / 255


def jpeg(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Save as a JPEG file of quality 80, 65, 58, 50, 40 (CIFAR-10-C), by Pillow."""
    levels = np.rint(255 * x).astype(np.uint8).transpose(0, 2, 3, 1)
    out = np.empty_like(levels)
    for image, target in zip(levels, out, strict=True):
        file = BytesIO()
        Image.fromarray(image.squeeze(2) if image.shape[2] == 1 else image).save(
            file, "JPEG", quality=(80, 65, 58, 50, 40)[severity - 1]
        )
        target[:] = np.asarray(Image.open(file)).reshape(image.shape)
    images: np.ndarray = out.transpose(0, 3, 1, 2) / 255
    return images


def saturate(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Multiply the distance from the grey level (luma) by 1.5, 2, 2.5, 3, 4.

    The strengths are our own, as CIFAR-10-C's do not grow (it first takes colour away, then adds
    it). Raise OecalError for grey images, which would not change.
    """
    if x.shape[1] != 3:
        raise OecalError("corruptions: saturate needs RGB images; remove it for a grey data set")
    grey = luma(x)
    vivid: np.ndarray = grey + (1.5, 2, 2.5, 3, 4)[severity - 1] * (x - grey)
    return vivid


# Geometric


def rotation(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Turn by 12, 24, 36, 48, 60 degrees, clockwise or not at random; bilinear, black outside."""
    left, right = (
        ndimage.rotate(x, a * 12 * severity, axes=(2, 3), reshape=False, order=1) for a in (1, -1)
    )
    turned: np.ndarray = np.where(rng.random((len(x), 1, 1, 1)) < 0.5, left, right)
    return turned


def translation(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Move by 1, 2, 3, 4, 5 px in a random direction in each image; bilinear, black outside.

    The strengths are our own.
    """
    angle = rng.uniform(0, 2 * np.pi, (len(x), 1, 1))
    return displace(
        x, severity * px(x) * np.sin(angle), severity * px(x) * np.cos(angle), "constant"
    )
