"""Letters rendered from the fonts that matplotlib ships, jittered, in MNIST's format.

That is, light strokes on black, 28x28. Letters that look like digits are left out: they would be
outliers that are none. Each letter comes in upper and lower case. The two halves of the alphabet
and the two groups of fonts can be drawn apart, so that outliers to train on and outliers to test on
share neither glyph nor font.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from oecal.core.seeds import make_generator
from oecal.data.store import ImageSet, ImageSplit

LIKE_DIGITS = set("BDGIJOQSZbgijloqsz")  # 8 0 6 1 1 0 0 5 2, 6 9 1 1 1 0 9 5 2
FONTS = {
    "sans": [
        "DejaVuSans",
        "DejaVuSans-Bold",
        "DejaVuSans-Oblique",
        "DejaVuSansMono",
        "cmss10",
        "cmtt10",
    ],
    "serif": [
        "DejaVuSerif",
        "DejaVuSerif-Italic",
        "STIXGeneral",
        "STIXGeneralBol",
        "STIXGeneralItalic",
        "cmr10",
        "cmti10",
        "cmb10",
    ],
}
SIZE, FACTOR = 28, 4  # drawn at four times the size, then shrunk: antialiased


@dataclass(frozen=True)
class Options:
    """Which glyphs, and how many."""

    letters: Literal["A-M", "N-Z", "A-Z"] = "A-Z"
    """part of the alphabet, upper and lower case"""
    fonts: Literal["sans", "serif"] = "sans"
    """group of font faces"""
    n_train: int = 0
    """number of training images; 0: no such split"""
    n_val: int = 0
    """number of validation images; 0: no such split"""
    n_test: int = 500
    """number of test images; 0: no such split"""
    seed: int = 0
    """of the jitter"""

    def __post_init__(self) -> None:
        if (
            min(self.n_train, self.n_val, self.n_test) < 0
            or self.n_train + self.n_val + self.n_test == 0
        ):
            raise ValueError(
                f"n_train is {self.n_train}, n_val is {self.n_val}, n_test is {self.n_test}; "
                "expected 0 or more, and at least one above 0"
            )


def find_font(name: str) -> Traversable:
    """Return one of matplotlib's own TrueType fonts, which may be inside an archive."""
    return files("matplotlib").joinpath("mpl-data", "fonts", "ttf", f"{name}.ttf")


def draw_letter(letter: str, font: ImageFont.FreeTypeFont, rng: np.random.Generator) -> np.ndarray:
    """Draw one letter, uint8 (28, 28), about 20 pixels high.

    Stroke width, rotation, shear, scale, shift and blur are random.
    """
    side = SIZE * FACTOR
    canvas = Image.new("L", (side, side))
    stroke = int(rng.integers(0, 5))
    ImageDraw.Draw(canvas).text(
        (side / 2, side / 2), letter, fill=255, font=font, anchor="mm", stroke_width=stroke
    )
    left, top, right, bottom = canvas.getbbox() or (0, 0, side, side)
    # Affine map from output to input about the glyph's centre: inverse of rotation * shear * scale.
    angle, shear = rng.uniform(-0.25, 0.25), rng.uniform(-0.2, 0.2)
    height = FACTOR * rng.uniform(15, 19)
    zoom = max(bottom - top, right - left) / height
    cos, sin = np.cos(angle), np.sin(angle)
    matrix = zoom * np.array([[1, shear], [0, 1]]) @ np.array([[cos, sin], [-sin, cos]])
    centre_in = np.array([(left + right) / 2, (top + bottom) / 2])
    centre_out = side / 2 + FACTOR * rng.uniform(-1.5, 1.5, size=2)
    offset = centre_in - matrix @ centre_out
    affine = (matrix[0, 0], matrix[0, 1], offset[0], matrix[1, 0], matrix[1, 1], offset[1])
    canvas = canvas.transform(
        (side, side), Image.Transform.AFFINE, affine, Image.Resampling.BICUBIC
    )
    canvas = canvas.filter(ImageFilter.GaussianBlur(FACTOR * rng.uniform(0.1, 0.6)))
    pixels = np.asarray(canvas.resize((SIZE, SIZE), Image.Resampling.BOX), dtype=np.float64)
    rounded: np.ndarray = np.rint(np.clip(pixels * (255 / max(pixels.max(), 1)), 0, 255)).astype(
        np.uint8
    )
    return rounded


def build(options: Options) -> ImageSet:
    """Return splits of letters, class and font drawn uniformly.

    Classes are upper case, then lower case, without those that look like digits.
    """
    first, last = options.letters.split("-")
    upper = [chr(c) for c in range(ord(first), ord(last) + 1)]
    glyphs = [g for g in upper + [u.lower() for u in upper] if g not in LIKE_DIGITS]
    fonts = [
        ImageFont.truetype(BytesIO(find_font(name).read_bytes()), 20 * FACTOR)
        for name in FONTS[options.fonts]
    ]
    rng = make_generator("letters", options.letters, options.fonts, options.seed)
    splits = {}
    for split, n in (("train", options.n_train), ("val", options.n_val), ("test", options.n_test)):
        if n:
            labels = rng.integers(len(glyphs), size=n)
            images = np.stack(
                [
                    draw_letter(glyphs[label], fonts[rng.integers(len(fonts))], rng)
                    for label in labels
                ]
            )
            splits[split] = ImageSplit(images[:, None], labels.astype(np.int64))
    raw = b"".join(find_font(name).read_bytes() for name in FONTS[options.fonts])
    return ImageSet(
        splits,
        source="rendered from fonts shipped with matplotlib: " + ", ".join(FONTS[options.fonts]),
        licence="DejaVu: Bitstream Vera; STIX and Computer Modern: SIL Open Font License / BaKoMa",
        sha256=hashlib.sha256(raw).hexdigest(),
        classes=tuple(glyphs),
    )
