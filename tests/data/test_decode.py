"""Bytes to pixels: every mode of Pillow with a known answer, and what is refused."""

import io
import itertools
import struct
import zlib
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from oecal.data.decode import BadImage, decode, from_16_bit

pytestmark = pytest.mark.filterwarnings("ignore")  # Pillow's about damaged files


def encode(image, kind="PNG", **options):
    with io.BytesIO() as file:
        image.save(file, kind, **options)
        return file.getvalue()


def make_image(mode, pixels, size=None):
    image = Image.new(mode, size or (len(pixels), 1))
    image.putdata(pixels)
    return image


def levels(content):
    """Of a one-row image: the grey levels, or the RGB triples."""
    array = decode(content)
    assert array.dtype == np.uint8
    assert array.flags.c_contiguous
    return array[0, 0].tolist() if len(array) == 1 else [tuple(p) for p in array[:, 0].T.tolist()]


def palette(*colours):
    image = make_image("P", range(len(colours)))
    image.putpalette([level for colour in colours for level in colour])
    return image


WHITE = (255, 255, 255)
CMYK = [(0, 0, 0, 0), (255, 0, 0, 0), (0, 0, 0, 255)]
RGBA = [(9, 9, 9, 0), (1, 2, 3, 255), (0, 255, 0, 51)]
RGB = make_image("RGB", [(1, 2, 3), (4, 5, 6)])
GREY_16 = make_image("I;16", [0, 2570, 65535])


@pytest.mark.parametrize(
    "content, expected",
    [
        (encode(make_image("1", [0, 255])), [0, 255]),
        (encode(make_image("L", [0, 100, 255])), [0, 100, 255]),
        (encode(make_image("L", [0, 100]), "BMP"), [0, 100]),
        (encode(make_image("L", [7, 100]), transparency=7), [255, 100]),
        (encode(make_image("LA", [(0, 0), (100, 255), (0, 51)])), [255, 100, 204]),
        (encode(RGB), [(1, 2, 3), (4, 5, 6)]),
        (encode(RGB, transparency=(1, 2, 3)), [WHITE, (4, 5, 6)]),
        (encode(make_image("RGBA", RGBA)), [WHITE, (1, 2, 3), (204, 255, 204)]),
        (encode(palette((9, 8, 7), (1, 2, 3))), [(9, 8, 7), (1, 2, 3)]),
        (encode(palette((9, 8, 7), (1, 2, 3)), transparency=0), [WHITE, (1, 2, 3)]),
        (
            encode(palette((0, 0, 0), (1, 2, 3)), transparency=bytes([51, 255])),
            [(204, 204, 204), (1, 2, 3)],
        ),
        (encode(palette((9, 8, 7), (1, 2, 3)), "GIF", transparency=1), [(9, 8, 7), WHITE]),
        (encode(make_image("CMYK", CMYK), "TIFF"), [WHITE, (0, 255, 255), (0, 0, 0)]),
        (encode(make_image("I;16", [0, 128, 129, 256, 65535])), [0, 0, 1, 1, 255]),
        (encode(make_image("I;16", [257, 514]), transparency=257), [255, 2]),
        (encode(GREY_16, "TIFF"), [0, 10, 255]),
        (encode(make_image("I;16B", [0, 2570, 65535]), "TIFF"), [0, 10, 255]),
        (encode(GREY_16, "PPM"), [0, 10, 255]),
        (encode(make_image("I", [0, 2570, 65535]), "TIFF"), [0, 10, 255]),
        (encode(make_image("F", [0, 0.2, 1]), "TIFF"), [0, 51, 255]),
    ],
)
def test_modes(content, expected):
    assert levels(content) == expected


def test_lab_is_converted_by_littlecms_which_rounds():
    decoded = levels(
        encode(make_image("LAB", [(255, 128, 128), (128, 128, 128), (0, 128, 128)]), "TIFF")
    )
    np.testing.assert_allclose(decoded, [[255] * 3, [119] * 3, [0] * 3], atol=1)


@pytest.mark.parametrize(
    "mode, pixel, expected",
    [("HSV", (0, 255, 255), (255, 0, 0)), ("YCbCr", (100, 128, 128), (100, 100, 100))],
)
def test_modes_that_not_every_pillow_can_save(monkeypatch, mode, pixel, expected):
    image = Image.new(mode, (1, 1), pixel)
    monkeypatch.setattr(Image, "open", lambda _: image)
    assert levels(b"x") == [expected]


def png(header, rows, *more):
    """A PNG by hand: (width, height, bits, colour type), filtered rows, other chunks."""
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", *header, 0, 0, 0)),
        *more,
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    packed = (
        struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def test_16_bit_rgb_and_alpha():
    assert levels(png((1, 1, 16, 2), b"\0" + struct.pack(">3H", 0x1234, 0xABCD, 0xFFFF))) == [
        (0x12, 0xAB, 0xFF)
    ]
    assert levels(png((1, 1, 16, 4), b"\0" + struct.pack(">2H", 0, 0))) == [
        (255, 255, 255)
    ]  # Pillow reads it as RGBA


def test_16_bit_is_divided_by_257_and_rounded():
    values = np.arange(65536, dtype=np.uint16)
    np.testing.assert_array_equal(from_16_bit(values), np.rint(values / 257))
    np.testing.assert_array_equal(from_16_bit(values.astype(">u2")), from_16_bit(values))


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_the_first_of_several_frames(kind):
    frames = [Image.new("RGB", (4, 4), (shade, 0, 0)) for shade in (255, 128, 0)]
    array = decode(
        encode(
            frames[0],
            kind,
            save_all=True,
            append_images=frames[1:],
            **({"lossless": True} if kind == "WEBP" else {}),
        )
    )
    assert (array == np.array([255, 0, 0]).reshape(3, 1, 1)).all()


@pytest.mark.parametrize(
    "kind, mode", [*itertools.product(["PNG", "TIFF"], ["L", "RGB", "I;16"]), ("WEBP", "RGB")]
)
def test_exif_orientation(kind, mode):
    stored = [
        Image.Transpose.FLIP_LEFT_RIGHT,
        Image.Transpose.ROTATE_180,
        Image.Transpose.FLIP_TOP_BOTTOM,
        Image.Transpose.TRANSPOSE,
        Image.Transpose.ROTATE_90,
        Image.Transpose.TRANSVERSE,
        Image.Transpose.ROTATE_270,
    ]
    image = make_image("L", range(0, 60, 10), (3, 2)).convert("I;16" if mode == "I;16" else mode)
    lossless = {"lossless": True} if kind == "WEBP" else {}
    expected = decode(encode(image, kind, **lossless))
    for orientation, turn in enumerate([None, *stored], 1):
        exif = Image.Exif()
        exif[0x0112] = orientation
        content = encode(
            image.transpose(turn) if turn is not None else image, kind, exif=exif, **lossless
        )
        np.testing.assert_array_equal(decode(content), expected, err_msg=str(orientation))


def test_a_jpeg_on_its_side_and_damaged_exif():
    image = Image.new("L", (16, 8))
    image.paste(255, (8, 0, 16, 8))
    exif = Image.Exif()
    exif[0x0112] = 6
    array = decode(encode(image, "JPEG", exif=exif))
    assert array.shape == (1, 16, 8)
    assert array[0, :8].max() == 0
    assert array[0, 8:].min() == 255
    assert decode(encode(image, "JPEG", exif=b"Exif\0\0nonsense")).shape == (1, 8, 16)


@pytest.mark.parametrize(
    "kind, options",
    [
        ("PNG", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("GIF", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("WEBP", {}),
        ("PPM", {}),
    ],
)
def test_a_truncated_file_is_bad_or_whole(rng, kind, options):
    content = encode(Image.fromarray(rng.integers(0, 256, (20, 20, 3), np.uint8)), kind, **options)
    whole = decode(content)
    bad = 0
    for cut in range(0, len(content), 37 if kind == "JPEG" else 7):
        try:
            np.testing.assert_array_equal(decode(content[:cut]), whole)
        except BadImage:
            bad += 1
    assert bad > 10
    with pytest.raises(BadImage, match="cut off or damaged|no image"):
        decode(content[: len(content) // 2])


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"", "empty file"),
        (b"dear diary,\n", "no image: unknown format or truncated header"),
        (
            encode(make_image("I", [-1, 70000]), "TIFF"),
            "unclear grey levels: found 32-bit integers from -1 to 70000; expected 0 to 65535",
        ),
        (
            encode(make_image("F", [0, 255]), "TIFF"),
            "unclear grey levels: found 32-bit floats from 0 to 255; expected 0 to 1",
        ),
        (
            encode(make_image("F", [0, np.nan]), "TIFF"),
            "unclear grey levels: found 32-bit floats from nan to nan",
        ),
        (
            png((8001, 8000, 8, 0), b""),
            "too large or empty: found 8001 x 8000 pixels; expected 1 to 64,000,000",
        ),
        (png((12000, 9000, 8, 0), b""), "too large or empty"),  # Pillow warns
        (png((20000, 20000, 8, 0), b""), "too large or empty"),  # Pillow raises
        (png((0, 5, 8, 0), b""), "no image|too large or empty"),
    ],
)
def test_refused(content, reason):
    with pytest.raises(BadImage, match=reason):
        decode(content)


@pytest.mark.filterwarnings("error")
def test_a_warning_made_an_error_is_no_other_answer():
    with pytest.raises(BadImage, match="too large or empty"):
        decode(png((12000, 9000, 8, 0), b""))


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(
        [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0", b"P5 ", b"RIFF0000WEBPVP8 "]
    ),
    st.binary(max_size=200),
)
def test_random_bytes(start, rest):
    try:
        array = decode(start + rest)
    except BadImage:
        return
    assert array.dtype == np.uint8
    assert array.shape[0] in (1, 3)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["PNG", "GIF", "TIFF", "BMP", "PPM"]),
    st.dictionaries(st.floats(0, 1, exclude_max=True), st.integers(0, 255)),
)
def test_damaged_bytes(kind, changes):
    content = bytearray(encode(Image.linear_gradient("L").resize((9, 7)), kind))
    for place, value in changes.items():
        content[int(place * len(content))] = value
    with suppress(BadImage):
        decode(bytes(content))
