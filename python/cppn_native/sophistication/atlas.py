"""The atlas: noise to the right, sophistication downward, a random picture for every pair that a picture can hold."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..image import FORMATS, save_image, write_atomic
from ..progress import counted
from .colours import check_look
from .draws import check_whole
from .parameters import params, uncompressed
from .pictures import PAPER, pictures_of

__all__ = ["SUFFIXES", "atlas", "save"]

Bytes: TypeAlias = NDArray[np.uint8]
Path: TypeAlias = "str | os.PathLike[str]"

SUFFIXES = (".pdf", *FORMATS)
INK, NO_CELL = (0, 0, 0), (238, 238, 238)
INCHES = 20
"""Longer side of the page in a PDF, as in the notebook."""


def atlas(
    n: int = 16,
    path: Path | Sequence[Path] | None = None,
    *,
    seed: int = 0,
    cell: int | None = None,
    normalize: bool = True,
    size: int = 256,
    channels: int = 1,
    head: str | int = "none",
    levels: int | None = None,
    colours: str = "viridis",
    threads: int | None = None,
    progress: bool = True,
) -> Bytes:
    """Pictures of (row x step, column x step) bits of sophistication and noise, step = (U - 2) // n: (H, W, 3) uint8.

    n         parts that U is cut into: 2 to 64; n (n - 1) / 2 pictures
    path      also written there, by suffix: .pdf (a page of 20 inches), .png, ...; or a list of paths
    seed      every place is ``sample(row * step, column * step, seed)``
    cell      side of a picture on the page in pixels, averaged down from ``size``; None: ``size``
    progress  a bar on standard error

    The other arguments are those of ``sample``. A place without a network is grey. Raises ``ValueError``.
    """
    check_whole("n, the parts of an atlas,", n, 2, 64)
    step = (uncompressed(size, channels) - 2) // n
    side = size if cell is None else cell
    check_whole("cell", side, 8, size)
    if side * n > 16384:
        raise ValueError(f"cell must be at most {16384 // n} pixels with n={n}, got {side}")
    if colours is None:
        raise ValueError("colours must be viridis or grey for an atlas, got None")
    check_look(colours, levels)
    paths = [path] if isinstance(path, str | os.PathLike) else list(path or ())
    for one in paths:
        _check_suffix(one)

    page = _Page(int(n) - 1, int(side))
    places = [(row, column) for row in range(1, n) for column in range(1, n - row + 1)]
    for row, column in counted(places, len(places), "pictures", progress):
        picture = None
        with suppress(_NoNetwork):
            p = _params(row * step, column * step, size=size, channels=channels, head=head)
            picture = pictures_of(p, seed, 1, normalize, levels, colours, threads)[0]
        page.show(picture, row, column)
    page.label(step, f"U = {uncompressed(size, channels)} bits, seed {seed}")
    found = np.asarray(page.image)
    for one in paths:
        save(one, found)
    return found


class _NoNetwork(ValueError):
    pass


def _params(soph: int, noise: int, **shape: Any) -> Any:
    try:
        return params(soph, noise, **shape)
    except ValueError as error:
        if str(error).startswith("No parameters"):
            raise _NoNetwork from None
        raise


def save(path: Path, page: Bytes) -> None:
    """Write a page (H, W, 3) uint8 by suffix, atomically: .pdf, or what ``save_image`` writes."""
    _check_suffix(path)
    if os.path.splitext(os.fspath(path))[1].lower() != ".pdf":
        return save_image(path, page)
    out = io.BytesIO()
    resolution = max(page.shape[:2]) / INCHES
    Image.fromarray(page).save(out, "PDF", resolution=resolution, quality=95, subsampling=0, title="cppn_native")
    return write_atomic(path, out.getvalue())


def _check_suffix(path: Path) -> None:
    if os.path.splitext(os.fspath(path))[1].lower() not in SUFFIXES:
        raise ValueError(f"path must end in one of {', '.join(SUFFIXES)}, got {os.fspath(path)!r}")


class _Page:
    """A square grid of cells, lettered above and to the left."""

    def __init__(self, cells: int, side: int) -> None:
        self.cells, self.side = cells, side
        self.gutter = max(2, side // 16)
        self.letters = max(8, side // 4)
        self.margin = 3 * self.letters
        self.across = self.margin + cells * (side + self.gutter) + self.gutter
        self.image = Image.new("RGB", (self.across, self.across + 2 * self.letters), PAPER)

    def show(self, picture: Bytes | None, row: int, column: int) -> None:
        """None is a place without a network."""
        from PIL import ImageDraw

        left, top = self._corner(column), self._corner(row)
        if picture is None:
            box = (left, top, left + self.side - 1, top + self.side - 1)
            return ImageDraw.Draw(self.image).rectangle(box, fill=NO_CELL)
        tile = Image.fromarray(picture)
        if self.side != tile.width:
            tile = tile.resize((self.side, self.side), Image.Resampling.BOX)
        return self.image.paste(tile, (left, top))

    def label(self, step: int, note: str) -> None:
        """Multiples of ``step`` along both edges, and what they are; the note where no pictures are."""
        from PIL import ImageDraw, ImageFont

        draw, font = ImageDraw.Draw(self.image), ImageFont.load_default(size=self.letters)
        half, line = self.side // 2, round(1.9 * self.letters)
        for k in range(1, self.cells + 1):
            draw.text((self._corner(k) + half, line), str(k), fill=INK, font=font, anchor="mm")
            draw.text((line, self._corner(k) + half), str(k), fill=INK, font=font, anchor="mm")
        first = self._corner(1)
        draw.text((first, self.letters * 0.8), self._fitting("noise", step, font), fill=INK, font=font, anchor="lm")
        box = (self.across - first, round(1.4 * self.letters))
        strip = Image.new("RGB", box, PAPER)
        text = self._fitting("sophistication", step, font)
        ImageDraw.Draw(strip).text((0, box[1] / 2), text, fill=INK, font=font, anchor="lm")
        self.image.paste(strip.transpose(Image.Transpose.ROTATE_270), (round(self.letters * 0.1), first))
        below = (first, self.across + 0.8 * self.letters)
        draw.text(below, note.replace(" ", "  "), fill=INK, font=font, anchor="lm")

    def _fitting(self, what: str, step: int, font: Any) -> str:
        """With the unit, if there is room."""
        text = f"{what},  in  {step}  bits"
        return text if font.getlength(text) <= self.across - self._corner(1) else what

    def _corner(self, k: int) -> int:
        return self.margin + self.gutter + (k - 1) * (self.side + self.gutter)
