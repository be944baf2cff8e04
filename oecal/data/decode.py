"""Decoding a file's bytes to one image, whatever Pillow can read: uint8, upright, grey or RGB.

What is not in the pixels is decided here: how many grey levels a file has, what shows through where
it is transparent, which side is up.
"""

from __future__ import annotations

import io
from contextlib import suppress

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.ExifTags import Base

from oecal.core.errors import summarize_error

# All of Pillow's formats now: it loads them at the first file that needs one, and another thread
# would miss those half loaded.
Image.preinit()
Image.init()

# Pixels. Pillow's own limit is higher, and between it and its double it only warns.
LARGEST = 64_000_000
GREY = ("1", "L", "LA")
WITH_ALPHA = ("LA", "P", "PA", "RGBA", "RGBa")
# EXIF orientation: the axes of (C, H, W) to flip, from 5 on after a transposition.
FLIPS = {2: (2,), 3: (1, 2), 4: (1,), 5: (), 6: (2,), 7: (1, 2), 8: (1,)}


class BadImage(ValueError):
    """A file cannot be used.

    The message is the kind of reason, which can be counted, then after a colon what was found.
    """


def from_16_bit(levels: np.ndarray) -> np.ndarray:
    """Return grey levels 0 to 65,535 as uint8: divided by 257, rounded."""
    return ((levels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def read_within(image: Image.Image, high: float) -> np.ndarray:
    """Return the values of a 32-bit image.

    Raise BadImage if they are not all from 0 to `high`: then nothing says which value is white.
    """
    values = np.asarray(image)
    if not (values.min() >= 0 and values.max() <= high):  # so written, NaN is refused
        kind = "32-bit integers" if image.mode == "I" else "32-bit floats"
        raise BadImage(
            f"unclear grey levels: found {kind} from {values.min():g} to {values.max():g}; "
            f"expected 0 to {high:g}"
        )
    return values


def read_pixels(image: Image.Image) -> np.ndarray:
    """Return a loaded image as uint8 (H, W) or (H, W, 3); what is transparent shows white."""
    if image.mode.startswith("I;16"):
        values = np.asarray(image)
        clear = image.info.get("transparency")
        return from_16_bit(values if clear is None else np.where(values == clear, 65535, values))
    if image.mode == "I":
        return from_16_bit(read_within(image, 65535))
    if image.mode == "F":
        grey_levels: np.ndarray = np.rint(255 * read_within(image, 1)).astype(np.uint8)
        return grey_levels
    grey = image.mode in GREY
    if not grey and image.mode not in WITH_ALPHA:
        image = image.convert("RGB")
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return np.asarray(image.convert("L" if grey else "RGB"))


def turn_upright(image: np.ndarray, orientation: object) -> np.ndarray:
    """Turn an image (C, H, W) as its EXIF orientation (1 to 8; all else is none) demands."""
    if orientation not in FLIPS:
        return image
    turned = image.swapaxes(1, 2) if orientation >= 5 else image
    return np.flip(turned, FLIPS[orientation])


def check_size(image: Image.Image) -> None:
    """Raise BadImage for an image without pixels, or with more than LARGEST of them.

    No pixel need be decoded for that.
    """
    if not 0 < image.width * image.height <= LARGEST:
        raise BadImage(
            f"too large or empty: found {image.width} x {image.height} pixels; expected 1 to "
            f"{LARGEST:,}"
        )


def decode(content: bytes) -> np.ndarray:
    """Return the image in a file's bytes, uint8 (C, H, W), C = 1 (grey files) or 3.

    Of several frames, the first. 16-bit grey is scaled by its full range; 32-bit integers must be
    within 0 to 65,535 and are taken as 16-bit, floats within 0 to 1. Raise BadImage for anything
    that is no image, cut off or damaged, too large or empty.
    """
    if not content:
        raise BadImage("empty file")
    try:
        with Image.open(io.BytesIO(content)) as image:
            check_size(image)
            image.load()
            check_size(image)  # in a file of several images the header may have been another one's
            orientation = None
            with suppress(Exception):  # damaged EXIF says nothing, and does not harm the pixels
                orientation = image.getexif().get(Base.Orientation)
            array = read_pixels(image)
    except BadImage:
        raise
    except UnidentifiedImageError:
        raise BadImage("no image: unknown format or truncated header") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadImage(f"too large or empty: {error}") from None
    except Exception as error:  # Pillow's many plugins raise nearly everything
        raise BadImage(f"cut off or damaged: {summarize_error(error, 100)}") from None
    channels_first = array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
    return np.ascontiguousarray(turn_upright(channels_first, orientation))
