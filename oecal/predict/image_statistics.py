"""Statistics of an image that need no model: what a density model's scores must beat.

They are computed once for all models of an in-distribution set.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from oecal.core import hdf5_files
from oecal.data import store
from oecal.predict.evaluated import EvaluatedSets, read_sets

CHUNK = 1000  # images at a time: in float64 they take eight times their size


def compressed_bits(image: np.ndarray, form: str, **options: int) -> int:
    """Length in bits of the image (C, H, W) in a lossless file format of Pillow.

    It is an upper bound of the image's complexity. options: of the format.
    """
    buffer = io.BytesIO()
    picture = Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0))
    picture.save(buffer, form, **options)
    return 8 * buffer.tell()


def compute_statistics(images: np.ndarray, mean: np.ndarray) -> dict[str, np.ndarray]:
    """Return statistics of images uint8 (N, C, H, W), float64 (N,) each.

    mean: the training images' mean (C, H, W), levels.

    png_bits: length as PNG at the highest effort; webp_bits: as lossless WebP at a middling one
    (the highest takes 30 times as long for 2% less); zero_fraction: the share of values 0;
    total_variation: mean |difference| of neighbouring values, vertical and horizontal, levels;
    mean_distance: root mean square distance to `mean`, levels.
    """
    values = images.astype(np.float64)
    vertical, horizontal = np.abs(np.diff(values, axis=2)), np.abs(np.diff(values, axis=3))
    return {
        "png_bits": np.array(
            [compressed_bits(image, "PNG", compress_level=9) for image in images], np.float64
        ),
        "webp_bits": np.array(
            [
                compressed_bits(image, "WEBP", lossless=True, quality=50, method=4)
                for image in images
            ],
            np.float64,
        ),
        "zero_fraction": (images == 0).mean(axis=(1, 2, 3)),
        "total_variation": vertical.mean(axis=(1, 2, 3)) + horizontal.mean(axis=(1, 2, 3)),
        "mean_distance": np.sqrt(((values - mean) ** 2).mean(axis=(1, 2, 3))),
    }


def compute_image_statistics(sets: EvaluatedSets, path: str) -> None:
    """Write the statistics of all evaluated sets of an in-distribution set.

    The groups are those of its runs' outputs.
    """
    mean = store.read_split(sets.data[sets.in_dist], "train").images.mean(axis=0)
    with hdf5_files.creating(path) as file:
        file.attrs.update(in_dist=sets.in_dist, kind="images", dims=mean.size)
        order = []
        for entry, split in read_sets(sets):
            group = file.create_group(entry.place)
            group.attrs["role"] = entry.role
            parts = [
                compute_statistics(split.images[start : start + CHUNK], mean)
                for start in range(0, len(split.images), CHUNK)
            ]
            for name in parts[0]:
                hdf5_files.put(group, name, np.concatenate([part[name] for part in parts]))
            order.append(entry.place)
        file.attrs["order"] = order
