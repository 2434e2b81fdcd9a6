"""Shapes as curves: where the amount f of a shape has a given value, as a polygon in the picture's coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...models.shapes import Shapes

__all__ = ["Figures", "figures"]

DISC, DISC_SLOPE, SHARPNESS = 0.2, 5.0, 16.0
"""Of csrc/core/shape_formulas.h: the article's radius, and how steep its edge and the notebook's are."""

FARTHEST = 64.0
"""Of a curve's points, in long sides of the picture: beyond, they only say that the shape is everywhere."""

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Figures:
    """Outlined shapes, the rearmost first.

    model    what they are of
    order    (n) numbers of the shapes
    weights  (n) by number, what the amount of each is multiplied by; 1 for "fourier"
    colours  (n, C) by number
    """

    model: Shapes
    order: NDArray[np.int64]
    weights: NDArray[np.float64]
    colours: NDArray[np.float64]

    def amounts(self, i: int, x: Points, y: Points) -> Points:
        """f of shape i at places of the picture's coordinates, before any weight."""
        v = self._values
        dx, dy = x - v["posx"][i], y - v["posy"][i]
        cos, sin = np.cos(v["rotate"][i]), np.sin(v["rotate"][i])
        across, down = v["scale_x"][i] * (cos * dx - sin * dy), v["scale_y"][i] * (sin * dx + cos * dy)
        r = np.hypot(across, down)
        f: Points = np.tanh(self._steep(i) * (self._edge(i, np.arctan2(down, across)) - r))
        return np.maximum(f, 0)

    def contour(self, i: int, amount: float, count: int) -> Points:
        """(count, 2): where f of shape i is ``amount``, all around; what is inside has more. Empty if nothing has."""
        v = self._values
        phi = 2 * np.pi * np.arange(count) / count
        r = np.maximum(self._edge(i, phi) - np.arctanh(amount) / self._steep(i), 0)
        if not r.any():
            return np.empty((0, 2))
        across = np.clip(r * np.cos(phi) / max(v["scale_x"][i], 1e-6), -FARTHEST, FARTHEST)
        down = np.clip(r * np.sin(phi) / max(v["scale_y"][i], 1e-6), -FARTHEST, FARTHEST)
        cos, sin = np.cos(v["rotate"][i]), np.sin(v["rotate"][i])
        return np.stack([v["posx"][i] + cos * across + sin * down, v["posy"][i] - sin * across + cos * down], axis=1)

    @property
    def _values(self) -> dict[str, NDArray[np.float64]]:
        if "_kept" not in self.__dict__:
            object.__setattr__(self, "_kept", self.model.values())
        kept: dict[str, NDArray[np.float64]] = self.__dict__["_kept"]
        return kept

    def _steep(self, i: int) -> float:
        """df/dR at the edge."""
        config = self.model.config
        if config.kind == "article":
            return DISC_SLOPE / DISC
        return 1.0 if config.formula == "prose" else SHARPNESS / max(float(self._values["radius"][i]), 1e-30)

    def _edge(self, i: int, phi: Points) -> Points:
        """R where f becomes 0, in the direction phi of the shape's own coordinates: theta is -phi."""
        config, v = self.model.config, self._values
        if config.kind == "article":
            return np.full_like(phi, DISC)
        waves = np.zeros_like(phi)
        for m in range(1, config.terms + 1):
            waves += v["w_cos"][m - 1, i] * np.cos(m * phi) - v["w_sin"][m - 1, i] * np.sin(m * phi)
        radius = float(v["radius"][i])
        return radius * waves if config.formula == "prose" else radius * (1 + 0.1 * waves)


def figures(model: Shapes) -> Figures:
    """``ValueError`` for a kind whose shapes have no outline."""
    kind, values = model.config.kind, model.values()
    if kind in ("stroke", "point"):
        raise ValueError(f"svg: shapes of kind {kind!r} have no outline; html draws them")
    n = model.config.count
    weights, order = np.ones(n), np.arange(n)
    if kind == "depth":
        weights = np.exp(-values["order"])
        order = np.argsort(weights, kind="stable")
    elif kind == "article":  # the smaller the nearer
        order = np.argsort(values["scale_x"] * values["scale_y"], kind="stable")
    return Figures(model, order, weights, values["colour"])
