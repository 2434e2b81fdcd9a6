"""Where a pixel lies: the coordinate conventions, by name.

A network sees (1, x, y). Its coordinates belong to the picture it was fitted to (``fitted``), whatever the size it
is rendered at: pixel centres of any other size are placed on the fitted picture first, so a picture rendered
larger shows the same thing with more detail between the pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["CONVENTIONS", "axes", "line"]

CONVENTIONS = ("seed", "centered")
"""In the order of their numbers in a file.

seed      x = i / 256, y = j / 256 with i, j from 0 at the top left: the 1020-byte program's raw pixel indices
centered  x = (2 i + 1 - W) / max(W, H), y alike: (0, 0) in the middle, the long side from -1 to 1

Beside them, "unit" is that of shapes, and of no network: (centered + 1) / 2, the long side from 0 to 1, the short one
in the middle; of a square x = (i + 1/2) / W.
"""

Region = tuple[float, float, float, float]


def axes(
    convention: str,
    fitted: tuple[int, int],
    size: tuple[int, int],
    region: Region | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The x of every column (W,) and the y of every row (H,) of a picture of ``size`` (width, height).

    ``region`` (left, top, right, bottom) is the part of the fitted picture to be shown, in fractions of it;
    it may reach beyond (0, 0, 1, 1). Computed in float64 and rounded once, so it is the same on every machine.
    """
    left, top, right, bottom = region or (0.0, 0.0, 1.0, 1.0)
    x = _axis(convention, 0, fitted, size[0], left, right)
    y = _axis(convention, 1, fitted, size[1], top, bottom)
    return x, y


def _axis(
    convention: str, which: int, fitted: tuple[int, int], count: int, first: float, last: float
) -> NDArray[np.float32]:
    length = fitted[which]
    place = first + (last - first) * (np.arange(count, dtype=np.float64) + 0.5) / count  # 0 ... 1
    if convention == "seed":
        return ((place * length - 0.5) / 256.0).astype(np.float32)
    if convention == "centered":
        return ((2.0 * place * length - length) / max(fitted)).astype(np.float32)
    if convention == "unit":
        return ((place * length + (max(fitted) - length) / 2) / max(fitted)).astype(np.float32)
    raise ValueError(f"coords must be one of {', '.join(CONVENTIONS)}, got {convention!r}")


def line(convention: str, fitted: tuple[int, int], which: int) -> tuple[float, float]:
    """(slope, offset) of the coordinate along axis ``which`` (0: x) in fractions of the fitted picture: what ``axes``
    computes, as a formula. All conventions are straight lines."""
    length, longest = fitted[which], max(fitted)
    if convention == "seed":
        return length / 256, -0.5 / 256
    if convention == "centered":
        return 2 * length / longest, -length / longest
    if convention == "unit":
        return length / longest, (longest - length) / (2 * longest)
    raise ValueError(f"coords must be one of {', '.join(CONVENTIONS)}, got {convention!r}")
