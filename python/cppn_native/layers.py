"""Dense layers over the plane: what the painters' networks are made of, and how they are computed.

h = inputs(x, y)        h <- f(h W + b) for every layer        the last h is the picture
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import _core
from .activations import ACROSS, ACTIVATIONS
from .devices import open_cpu

__all__ = ["NONLINEARITIES", "Inputs", "Layer", "arc", "evaluate", "evaluate_bands"]

Floats = NDArray[np.float64]

NONLINEARITIES = {name: entry.number for name, entry in (ACTIVATIONS | ACROSS).items()}
"""What a layer may have, by name: the table of ``csrc/core/activations.h``, of one number or across features."""

NORMALIZE = ("", "before", "after")
BAND_POINTS = 1 << 20
"""What ``evaluate_bands`` computes at a time: some tenths of a second."""


@dataclass(frozen=True)
class Layer:
    """h <- f(h weights + bias), or h + f(...) of a ``residual`` layer.

    weights        (I, O)
    bias           (O,), or None for zeros
    nonlinearity   one of ``NONLINEARITIES``
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

    def band(self, top: int, bottom: int) -> Inputs:
        """Rows ``top`` to ``bottom``, exclusive."""
        radius = self.radius and (self.radius[0], self.radius[1][top:bottom])
        return Inputs(self.columns, self.rows[:, top:bottom], radius)


def arc(a: Floats, b: Floats, t: float) -> Floats:
    """From weights a to b by turning: random directions meet at right angles, so a straight line would pass near 0."""
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    angle = np.arccos(np.clip((a * b).sum() / lengths, -1, 1)) if lengths else 0.0
    if np.sin(angle) < 1e-6:
        return np.asarray(a + t * (b - a))
    return np.asarray((np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle))


def evaluate(layers: Sequence[Layer], inputs: Inputs, *, threads: int | None = None) -> NDArray[np.float32]:
    """(H, W, C) float32: the network at every pixel, on all cores unless ``threads`` says how many."""
    width, height = inputs.size
    out: NDArray[np.float32] | None = None
    for top, band in evaluate_bands(layers, inputs, threads=threads):
        if len(band) == height:
            return band
        if out is None:
            out = np.empty((height, width, band.shape[2]), np.float32)
        out[top : top + len(band)] = band
    assert out is not None
    return out


def evaluate_bands(
    layers: Sequence[Layer], inputs: Inputs, *, multiple: int = 1, threads: int | None = None
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """The same in bands of rows, (top, (rows, W, C)), so that memory need not hold the picture; the rows of a band
    are a multiple of ``multiple``. Ctrl-C is heard between bands."""
    cpu, native = open_cpu(threads), _native(layers)
    width, height = inputs.size
    rows = max(1, BAND_POINTS // (width * multiple)) * multiple
    for top in range(0, height, rows):
        band = inputs.band(top, min(top + rows, height))
        yield top, native.forward(cpu, band.columns, band.rows, band.radius)


def _native(layers: Sequence[Layer]) -> _core.Layers:
    given = []
    for layer in layers:
        bias = np.zeros(layer.weights.shape[1]) if layer.bias is None else layer.bias
        function, normalize = NONLINEARITIES[layer.nonlinearity], NORMALIZE.index(layer.normalize)
        given.append((layer.weights.T, bias, function, normalize, layer.residual))
    return _core.Layers(given)
