"""What the printers of shapes print: a picture of shapes reduced to numbers, a row each, in the order of drawing.

    row: px py cos sin  sx sy outer radius  colour (4)  weight width length -  (w_sin w_cos) of every term, to fours

As csrc/core/shape_formulas.h computes them from the raw parameters: nothing of a shape lies beyond R = outer.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...coords import line
from ...models.base import check_size
from ...models.shapes import Shapes
from ..expression import Line, Picture

__all__ = ["FigureProgram", "figure_program"]

LOG2_E = 1.44269504


@dataclass(frozen=True)
class FigureProgram(Picture):
    """
    x, y    coordinates from fractions of the fitted picture
    unit    pixels of the fitted picture to 1 of its coordinates
    rows    (n, 16 + 2 terms and what is left to a multiple of 4) float32
    """

    kind: str
    formula: str
    terms: int
    x: Line
    y: Line
    unit: float
    rows: NDArray[np.float32]

    @property
    def text(self) -> str:
        """The rows, little-endian, in base64."""
        return base64.b64encode(self.rows.astype("<f4").tobytes()).decode()


def figure_program(model: Shapes, size: tuple[int, int] | None) -> FigureProgram:
    """``ValueError`` for a size that is none."""
    config = model.config
    return FigureProgram(
        size=model.size if size is None else check_size(size),
        channels=config.channels,
        kind=config.kind,
        formula=config.formula,
        terms=config.terms,
        x=Line(*line(model.COORDS, model.size, 0)),
        y=Line(*line(model.COORDS, model.size, 1)),
        unit=config.native(model.size)[-1],
        rows=_rows(model),
    )


def _rows(model: Shapes) -> NDArray[np.float32]:
    config, v, n = model.config, model.values(), model.config.count
    none, one = np.zeros(n), np.ones(n)
    angle = v.get("rotate", none)
    colour = np.zeros((n, 4))
    if "colour" in v:
        colour[:, : config.channels] = v["colour"]
    weight = np.exp(-v["order"]) if "order" in v else np.exp(-v["alpha"]) if "alpha" in v else one
    waves = np.empty((n, 0))
    if config.terms:
        waves = np.stack([v["w_sin"], v["w_cos"]], axis=2).transpose(1, 0, 2).reshape(n, -1)
    columns = [v["posx"], v["posy"], np.cos(angle), np.sin(angle), v.get("scale_x", one), v.get("scale_y", one),
               _outer(model, v), v.get("radius", none), *colour.T, weight, v.get("width", none), v.get("length", none),
               none, *waves.T]  # fmt: skip
    columns += [none] * (-len(columns) % 4)
    rows = np.stack(columns, axis=1)
    if config.kind == "article":  # from front to back: the smaller the nearer, as the native code counts ranks
        rows = rows[np.argsort(-(v["scale_x"] * v["scale_y"]).astype(np.float32), kind="stable")]
    return np.ascontiguousarray(rows, np.float32)


def _outer(model: Shapes, v: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    config, n = model.config, model.config.count
    if config.kind == "article":
        return np.full(n, 0.2)
    if config.kind == "point":
        return np.full(n, 20 / LOG2_E / config.native(model.size)[-1])
    if config.kind == "stroke":
        return v["radius"] + np.sqrt(64 / LOG2_E / np.maximum(v["width"], 1e-30))
    most = np.hypot(v["w_sin"], v["w_cos"]).sum(axis=0)
    reach = v["radius"] * (1 + 0.1 * most if config.formula == "notebook" else most)
    return np.asarray(1.0001 * reach + 1e-6)
