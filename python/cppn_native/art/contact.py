"""Contact sheets: many small pictures with a caption each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

__all__ = ["contact_sheet"]

BACKGROUND, TEXT = (22, 22, 26), (190, 190, 198)
GUTTER, LETTERS = 12, 15
MOST_PIXELS = 512_000_000


def contact_sheet(
    pictures: Iterable[NDArray[np.uint8]], captions: Sequence[str], columns: int, tile: tuple[int, int]
) -> NDArray[np.uint8]:
    """(H, W, 3) uint8: pictures (h, w, 3) of one size in rows of ``columns``, a caption under each.

    tile  (width, height) of every picture, which are taken one by one

    Raises ``ValueError`` for a sheet too large to be drawn.
    """
    rows = -(-len(captions) // columns)
    step_x, step_y = tile[0] + GUTTER, tile[1] + GUTTER + LETTERS + 4
    width, height = GUTTER + columns * step_x, GUTTER + rows * step_y
    if width * height > MOST_PIXELS:
        raise ValueError(f"sheet of {columns} x {rows} pictures of {tile[0]} x {tile[1]} is {width} x {height} pixels")
    sheet = Image.new("RGB", (width, height), BACKGROUND)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=LETTERS)
    for n, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        left, top = GUTTER + n % columns * step_x, GUTTER + n // columns * step_y
        sheet.paste(Image.fromarray(picture), (left, top))
        draw.text((left, top + tile[1] + LETTERS), _fitting(caption, font, tile[0]), fill=TEXT, font=font, anchor="ls")
    return np.asarray(sheet)


def _fitting(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """As much of the text as the width holds; Pillow's own font has too narrow a space."""
    text = text.replace(" ", "  ")
    while text and font.getlength(text) > width:
        text = text[:-1]
    return text
