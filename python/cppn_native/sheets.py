"""Sheets to look at: what every neuron sees, and a picture beside its original; (H, W, 3) uint8 each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .models.base import check_size
from .models.cascade import Cascade

if TYPE_CHECKING:
    from .models.base import Model

__all__ = ["activation_sheet", "side_by_side"]

Pixels: TypeAlias = NDArray[np.uint8]
Colour: TypeAlias = tuple[int, int, int]

SHEET_WIDTH = 1600
TILE_SIDE = 400
THIN = 24
"""No tile is thinner than 1 : 24, whatever the picture."""
PANEL_SIDE = 1200
BACKGROUND: Colour = (22, 22, 26)
TEXT: Colour = (228, 228, 232)
FAINT: Colour = (136, 136, 146)
OUTPUTS: dict[int, tuple[tuple[str, Colour], ...]] = {
    1: (("grey", (228, 228, 232)),),
    2: (("first", (240, 190, 70)), ("second", (90, 200, 220))),
    3: (("red", (255, 84, 84)), ("green", (72, 205, 106)), ("blue", (92, 148, 255))),
    4: (
        ("red", (255, 84, 84)),
        ("green", (72, 205, 106)),
        ("blue", (92, 148, 255)),
        ("alpha", (228, 228, 232)),
    ),
}
"""Name and colour of each output, by their number."""

GUTTER, BORDER, LABEL = 10, 3, 13
"""Between tiles, around an output's tile, and the size of the letters below a tile; in pixels."""


def activation_sheet(model: Model, columns: int | None = None, size: tuple[int, int] | None = None) -> Pixels:
    """Every neuron's map of the picture as a grey tile, in order, numbered from 0 as in ``activations()``.

    columns  tiles in a row; None: as many as make a handsome sheet
    size     (width, height) of a tile; None: in the picture's aspect, the sheet at most 1600 wide

    The outputs come last, each with a border and a name in its colour. A tile shows 0 as black, 1 as white;
    a neuron that leaves [0, 1] is stretched from its least value (black) to its greatest (white) instead, and
    its number is followed by these two. Every pixel of a tile is the mean over a grid of points inside it.

    Raises ``ValueError`` for a model without neurons to show, and for columns or a size that are none.
    """
    if not isinstance(model, Cascade):
        raise ValueError(f"model must be a Cascade, got {type(model).__name__}")
    count = model.config.neurons
    shape = model.size if size is None else check_size(size)
    aspect = min(max(shape[0] / shape[1], 1 / THIN), THIN)
    if columns is None:
        columns = _columns(count, aspect)
    elif isinstance(columns, bool) or not isinstance(columns, int | np.integer) or columns < 1:
        raise ValueError(f"columns must be a positive integer or None, got {columns!r}")
    columns = min(int(columns), count)
    width, height = _tile_size(columns, aspect) if size is None else shape
    maps = _averaged_maps(model, width, height)

    step_x, step_y = width + GUTTER, height + BORDER + LABEL + GUTTER
    rows = -(-count // columns)
    sheet = Image.new("RGB", (GUTTER + columns * step_x, GUTTER + rows * step_y), BACKGROUND)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=LABEL)
    marks = OUTPUTS[model.config.channels]
    for n, values in enumerate(maps):
        tile, span = _grey(values)
        left, top = GUTTER + n % columns * step_x, GUTTER + n // columns * step_y
        label, colour = f"{n}{span}", FAINT
        if n >= count - len(marks):
            name, colour = marks[n - count + len(marks)]
            label = f"{n} {name}{span}"
            frame = (left - BORDER, top - BORDER, left + width + BORDER - 1, top + height + BORDER - 1)
            draw.rectangle(frame, outline=colour, width=BORDER)
        sheet.paste(Image.fromarray(tile), (left, top))
        label = _fitting((label, f"{n}", ""), font, width + GUTTER - 2)
        draw.text((left, top + height + BORDER + LABEL + 1), label, fill=colour, font=font, anchor="ls")
    return np.asarray(sheet)


def side_by_side(original: Pixels, decoded: Pixels, captions: Sequence[str]) -> Pixels:
    """A picture beside its original, each above its caption.

    original, decoded  (H, W, 3) uint8 of one size
    captions           two lines of text

    Pictures longer than 1200 pixels are scaled down to that; small ones are enlarged by a whole factor, each
    pixel a sharp square. Raises ``ValueError`` naming the argument that does not fit.
    """
    for name, pixels in (("original", original), ("decoded", decoded)):
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.size == 0:
            raise ValueError(f"{name} must be (H, W, 3) uint8, got {pixels.shape} {pixels.dtype}")
    if decoded.shape != original.shape:
        raise ValueError(f"decoded must have the shape of original {original.shape}, got {decoded.shape}")
    if isinstance(captions, str) or len(captions) != 2:
        raise ValueError(f"captions must be two strings, got {captions!r}")

    panels = [_panel(original), _panel(decoded)]
    width, height = panels[0].size
    letters = min(30, max(16, width // 24))
    font = ImageFont.load_default(size=letters)
    captions = [_spaced(text) for text in captions]
    margin, gap = letters, letters // 2
    cell = max([width, *(int(font.getlength(text)) + 1 for text in captions)])
    strip = 2 * letters + letters // 4
    sheet = Image.new("RGB", (2 * (margin + cell) + gap, margin + height + strip), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    for k, (panel, text) in enumerate(zip(panels, captions, strict=True)):
        left = margin + k * (cell + gap)
        sheet.paste(panel, (left + (cell - width) // 2, margin))
        baseline = margin + height + strip // 2 + letters // 3
        draw.text((left + cell // 2, baseline), text, fill=TEXT, font=font, anchor="ms")
    return np.asarray(sheet)


def _columns(count: int, aspect: float) -> int:
    """The number of columns whose sheet comes closest to 3 : 2 with the fewest empty places."""

    def ugliness(columns: int) -> float:
        rows = -(-count // columns)
        return abs(float(np.log(columns * aspect / rows / 1.5))) + 2 * (rows * columns - count) / count

    return min(range(1, count + 1), key=ugliness)


def _tile_size(columns: int, aspect: float) -> tuple[int, int]:
    """(width, height) at which the columns fill the sheet, but no larger than the area of 400 x 400."""
    width = min((SHEET_WIDTH - GUTTER) // columns - GUTTER, round(TILE_SIDE * aspect**0.5))
    return max(1, width), max(1, round(width / aspect))


def _averaged_maps(model: Cascade, width: int, height: int) -> NDArray[np.float32]:
    """(N, height, width): means over 4 x 4 points a pixel (fewer above 256 MB): fine ripples alias."""
    count = model.config.neurons
    n = max(1, min(4, int((2**26 / (count * width * height)) ** 0.5)))
    fine = model.activations((width * n, height * n))
    with np.errstate(invalid="ignore"):  # infinities of both signs, where identity neurons run away
        means = fine.reshape(count, height, n, width, n).mean(axis=(2, 4), dtype=np.float64)
    return np.asarray(means.astype(np.float32))


def _grey(values: NDArray[np.float32]) -> tuple[Pixels, str]:
    """(H, W, 3) from black to white, and the range in words if it is not 0 to 1. NaN is black."""
    finite = np.isfinite(values)
    low, high = (float(values[finite].min()), float(values[finite].max())) if finite.any() else (0.0, 0.0)
    span = ""
    if low < 0 or high > 1:
        span = f": {low:.2g} … {high:.2g}"
    else:
        low, high = 0.0, 1.0
    unit = (np.where(finite, values, low).astype(np.float64) - low) / max(high - low, 1e-30)
    grey = np.rint(np.clip(unit, 0, 1) * 255).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2), span


def _fitting(texts: Sequence[str], font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """The first text that is not wider than ``width``, else the last."""
    return next((text for text in map(_spaced, texts) if font.getlength(text) <= width), texts[-1])


def _spaced(text: str) -> str:
    """The words apart: the space of Pillow's own font is so narrow that numbers and units run together."""
    return text.replace(" ", "  ")


def _panel(pixels: Pixels) -> Image.Image:
    """At most 1200 pixels long; at least 240 on the short side as far as that allows, in whole squares."""
    height, width = pixels.shape[:2]
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    if max(width, height) > PANEL_SIDE:
        scale = PANEL_SIDE / max(width, height)
        shrunk = (max(1, round(width * scale)), max(1, round(height * scale)))
        return picture.resize(shrunk, Image.Resampling.LANCZOS)
    factor = max(1, min(-(-240 // min(width, height)), PANEL_SIDE // max(width, height)))
    return picture.resize((width * factor, height * factor), Image.Resampling.NEAREST)
