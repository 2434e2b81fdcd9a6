"""Many pictures on one sheet: ``cn.collage``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .art.contact import BACKGROUND, contact_sheet
from .models.base import Model

__all__ = ["collage"]

WIDTH = 160


def collage(
    models: Sequence[Model],
    columns: int | None = None,
    *,
    names: Sequence[str] | None = None,
    width: int = WIDTH,
) -> NDArray[np.uint8]:
    """(H, W, 3) uint8: every model's picture, ``width`` pixels wide in its own aspect, in rows of ``columns``.

    columns  pictures in a row; None: as many as make the sheet about as high as wide
    names    a caption for each

    Raises ``ValueError`` for no models, or for names that are more or fewer.
    """
    if not models:
        raise ValueError("models must be at least one, got none")
    if names is not None and len(names) != len(models):
        raise ValueError(f"names must be one for each of {len(models)} models, got {len(names)}")
    if isinstance(width, bool) or not isinstance(width, int) or not 8 <= width <= 4096:
        raise ValueError(f"width must be an integer from 8 to 4096, got {width!r}")
    if columns is not None and (isinstance(columns, bool) or not isinstance(columns, int) or columns < 1):
        raise ValueError(f"columns must be a positive integer or None, got {columns!r}")
    sizes = [_within(model.size, width) for model in models]
    tile = (width, max(height for _, height in sizes))
    across = columns or max(1, round((len(models) * (tile[1] + 30) / (width + 12)) ** 0.5))
    shown = (_centred(model.render(size), tile) for model, size in zip(models, sizes, strict=True))
    return contact_sheet(shown, list(names or [""] * len(models)), min(across, len(models)), tile)


def _within(size: tuple[int, int], width: int) -> tuple[int, int]:
    """As wide as a tile or, of an upright picture, as high."""
    scale = width / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _centred(picture: NDArray[np.uint8], tile: tuple[int, int]) -> NDArray[np.uint8]:
    out = np.full((tile[1], tile[0], 3), BACKGROUND, np.uint8)
    top, left = (tile[1] - picture.shape[0]) // 2, (tile[0] - picture.shape[1]) // 2
    out[top : top + picture.shape[0], left : left + picture.shape[1]] = picture[:, :, :3]
    return out
