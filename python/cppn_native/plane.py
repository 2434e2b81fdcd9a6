"""What a network sees of the plane, as formulas: tables for the native code and expressions for the exporters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .coords import Region
from .layers import Inputs

__all__ = ["Plane", "Term"]


@dataclass(frozen=True)
class Term:
    """f(slope * place + offset) * amplitude, from a place in fractions of the picture: (i + 1/2) / width of column i.

    wave  "" for the line itself, "sin" or "cos" of 2 pi times the line
    """

    slope: float
    offset: float = 0.0
    wave: str = ""
    amplitude: float = 1.0

    def __call__(self, place: NDArray[np.float64]) -> NDArray[np.float64]:
        line = self.slope * place + self.offset
        if self.wave:
            line = (np.sin if self.wave == "sin" else np.cos)(2 * np.pi * line)
        return self.amplitude * line


@dataclass(frozen=True)
class Plane:
    """The inputs in order: those of the column, those of the row, and sqrt(radius[0]^2 + radius[1]^2) of one of each,
    if there is a radius."""

    columns: tuple[Term, ...]
    rows: tuple[Term, ...]
    radius: tuple[Term, Term] | None = None

    @property
    def count(self) -> int:
        return len(self.columns) + len(self.rows) + (self.radius is not None)

    def inputs(self, size: tuple[int, int], region: Region = (0.0, 0.0, 1.0, 1.0)) -> Inputs:
        """Tables for a picture of ``size`` (width, height), or for the part of it in ``region``, enlarged to that."""
        ends = (region[::2], region[1::2])
        x, y = (a + (b - a) * (np.arange(n) + 0.5) / n for n, (a, b) in zip(size, ends, strict=True))
        radius = self.radius and (self.radius[0](x), self.radius[1](y))
        return Inputs(_table(self.columns, x), _table(self.rows, y), radius)


def _table(terms: tuple[Term, ...], place: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([term(place) for term in terms]) if terms else np.empty((0, len(place)))
