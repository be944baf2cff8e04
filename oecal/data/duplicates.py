"""Which images of one set are in another set too: the same pixels, or nearly so.

An auxiliary or OOD image that also stands in the in-distribution set is a mislabelled one: it
teaches the wrong thing, or makes a good detector look bad.
"""

from __future__ import annotations

import hashlib

import numpy as np
from tqdm import tqdm

from oecal.data.preprocess import adapt

SIDE = 16
# Grey levels of 255. Measured: a CIFAR-10 image differs from itself as JPEG of quality 75 by 2.0
# (at most 2.7), enlarged to 48 and shrunk again (bicubic) by 1.2; of 10,000 test images 3 of MNIST,
# 8 of FashionMNIST and 2 of CIFAR-10 are nearer to a training image.
NEAR = 5.0
BLOCK = 4096


def hash_pixels(images: np.ndarray) -> np.ndarray:
    """Return a 128-bit hash of each image's pixels, (N,) as fixed-length bytes."""
    hashes = [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images]
    return np.array(hashes, dtype="S16") if hashes else np.empty(0, "S16")


def find_repeated(images: np.ndarray) -> np.ndarray:
    """Tell for each image whether an earlier one has the same pixels, (N,) bool."""
    _, first = np.unique(hash_pixels(images), return_index=True)
    again = np.ones(len(images), bool)
    again[first] = False
    return again


def find_exact(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Tell for each image whether one of `others`, in their format, has the same pixels."""
    if not len(others):
        return np.zeros(len(images), bool)
    return np.isin(hash_pixels(adapt(images, others.shape[1:])), hash_pixels(others))


def make_thumbnails(images: np.ndarray, side: int) -> np.ndarray:
    """Return each image in grey at side x side, each pixel the mean of its area.

    A perceptual hash, (N, side^2) float32, 0 to 255.
    """
    return adapt(images, (1, side, side), "box").reshape(len(images), -1).astype(np.float32)


def halve(thumbnails: np.ndarray) -> np.ndarray:
    """Return thumbnails with each 2x2 pixels replaced by their mean, (N, SIDE^2 / 4)."""
    means: np.ndarray = (
        thumbnails.reshape(-1, SIDE // 2, 2, SIDE // 2, 2)
        .mean(axis=(2, 4))
        .reshape(len(thumbnails), -1)
    )
    return means


def find_near(images: np.ndarray, others: np.ndarray, tolerance: float = NEAR) -> np.ndarray:
    """Tell for each image whether one of `others` is nearly the same, (N,) bool.

    That is, whether their thumbnails (16x16, grey) differ by a root mean square of at most
    `tolerance` levels. All pairs are compared: first at 8x8 by one matrix product, |a - b|^2 =
    |a|^2 + |b|^2 - 2ab (averaging four pixels cannot raise the root mean square, so no pair is
    lost), then at 16x16.
    """
    is_near = np.zeros(len(images), bool)
    if not len(images) or not len(others):
        return is_near
    fine, fine_others = (make_thumbnails(part, SIDE) for part in (images, others))
    # Centred: less rounding in the product.
    small, small_others = (halve(part) - 127.5 for part in (fine, fine_others))
    squares, squares_others = ((part**2).sum(axis=1) for part in (small, small_others))
    limit = (tolerance + 0.1) ** 2 * small.shape[1]  # the margin is for that rounding
    for start in tqdm(
        range(0, len(images), BLOCK), desc="near duplicates", leave=False, disable=None
    ):
        block = slice(start, start + BLOCK)
        for other in range(0, len(others), BLOCK):
            against = slice(other, other + BLOCK)
            distance = small[block] @ small_others[against].T
            distance *= -2
            distance += squares[block, None] + squares_others[None, against]
            i, j = np.nonzero(distance <= limit)
            for part in range(0, len(i), 16 * BLOCK):
                a, b = i[part : part + 16 * BLOCK], j[part : part + 16 * BLOCK]
                hit = ((fine[start + a] - fine_others[other + b]) ** 2).mean(axis=1) <= tolerance**2
                is_near[start + a[hit]] = True
    return is_near
