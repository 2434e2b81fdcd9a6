"""Latent pictures: a random network over the plane, and numbers z that move the picture about.

    U = x Wx + y Wy + r Wr + scale z Wz + bz        h = tanh(U)        h <- f(h W + b), three times
    picture = g(h W + b)        x, y in [-scale, scale]        r = sqrt(x^2 + y^2)        all W, b ~ N(0, 1)

After hardmaru's generator (github.com/hardmaru/cppn-tensorflow, model.py), where pixels on the edge lie at -scale and
scale; here the edge itself does, so that a picture is the same thing at every size.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..coords import Region
from ..models.base import as_pixels, as_png, as_rgb, check_look, check_region, check_size
from .layers import Inputs, Layer, evaluate

__all__ = ["VARIANTS", "Latent"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Variant:
    """Nonlinearities of the layers after the first, in turn, and of the output."""

    hidden: tuple[str, ...]
    output: str = "sigmoid"
    residual: bool = False


VARIANTS = {
    "tanh": Variant(("tanh",)),
    "softplus": Variant(("softplus", "tanh")),
    "residual": Variant(("tanh",), residual=True),
    "sine": Variant(("softplus", "tanh"), output="sin"),
}


class Latent:
    """A picture of random weights and a few numbers ``z``.

    seed      integer from 0 to 2^32 - 1: of the weights, and of z where it is not given
    variant   "tanh"; "softplus", which takes turns with tanh; "residual", h + tanh(h W + b); "sine", softplus with
              the output 1/2 + sin / 2
    z         (z_dim,) finite numbers; None: uniform in [-1, 1)
    net_size  neurons of a layer        depth  layers after the first, without the output
    scale     the larger, the more of the plane is seen: the long side of a picture reaches from -scale to scale
    contrast  factor of what the output's nonlinearity sees; 1 is the original's, 0.3 has softer colours
    channels  3, or 1 for grey
    tile      periodic inputs: copies of the picture side by side show no seam

    Seeds and z are the same picture at every size and on every machine, but for a byte on a rounding edge.
    Raises ``ValueError`` naming the argument that does not fit.
    """

    size = (512, 512)
    """(width, height) of what is rendered when no size is given."""

    def __init__(
        self,
        seed: int = 0,
        *,
        variant: str = "tanh",
        z: ArrayLike | None = None,
        z_dim: int = 8,
        net_size: int = 32,
        depth: int = 3,
        scale: float = 8.0,
        contrast: float = 1.0,
        channels: int = 3,
        tile: bool = False,
    ) -> None:
        if variant not in VARIANTS:
            raise ValueError(f"variant must be one of {', '.join(VARIANTS)}, got {variant!r}")
        self.seed = _whole("seed", seed, 0, 2**32 - 1)
        self.variant = variant
        self.z_dim = _whole("z_dim", z_dim, 1, 1024)
        self.net_size = _whole("net_size", net_size, 1, 512)
        self.depth = _whole("depth", depth, 1, 32)
        self.scale = _positive("scale", scale)
        self.contrast = _positive("contrast", contrast)
        self.channels = channels
        if isinstance(channels, bool) or channels not in (1, 3):
            raise ValueError(f"channels must be 1 or 3, got {channels!r}")
        self.tile = bool(tile)
        random = np.random.RandomState(self.seed)  # its stream is the same in every version of NumPy
        drawn = random.uniform(-1, 1, z_dim)  # drawn even if not used, so that z does not change the weights
        self.z = drawn if z is None else self._checked(z)
        self.weights = self._draw(random)

    def _draw(self, random: np.random.RandomState) -> tuple[Floats, ...]:
        """Wz, bz, (Wx, Wy, Wr), then W and b of every further layer, the output last; then what only tiles use."""
        n = self.net_size
        widths = [n] * self.depth + [self.channels]
        shapes = [(self.z_dim, n), (n,), (3, n)]
        shapes += [shape for width in widths for shape in ((n, width), (width,))]
        return tuple(random.standard_normal(shape) for shape in [*shapes, (2, n)])

    def __repr__(self) -> str:
        tile = ", tile" if self.tile else ""
        z = ", ".join(f"{value:.2f}" for value in self.z[:8]) + (", ..." if self.z_dim > 8 else "")
        return f"<Latent {self.variant} {self.net_size} x {self.depth}, seed {self.seed}{tile}, z ({z})>"

    # -- what is computed ------------------------------------------------------------------------------------

    def layers(self) -> list[Layer]:
        """The network on ``inputs()``; z is in the bias of the first layer, where it is a constant."""
        z_weights, z_bias, plane, *further = self.weights
        *further, waves = further
        first = np.stack([plane[0], waves[0], plane[1], waves[1], plane[2]]) if self.tile else plane
        made = [Layer(first, z_bias + self.scale * (self.z @ z_weights), "tanh")]
        variant = VARIANTS[self.variant]
        for k in range(self.depth):
            weights, bias = further[2 * k : 2 * k + 2]
            made.append(Layer(weights, bias, variant.hidden[k % len(variant.hidden)], residual=variant.residual))
        weights, bias = (self.contrast * array for array in further[-2:])
        made.append(Layer(weights, bias, variant.output))
        if variant.output == "sin":
            made.append(Layer(np.eye(self.channels) / 2, np.full(self.channels, 0.5), "identity"))
        return made

    def inputs(self, size: tuple[int, int], *, region: Region | None = None) -> Inputs:
        """x and y of the pixels' centres, and what r is made of.

        size    (width, height)
        region  (left, top, right, bottom) in fractions of the picture

        A ``tile`` sees sines and cosines of one period a side instead, and r^2 = rx^2 + ry^2 with half a period; in the
        middle all of them run as fast as x, y and r do.
        """
        width, height = check_size(size)
        left, top, right, bottom = (0.0, 0.0, 1.0, 1.0) if region is None else check_region(region)
        aspect = (width / (right - left), height / (bottom - top))
        columns, rx = self._axis(width, left, right, aspect[0] / max(aspect))
        rows, ry = self._axis(height, top, bottom, aspect[1] / max(aspect))
        return Inputs(columns, rows, (rx, ry))

    def _axis(self, count: int, first: float, last: float, share: float) -> tuple[Floats, Floats]:
        """Inputs (A, count) and part of r (count,) of one side, which is ``share`` of the longer one."""
        place = first + (last - first) * (np.arange(count) + 0.5) / count - 0.5
        reach = self.scale * share
        if not self.tile:
            return (2 * reach * place)[None], 2 * reach * place
        place -= np.rint(place)
        turn = 2 * np.pi * place
        return reach / np.pi * np.stack([np.sin(turn), np.cos(turn)]), 2 * reach / np.pi * np.sin(turn / 2)

    def render_float(
        self,
        size: tuple[int, int] | None = None,
        *,
        region: Region | None = None,
        threads: int | None = None,
    ) -> NDArray[np.float32]:
        """The outputs, (H, W, channels) in [0, 1]."""
        return evaluate(self.layers(), self.inputs(size or self.size, region=region), threads=threads)

    def render(
        self,
        size: tuple[int, int] | None = None,
        *,
        region: Region | None = None,
        supersample: int = 1,
        dtype: str = "uint8",
        threads: int | None = None,
    ) -> NDArray[Any]:
        """The picture, (H, W, 3) even when it is grey.

        size         (width, height) in pixels; None: 512 x 512
        region       (left, top, right, bottom) in fractions of the picture, to zoom and pan
        supersample  averages n x n points a pixel, for smooth edges
        dtype        "uint8": floor(256 a), clipped; "float32": a, in [0, 1]
        threads      None: all there are

        Raises ``ValueError`` for an argument that is none.
        """
        check_look(supersample, dtype)
        width, height = check_size(size or self.size, supersample)
        a = self.render_float((width * supersample, height * supersample), region=region, threads=threads)
        return as_rgb(as_pixels(a, supersample, dtype))

    def _repr_png_(self) -> bytes:
        return as_png(self.render())

    # -- moving about ----------------------------------------------------------------------------------------

    def with_z(self, z: ArrayLike) -> Latent:
        """The same network at another z, (z_dim,)."""
        moved = copy(self)
        moved.z = self._checked(z)
        return moved

    def blend(self, other: Latent, t: float) -> Latent:
        """What lies between this picture (t = 0) and another of the same shape (t = 1): z on a straight line,
        scale and contrast on geometric ones, and the weights, if they differ, on an arc, which keeps them N(0, 1)."""
        if not isinstance(other, Latent):
            raise ValueError(f"other must be a Latent too, got {type(other).__name__}")
        for name in ("variant", "z_dim", "net_size", "depth", "channels", "tile"):
            if getattr(self, name) != getattr(other, name):
                raise ValueError(f"other must have {name} {getattr(self, name)}, got {getattr(other, name)}")
        if t in (0, 1):
            return other if t else self
        between = self.with_z(self.z + t * (other.z - self.z))
        between.scale = self.scale * (other.scale / self.scale) ** t
        between.contrast = self.contrast * (other.contrast / self.contrast) ** t
        between.weights = tuple(_arc(a, b, t) for a, b in zip(self.weights, other.weights, strict=True))
        return between

    def _checked(self, z: ArrayLike) -> Floats:
        numbers = np.array(z, np.float64)
        if numbers.shape != (self.z_dim,) or not np.isfinite(numbers).all():
            raise ValueError(f"z must be {self.z_dim} finite numbers, got {z!r}")
        return numbers


def _arc(a: Floats, b: Floats, t: float) -> Floats:
    """From a to b by turning: random directions meet at right angles, so a straight line would pass near 0."""
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    angle = np.arccos(np.clip((a * b).sum() / lengths, -1, 1)) if lengths else 0.0
    if np.sin(angle) < 1e-6:
        return np.asarray(a + t * (b - a))
    return np.asarray((np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle))


def _whole(name: str, value: object, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise ValueError(f"{name} must be an integer from {low} to {high}, got {value!r}")
    return int(value)


def _positive(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 < value < 1e6:
        raise ValueError(f"{name} must be a positive number below 1e6, got {value!r}")
    return float(value)
