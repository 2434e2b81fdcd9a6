"""What a network sees of the plane, as formulas: tables for the native code and expressions for the exporters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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

    def inputs(self, size: tuple[int, int]) -> Inputs:
        """Tables for a picture of ``size`` (width, height)."""
        x, y = ((np.arange(length) + 0.5) / length for length in size)
        radius = self.radius and (self.radius[0](x), self.radius[1](y))
        return Inputs(_table(self.columns, x), _table(self.rows, y), radius)


def _table(terms: tuple[Term, ...], place: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([term(place) for term in terms]) if terms else np.empty((0, len(place)))
