"""Perceptrons saved by PyTorch: the network from the shapes of its tensors, the coordinates from its batch statistics.

MysteryNet's files say neither what coordinates their network saw nor how large the picture was. But its first batch
normalization remembers mean and variance of the features it was trained on, and only the right grid gives these.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..layers import Inputs, Layer, evaluate
from .perceptron import Perceptron, PerceptronConfig

__all__ = ["from_tensors"]

WIDTH = 320
"""What MysteryNet's flags were resized to."""
ASPECTS = (1 / 2, 10 / 19, 5 / 9, 3 / 5, 5 / 8, 2 / 3, 28 / 37, 3 / 4, 0.7, 13 / 15, 1.0, 1.219)
"""Heights of flags in widths."""
GRID = 64
DOUBTFUL = 0.1
"""Statistics further than this from all candidates, in standard deviations, are of a grid that is not known."""


@dataclass(frozen=True)
class Grid:
    """x = x0 + x1 * u and y = y0 + y1 * v for u, v from 0 to 1 over the picture; which of them comes first."""

    x0: float
    x1: float
    y0: float
    y1: float
    swapped: bool
    height: int

    def points(self) -> NDArray[np.float64]:
        at = (np.arange(GRID) + 0.5) / GRID
        x, y = np.tile(self.x0 + self.x1 * at, GRID), np.repeat(self.y0 + self.y1 * at, GRID)
        return np.stack([y, x] if self.swapped else [x, y], axis=1)

    def centred(self) -> NDArray[np.float64]:
        """(3, 2): rows that make the network's inputs of our centred x, of our y, and of 1."""
        longest = max(WIDTH, self.height)
        u, v = longest / (2 * WIDTH), longest / (2 * self.height)  # of the picture per unit of x and y
        columns = [(self.x1 * u, 0.0, self.x0 + self.x1 / 2), (0.0, self.y1 * v, self.y0 + self.y1 / 2)]
        return np.array(columns[::-1] if self.swapped else columns).T


def from_tensors(tensors: dict[str, NDArray[Any]], size: tuple[int, int] | None = None) -> Perceptron:
    """A MysteryNet-like model (dense1, bn2, ..., dense_head), its coordinates turned into our "centered" ones.

    size  (width, height) of its picture; None: 320 pixels wide, of the flag's aspect that fits best

    Raises ``ValueError`` for tensors that are of no such network.
    """
    config = _config(tensors)
    given = Perceptron(config, size or (WIDTH, WIDTH), tensors)
    # Rounded: on a square, x and y may change places without a trace, and then x comes first.
    near = lambda grid: round(_distance(given, grid), 4)  # noqa: E731
    grid = min(_grids(size), key=near) if any(config.norms) else next(_grids(size or (3, 2)))
    distance = _distance(given, grid) if any(config.norms) else 0.0
    if distance > DOUBTFUL:
        raise ValueError(
            f"its batch statistics fit no known grid of coordinates: the best is {distance:.2f} deviations off"
        )
    state, to_inputs = given.state_dict(), grid.centred()
    w = state["dense1.weight"].astype(np.float64)
    state["dense1.weight"] = w @ to_inputs[:2].T
    state["dense1.bias"] = state["dense1.bias"] + w @ to_inputs[2]
    return Perceptron(config, size or (WIDTH, grid.height), state)


def _config(tensors: dict[str, NDArray[Any]]) -> PerceptronConfig:
    widths: list[int] = []
    while (name := f"dense{len(widths) + 1}.weight") in tensors:
        widths.append(int(np.asarray(tensors[name]).shape[0]) if np.ndim(tensors[name]) == 2 else 0)
    norms = [int(found[1]) for name in tensors if (found := re.fullmatch(r"bn(\d{1,4})\.weight", name))]
    head = np.shape(tensors.get("dense_head.weight", ()))
    if not widths or len(head) != 2:
        raise ValueError("there is no dense1.weight and dense_head.weight, so it is no such perceptron")
    if np.shape(tensors["dense1.weight"])[1:] != (2,):
        raise ValueError(
            f"dense1.weight must have two inputs, x and y, got the shape {np.shape(tensors['dense1.weight'])}"
        )
    return PerceptronConfig(tuple(widths), "gelu", min(norms, default=0), channels=int(head[0]))


def _grids(size: tuple[int, int] | None) -> Iterator[Grid]:
    """Conventions that people use: 0 to 1, -1 to 1, by the longer side, pixels; either coordinate first."""
    heights = [round(WIDTH * size[1] / size[0])] if size else [round(WIDTH * aspect) for aspect in ASPECTS]
    for swapped in (False, True):
        for height in heights:
            long = max(WIDTH, height)
            x, y = WIDTH / long, height / long
            yield Grid(-x, 2 * x, -y, 2 * y, swapped, height)
            yield Grid(0, x, 0, y, swapped, height)
            yield Grid(0, 1, 0, 1, swapped, height)
            yield Grid(-1, 2, -1, 2, swapped, height)
            yield Grid(-0.5, 1, -0.5, 1, swapped, height)
            yield Grid(0, WIDTH - 1, 0, height - 1, swapped, height)


def _distance(model: Perceptron, grid: Grid) -> float:
    """Root mean square difference between the features' moments on the grid and those remembered, in deviations."""
    state, every = model.state_dict(), model.config.norm_every
    inputs = Inputs(np.ascontiguousarray(grid.points().T), np.empty((0, 1)))
    layers = [
        Layer(state[f"dense{n}.weight"].astype(np.float64).T, state[f"dense{n}.bias"].astype(np.float64), "gelu")
        for n in range(1, every + 1)
    ]
    seen = evaluate(layers, inputs)[0].astype(np.float64)
    mean, var = state[f"bn{every}.running_mean"], np.maximum(state[f"bn{every}.running_var"], 1e-12)
    off = np.concatenate([(seen.mean(axis=0) - mean) / np.sqrt(var), np.sqrt(seen.var(axis=0) / var) - 1])
    found = float(np.sqrt(np.mean(off**2)))
    return found if np.isfinite(found) else float("inf")
