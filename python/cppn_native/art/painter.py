"""Random pictures after Xinyu Zhou's Neural Painter: dense layers with random weights and, as a rule, random
nonlinearities, of which each pixel's place is the input."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..layers import BAND_POINTS, Layer, arc, evaluate_bands
from ..models.base import Shown, check_look, check_size
from ..plane import Plane, Term
from .drawing import PainterConfig, draw_layers, exact_picture

__all__ = ["ORIENTATIONS", "Painter", "paint"]

ORIENTATIONS = ("natural", "compat")
HELD_POINTS = 8 * BAND_POINTS
"""Up to so many points are computed once and held as floats; of more, the least and greatest values first."""

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


class Painter(Shown):
    """One random network and the pictures it paints.

    size       (width, height) of the picture, unless ``render`` is told another
    arguments  those of ``PainterConfig``, the original's, with its defaults

    The same arguments give the same network everywhere and in every release. ``ValueError`` for what does not fit.
    """

    def __init__(self, size: tuple[int, int] = (800, 800), **arguments: Any) -> None:
        self.size = check_size(size)
        self.config = _config(arguments)
        self._layers = draw_layers(self.config)
        self._spans: dict[tuple[int, int], tuple[Floats, Floats]] = {}

    @property
    def picks(self) -> tuple[str, ...]:
        """The nonlinearity of every layer but the last, as drawn."""
        return tuple(layer.nonlinearity for layer in self._layers[:-1])

    @property
    def n_params(self) -> int:
        """How many weights and biases the network has, shared ones once."""
        arrays = {id(a): a.size for layer in self._layers for a in (layer.weights, layer.bias) if a is not None}
        return sum(arrays.values())

    def layers(self) -> list[Layer]:
        """The network on ``plane()``: the constant input has become a bias, and red comes first."""
        first, *hidden, last = self._layers
        if self.config.coord_bias:
            bias = first.weights[2] + (0.0 if first.bias is None else first.bias)
            first = replace(first, weights=first.weights[:2], bias=bias)
        if last.nonlinearity == "sort":  # whose outputs have their own order
            return [first, *hidden, last, Layer(np.eye(self.config.nr_channel)[::-1], None, "identity")]
        backwards = None if last.bias is None else last.bias[::-1]
        return [first, *hidden, replace(last, weights=last.weights[:, ::-1], bias=backwards)]

    def plane(self, size: tuple[int, int] | None = None) -> Plane:
        """The inputs: i / width and j / height at column i and row j."""
        width, height = self.size if size is None else size
        return Plane((Term(1.0, -0.5 / width),), (Term(1.0, -0.5 / height),))

    def span(self, size: tuple[int, int] | None = None, *, threads: int | None = None) -> tuple[Floats, Floats]:
        """(C,) least and (C,) greatest value of the network on the picture: shown black and white."""
        size = self.size if size is None else check_size(size)
        if size not in self._spans:
            self._spans[size] = _span(band for _, band in self._bands(size, 1, threads))
        return self._spans[size]

    def render(
        self,
        size: tuple[int, int] | None = None,
        *,
        supersample: int = 1,
        orientation: str = "natural",
        threads: int | None = None,
    ) -> Bytes:
        """The picture, (H, W, 3) uint8, each channel stretched from its least to its greatest value.

        size         (width, height); None is the painter's
        supersample  averages n x n points a pixel
        orientation  "natural": x to the right, y down, float32 on all cores. "compat": the original's picture to the
                     bit, in float64: x runs down and y to the right, so that (w, h) gives w rows of h columns
        threads      of the CPU; None: all there are

        Memory holds the picture and little else. Raises ``ValueError`` for a size, supersample or orientation that is
        none.
        """
        check_look(supersample, "uint8")
        size = check_size(self.size if size is None else size, supersample)
        if orientation not in ORIENTATIONS:
            raise ValueError(f"orientation must be one of {', '.join(ORIENTATIONS)}, got {orientation!r}")
        if orientation == "natural":
            return self._natural(size, supersample, threads)
        if supersample > 1:
            raise ValueError(f'supersample must be 1 with orientation="compat", got {supersample}')
        return _rgb(exact_picture(self.config, self._layers, size)[:, :, ::-1])

    def blend(self, other: Painter, t: float) -> Painter:
        """What lies between this picture (t = 0) and another of its shape and nonlinearities (t = 1): weights on an
        arc, which keeps them N(0, 1)."""
        if not isinstance(other, Painter):
            raise ValueError(f"other must be a Painter too, got {type(other).__name__}")
        for mine, theirs in zip(self._layers, other._layers, strict=False):
            if mine.nonlinearity != theirs.nonlinearity:
                raise ValueError(f"other must have the nonlinearities {self.picks}, got {other.picks}")
        if replace(self.config, nonlin="tanh", seed=0) != replace(other.config, nonlin="tanh", seed=0):
            raise ValueError(f"other must have the arguments {self.config}, got {other.config}")
        if t in (0, 1):
            return other if t else self
        between = Painter.__new__(Painter)
        between.size, between.config, between._spans = self.size, self.config, {}
        between._layers = [_between(*pair, t) for pair in zip(self._layers, other._layers, strict=True)]
        return between

    def _natural(self, size: tuple[int, int], n: int, threads: int | None) -> Bytes:
        width, height = size
        bands = self._bands(size, n, threads)
        if width * height * n * n <= HELD_POINTS:
            bands = list(bands)
            low, high = _span(band for _, band in bands)
        else:
            low, high = self.span((width * n, height * n), threads=threads)
        picture = np.empty((height, width, 3), np.uint8)
        scale = np.float32(255) / (high - low + np.float32(1e-8))
        for top, band in bands:
            shown = _averaged(band, n)
            picture[top // n : top // n + len(shown)] = _stretched(shown, low, scale)
        return picture

    def _bands(self, size: tuple[int, int], n: int, threads: int | None) -> Any:
        fine = (size[0] * n, size[1] * n)
        return evaluate_bands(self.layers(), self.plane(fine).inputs(fine), multiple=n, threads=threads)


def paint(
    size: tuple[int, int] = (800, 800),
    *,
    orientation: str = "natural",
    supersample: int = 1,
    threads: int | None = None,
    **arguments: Any,
) -> Bytes:
    """(H, W, 3) uint8: a random picture, as ``Painter(size, **arguments).render(...)``.

    >>> import cppn_native as cn
    >>> picture = cn.paint((400, 300), nonlin="random_every_time", nr_channel=3, coord_bias=True, seed=42)
    """
    return Painter(size, **arguments).render(supersample=supersample, orientation=orientation, threads=threads)


def _config(arguments: dict[str, Any]) -> PainterConfig:
    unknown = [name for name in arguments if name not in PainterConfig.__dataclass_fields__]
    if unknown:
        known = ", ".join(PainterConfig.__dataclass_fields__)
        raise TypeError(f"a painter has no argument {unknown[0]!r}; it has {known}")
    return PainterConfig(**arguments)


def _between(a: Layer, b: Layer, t: float) -> Layer:
    bias = None if a.bias is None or b.bias is None else arc(a.bias, b.bias, t)
    return replace(a, weights=arc(a.weights, b.weights, t), bias=bias)


def _span(bands: Any) -> tuple[Floats, Floats]:
    """Least and greatest finite value of every channel."""
    lows, highs = [], []
    for band in bands:
        planes = [band[:, :, c] for c in range(band.shape[2])]  # one by one: ten times as fast as over all axes at once
        low = np.array([plane.min() for plane in planes])
        high = np.array([plane.max() for plane in planes])
        if not (np.isfinite(low) & np.isfinite(high)).all():
            finite = np.isfinite(band)
            low = np.where(finite, band, np.float32(np.inf)).min(axis=(0, 1))
            high = np.where(finite, band, np.float32(-np.inf)).max(axis=(0, 1))
        lows.append(low)
        highs.append(high)
    low, high = np.min(lows, axis=0), np.max(highs, axis=0)
    empty = ~np.isfinite(low)  # not one finite value
    return np.where(empty, np.float32(0), low), np.where(empty, np.float32(1), high)


def _averaged(band: Floats, n: int) -> Floats:
    if n == 1:
        return band
    rows, columns, channels = band.shape
    return np.asarray(band.reshape(rows // n, n, columns // n, n, channels).mean(axis=(1, 3), dtype=np.float32))


def _stretched(band: Floats, low: Floats, scale: Floats) -> Bytes:
    v = (band - low) * scale
    if not np.isfinite(v).all():
        v = np.nan_to_num(v, nan=0.0)
    return _rgb(np.clip(v, 0, 255).astype(np.uint8))


def _rgb(picture: Bytes) -> Bytes:
    return np.ascontiguousarray(np.broadcast_to(picture, (*picture.shape[:2], 3)))
