"""From a network's values to what is seen: stretched, cut to levels, coloured."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .draws import check_whole

__all__ = ["COLOURS", "check_look", "colour_table", "coloured", "cut", "stretched"]

Floats: TypeAlias = NDArray[np.float32]
Values: TypeAlias = NDArray[np.float64]
Bytes: TypeAlias = NDArray[np.uint8]

COLOURS = ("viridis", "grey")
VIRIDIS = (
    (104.21, 76.68, 65.45, 20.5, -8.35, -5.07, -0.12, 1.79, 0.96, -1.11),
    (131.63, 116.34, -14.76, -1.24, -2.13, 0.18, 0.54, 0.19, -0.16, -0.02),
    (95.27, -37.15, -43.36, 5.67, 4.23, 7.46, 4.06, 1.21, 1.44, -0.27),
)
"""Red, green and blue of matplotlib's default map as Chebyshev series on [-1, 1], minimax fits of degree 9 made for
this file: within 1 of its bytes."""


def check_look(colours: str | None, levels: int | None) -> None:
    """``ValueError`` for what is no look."""
    if colours is not None and colours not in COLOURS:
        raise ValueError(f"colours must be None or one of {', '.join(COLOURS)}, got {colours!r}")
    if levels is not None:
        check_whole("levels", levels, 2, 256)


def stretched(values: Values) -> Values:
    """Pictures (B, C, H, W), every channel from its least to its greatest value, to [0, 1].

    That is what matplotlib does where there is one. A channel of a single value becomes 0.
    """
    least = values.min(axis=(2, 3), keepdims=True)
    span = values.max(axis=(2, 3), keepdims=True) - least
    return np.asarray((values - least) / np.where(span > 0, span, 1.0))


def cut(values: Values, levels: int) -> Values:
    """[0, 1] in so many intervals of one length, shown as 0, 1 / (levels - 1), ..., 1."""
    return np.asarray(np.minimum(np.floor(values * levels), levels - 1) / (levels - 1))


def coloured(values: Floats, colours: str) -> Bytes:
    """Values (..., 1) or (..., 3) of [0, 1] as bytes (..., 3); the colour map is for those of one channel."""
    index = np.clip(np.floor(values * np.float32(256)), 0, 255).astype(np.uint8)
    return index if values.shape[-1] == 3 else np.asarray(colour_table(colours)[index[..., 0]])


def colour_table(colours: str) -> Bytes:
    """(256, 3): the colours of a map."""
    if colours == "grey":
        return np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    from numpy.polynomial import chebyshev

    at = (np.arange(256) + 0.5) / 128 - 1
    curves = chebyshev.chebval(at, np.array(VIRIDIS).T)
    return np.asarray(np.rint(np.clip(curves.T, 0, 255)).astype(np.uint8))
