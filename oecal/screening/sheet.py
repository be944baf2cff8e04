"""A contact sheet: many small images with a line of text below each, as one PNG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from oecal.core.files import replacing
from oecal.data.decode import BadImage, decode
from oecal.screening.incoming import read_bytes

MOST = 60  # images on a sheet
COLUMNS = 6
SIZE = 140  # pixels of a thumbnail's longer side
GAP, TEXT = 12, 34


class SheetEntry(NamedTuple):
    """An image on the sheet; the highest `uncertainty` comes first."""

    uncertainty: float
    path: str
    p_value: float
    prediction: str


def make_thumbnail(path: str) -> Image.Image:
    """Make a thumbnail of at most SIZE x SIZE pixels, grey if the image is gone.

    Small images are enlarged without smoothing, so that their pixels show.
    """
    try:
        array = decode(read_bytes(path))
    except BadImage:
        return Image.new("RGB", (SIZE, SIZE), "lightgrey")
    image = Image.fromarray(array[0] if len(array) == 1 else array.transpose(1, 2, 0)).convert(
        "RGB"
    )
    scale = SIZE / max(image.size)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BOX)


def load_font() -> ImageFont.FreeTypeFont:
    """Load DejaVu Sans, which comes with matplotlib and has more letters than Pillow's own font."""
    from matplotlib import get_data_path

    return ImageFont.truetype(Path(get_data_path()) / "fonts/ttf/DejaVuSans.ttf", 11)


def shorten(text: str, font: ImageFont.FreeTypeFont) -> str:
    """Shorten a text to the width of a thumbnail, without what cannot be printed."""
    plain = "".join(c if c.isprintable() else "?" for c in text)[:200]
    if font.getlength(plain) <= SIZE:
        return plain
    start, end = plain[: len(plain) // 2], plain[len(plain) // 2 :]
    while start and font.getlength(f"{start}...{end}") > SIZE:
        start, end = start[:-1], end[1:]
    return f"{start}...{end}"


def draw_sheet(path: str, entries: Sequence[SheetEntry], total: int) -> None:
    """Draw the sheet of the given entries, out of `total` alarms; there may be none."""
    shown = sorted(entries, key=lambda entry: -entry.uncertainty)
    rows = -(-len(shown) // COLUMNS)
    width, height = COLUMNS * (SIZE + GAP) + GAP, 3 * GAP + rows * (SIZE + TEXT + GAP)
    sheet, font = Image.new("RGB", (width, height), "white"), load_font()
    pen = ImageDraw.Draw(sheet)
    title = f"alarms: {total:,}" + (
        f", the {len(shown)} most anomalous" if len(shown) < total else ""
    )
    pen.text((GAP, GAP), title, "black", font)
    for n, entry in enumerate(shown):
        left, top = GAP + n % COLUMNS * (SIZE + GAP), 3 * GAP + n // COLUMNS * (SIZE + TEXT + GAP)
        small = make_thumbnail(entry.path)
        sheet.paste(small, (left + (SIZE - small.width) // 2, top + (SIZE - small.height) // 2))
        what = f"p = {entry.p_value:.3g}" + (f", as {entry.prediction}" if entry.prediction else "")
        for line, text in enumerate((PurePath(entry.path).name, what)):
            pen.text((left, top + SIZE + 3 + 14 * line), shorten(text, font), "black", font)
    with replacing(path) as temporary:
        sheet.save(temporary, "PNG")
