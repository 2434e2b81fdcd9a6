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
from ..layers import Inputs, Layer, arc, evaluate, evaluate_bands
from ..models.base import Shown, as_pixels, check_look, check_region, check_size
from ..plane import Plane, Term

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
    "sine": Variant(("softplus", "tanh"), output="sine"),
}


class Latent(Shown):
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
        if not isinstance(variant, str) or variant not in VARIANTS:
            raise ValueError(f"variant must be one of {', '.join(VARIANTS)}, got {variant!r}")
        self.seed = _whole("seed", seed, 0, 2**32 - 1)
        self.variant = variant
        self.z_dim = _whole("z_dim", z_dim, 1, 1024)
        self.net_size = _whole("net_size", net_size, 1, 512)
        self.depth = _whole("depth", depth, 1, 32)
        self.scale = _positive("scale", scale)
        self.contrast = _positive("contrast", contrast)
        if isinstance(channels, bool) or not isinstance(channels, int | np.integer) or channels not in (1, 3):
            raise ValueError(f"channels must be 1 or 3, got {channels!r}")
        self.channels = int(channels)
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
        return [*made, Layer(weights, bias, variant.output)]

    def plane(self, size: tuple[float, float] | None = None) -> Plane:
        """What the network sees of a picture of ``size``, whose aspect alone matters: x, y and r.

        A ``tile`` sees the sine and cosine of one turn a side instead, and half a turn in r; in the middle all of them
        run as fast as x, y and r do.
        """
        sides = self.size if size is None else size
        reach = [2 * self.scale * side / max(sides) for side in sides]
        if not self.tile:
            x, y = (Term(slope, -slope / 2) for slope in reach)
            return Plane((x,), (y,), (x, y))
        waves = [[Term(1.0, -0.5, wave, r / (2 * np.pi)) for wave in ("sin", "cos")] for r in reach]
        half = [Term(0.5, -0.25, "sin", r / np.pi) for r in reach]
        return Plane(tuple(waves[0]), tuple(waves[1]), (half[0], half[1]))

    def inputs(self, size: tuple[int, int], region: Region | None = None) -> Inputs:
        """The same as tables, for the pixels' centres of ``size`` (width, height), or of a region enlarged to it."""
        left, top, right, bottom = region = (0.0, 0.0, 1.0, 1.0) if region is None else check_region(region)
        return self.plane((size[0] / (right - left), size[1] / (bottom - top))).inputs(size, region)

    def render_float(
        self,
        size: tuple[int, int] | None = None,
        *,
        region: Region | None = None,
        threads: int | None = None,
    ) -> NDArray[np.float32]:
        """The outputs, (H, W, channels) in [0, 1]."""
        shape = self.size if size is None else check_size(size)
        return evaluate(self.layers(), self.inputs(shape, region), threads=threads)

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
        width, height = self.size if size is None else check_size(size, supersample)
        n = supersample
        picture = np.empty((height, width, 3), dtype)
        inputs = self.inputs((width * n, height * n), region)
        for top, band in evaluate_bands(self.layers(), inputs, multiple=n, threads=threads):
            shown = as_pixels(band, n, dtype)
            picture[top // n : top // n + len(shown)] = shown  # grey into all three
        return picture

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
        between.weights = tuple(arc(a, b, t) for a, b in zip(self.weights, other.weights, strict=True))
        return between

    def _checked(self, z: ArrayLike) -> Floats:
        try:
            numbers = np.array(z, np.float64)
        except (TypeError, ValueError):
            numbers = np.empty(0)
        if numbers.shape != (self.z_dim,) or not np.isfinite(numbers).all():
            raise ValueError(f"z must be {self.z_dim} finite numbers, got {z!r}")
        return numbers


def _whole(name: str, value: object, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise ValueError(f"{name} must be an integer from {low} to {high}, got {value!r}")
    return int(value)


def _positive(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 < value < 1e6:
        raise ValueError(f"{name} must be a positive number below 1e6, got {value!r}")
    return float(value)
