"""What an exporter prints of a random picture: dense layers over the plane, as numbers and names.

h = the plane's terms at (x, y)        h <- f(h W + b), or h + f(...), for every layer
the byte of channel c = gain[c] (h[c] - low[c]), truncated and clipped; no number is 0
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeGuard

import numpy as np
from numpy.typing import NDArray

from ...layers import NORMALIZE, Layer, evaluate
from ...models.base import check_size
from ...plane import Plane
from ..expression import Picture

__all__ = ["DenseProgram", "Layered", "Row", "dense_program", "is_layered"]


class Layered(Protocol):
    """Random pictures: ``Painter``, ``Latent``.

    One with ``span(size)``, the (C,) least and greatest value of its picture, shows them black and white; one
    without shows floor(256 v).
    """

    @property
    def size(self) -> tuple[int, int]: ...
    def layers(self) -> list[Layer]: ...
    def plane(self, size: Any = None) -> Plane: ...
    def render(self, size: Any = None) -> NDArray[Any]: ...


def is_layered(model: object) -> TypeGuard[Layered]:
    """Whether a model is a random picture."""
    return callable(getattr(model, "layers", None)) and callable(getattr(model, "plane", None))


@dataclass(frozen=True)
class Row:
    """One layer in a program's table. ``function`` counts in ``DenseProgram.used``; 1 in ``normalize`` is before, 2
    is after; the numbers at ``start`` are those of an output after the other: its weights, then its bias."""

    inputs: int
    outputs: int
    function: int
    normalize: int
    residual: int
    start: int

    def text(self, brackets: str = "[]") -> str:
        numbers = (self.inputs, self.outputs, self.function, self.normalize, self.residual, self.start)
        return brackets[0] + ",".join(map(str, numbers)) + brackets[1]


@dataclass(frozen=True)
class DenseProgram(Picture):
    """One network.

    plane    the inputs at ``size``; at other sizes and in regions the program shows the same picture finer or coarser
    layers   the network
    low      (C,) what is shown black
    gain     (C,) bytes for each unit above it; 0 for a channel that is the same everywhere, whose rounding errors
             are not to be seen
    """

    plane: Plane
    layers: tuple[Layer, ...]
    low: tuple[float, ...]
    gain: tuple[float, ...]

    @property
    def used(self) -> tuple[str, ...]:
        """The nonlinearities that occur, each once, in the order of their first layer."""
        return tuple(dict.fromkeys(layer.nonlinearity for layer in self.layers))

    @property
    def normalizes(self) -> bool:
        return any(layer.normalize for layer in self.layers)

    @property
    def widest(self) -> int:
        """The greatest number of features anywhere."""
        return int(max(self.plane.count, *(layer.weights.shape[1] for layer in self.layers)))

    @property
    def cost(self) -> int:
        """Multiplications for a pixel."""
        return sum(layer.weights.size for layer in self.layers)

    def distinct(self) -> list[Layer]:
        """The layers, those with the same arrays once."""
        return list({_key(layer): layer for layer in reversed(self.layers)}.values())[::-1]

    def rows(self) -> list[Row]:
        """The table of the layers; those with the same arrays share their numbers."""
        starts: dict[tuple[int, int], int] = {}
        end, rows = 0, []
        for layer in self.layers:
            inputs, outputs = layer.weights.shape
            if _key(layer) not in starts:
                starts[_key(layer)] = end
                end += (inputs + 1) * outputs
            function, normalize = self.used.index(layer.nonlinearity), NORMALIZE.index(layer.normalize)
            rows.append(Row(inputs, outputs, function, normalize, int(layer.residual), starts[_key(layer)]))
        return rows

    def numbers(self) -> NDArray[np.float32]:
        """All weights and biases in the order of ``rows``."""
        parts = [np.column_stack([layer.weights.T, bias_of(layer)]).ravel() for layer in self.distinct()]
        return np.concatenate(parts).astype(np.float32)

    def text(self) -> str:
        """The numbers as base64 of little-endian float32."""
        return b64encode(self.numbers().astype("<f4").tobytes()).decode()

    def render(self, size: tuple[int, int]) -> NDArray[np.uint8]:
        """(H, W, C): what a program has to show at ``size``, computed natively."""
        values = evaluate(self.layers, self.plane.inputs(size))
        with np.errstate(invalid="ignore"):
            scaled = (values - np.asarray(self.low, np.float32)) * np.asarray(self.gain, np.float32)
        pixels: NDArray[np.uint8] = np.clip(np.nan_to_num(scaled, nan=0.0), 0, 255).astype(np.uint8)
        return pixels


def dense_program(model: Layered, size: tuple[int, int] | None = None) -> DenseProgram:
    """The program of a random picture."""
    size = model.size if size is None else check_size(size)
    layers = tuple(model.layers())
    channels = layers[-1].weights.shape[1]
    if not 1 <= channels <= 4:
        raise ValueError(f"a picture has 1 to 4 channels, this network has {channels} outputs")
    span = getattr(model, "span", None)
    if span is None:
        low, gain = (0.0,) * channels, (256.0,) * channels
    else:
        least, greatest = (np.asarray(end, np.float32) for end in span(size))
        low = _floats(least)
        gain = _floats(np.where(greatest > least, np.float32(255) / (greatest - least + np.float32(1e-8)), 0))
    return DenseProgram(size, channels, model.plane(size), layers, low, gain)


def bias_of(layer: Layer) -> NDArray[np.float64]:
    """(O,), zeros where there is none."""
    return np.zeros(layer.weights.shape[1]) if layer.bias is None else layer.bias


def _key(layer: Layer) -> tuple[int, int]:
    return id(layer.weights), id(layer.bias)


def _floats(array: Sequence[float] | NDArray[np.float32]) -> tuple[float, ...]:
    return tuple(float(v) for v in array)
