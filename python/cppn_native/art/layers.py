"""Dense layers over the plane: what the painters' networks are made of, and how they are computed.

    h = inputs(x, y)        h <- f(h W + b) for every layer        the last h is the picture
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Inputs", "Layer", "evaluate"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Layer:
    """h <- f(h weights + bias), or h + f(...) of a ``residual`` layer.

    weights        (I, O)
    bias           (O,), or None for zeros
    nonlinearity   a name of the table: "tanh", "softplus", "sigmoid", "sin", ...
    normalize      "before" or "after" the nonlinearity: to mean 0 and deviation 1 over the features of each pixel
    residual       needs as many outputs as inputs
    """

    weights: Floats
    bias: Floats | None
    nonlinearity: str
    normalize: str = ""
    residual: bool = False


@dataclass(frozen=True)
class Inputs:
    """What the first layer sees at column i and row j: columns[:, i], then rows[:, j], then, if there is a
    ``radius``, sqrt(rx[i]^2 + ry[j]^2).

    columns  (A, W)        rows  (B, H)        radius  rx (W,) and ry (H,)
    """

    columns: Floats
    rows: Floats
    radius: tuple[Floats, Floats] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self.columns.shape[1], self.rows.shape[1]


def evaluate(layers: Sequence[Layer], inputs: Inputs, *, threads: int | None = None) -> NDArray[np.float32]:
    """(H, W, C) float32: the network at every pixel, on all cores unless ``threads`` says how many."""
    width, height = inputs.size
    h = np.concatenate([np.repeat(inputs.columns[:, None, :], height, 1), np.repeat(inputs.rows[:, :, None], width, 2)])
    if inputs.radius:
        h = np.concatenate([h, np.hypot(inputs.radius[0][None, :], inputs.radius[1][:, None])[None]])
    h = h.reshape(len(h), -1).T
    for layer in layers:
        z = h @ layer.weights + (0 if layer.bias is None else layer.bias)
        f = {"tanh": np.tanh, "sin": np.sin, "sigmoid": lambda z: 1 / (1 + np.exp(-z)), "softplus": lambda z: np.logaddexp(0, z), "identity": lambda z: z}[layer.nonlinearity](z)
        h = h + f if layer.residual else f
    return h.reshape(height, width, -1).astype(np.float32)
