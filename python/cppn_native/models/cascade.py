"""The dense cascade: every neuron sees the inputs and all neurons before it; the last ones are the picture.

    z[n] = sum_{k < D+n} w[row(n) + k] a[k]        a[D+n] = f_n(z[n])        a[0..D) = 1, x, y [, further inputs]

After Anders Kaseorg's 1020-byte Starry Night (the seed), with any activation per neuron.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import _core
from ..activations import activation_numbers
from ..coords import CONVENTIONS, Region, axes
from ..devices import open_backend
from .base import Model, check_region, check_size

__all__ = ["KINDS", "Cascade", "CascadeConfig"]

KINDS = ("constant", "inputs", "neurons")
"""Kinds of weights, each with a step of its own: from the constant 1, from the other inputs, from neurons."""

SEED_STEP: float = 256 * float(np.log(8)) / 3364
"""What one level weighs in the 1020-byte program, whose activations run from 0 to 256."""


@dataclass(frozen=True)
class CascadeConfig:
    """The shape of a cascade.

    neurons            1 to 128, outputs included
    channels           outputs: 1 (grey), 2, 3 (RGB) or 4 (RGBA)
    activation         name for all hidden neurons, or one name for each
    output_activation  name for the outputs
    coords             coordinate convention (``cppn_native.coords.CONVENTIONS``)
    radius             a further input sqrt(x^2 + y^2)
    octaves            further inputs sin, cos of 2^k pi x and 2^k pi y for k < octaves (at most 7)

    Raises ``ValueError`` naming the field that does not fit.
    """

    neurons: int = 53
    channels: int = 3
    activation: str | tuple[str, ...] = "sine"
    output_activation: str = "sigmoid"
    coords: str = "centered"
    radius: bool = False
    octaves: int = 0

    def __post_init__(self) -> None:
        _check_integer("neurons", self.neurons, 1, _core.MAX_NEURONS)
        _check_integer("channels", self.channels, 1, _core.MAX_CHANNELS)
        _check_integer("octaves", self.octaves, 0, _core.MAX_OCTAVES)
        if self.neurons < self.channels:
            raise ValueError(f"neurons must be at least channels={self.channels}, got {self.neurons}")
        if self.coords not in CONVENTIONS:
            raise ValueError(f"coords must be one of {', '.join(CONVENTIONS)}, got {self.coords!r}")
        if not isinstance(self.activation, str):
            object.__setattr__(self, "activation", tuple(self.activation))
            if len(self.activation) != self.neurons - self.channels:
                raise ValueError(
                    f"activation must be one name, or one for each of the {self.neurons - self.channels} hidden"
                    f" neurons, got {len(self.activation)}"
                )
        activation_numbers(self._hidden_names(), "activation")
        activation_numbers([self.output_activation], "output_activation")

    def _hidden_names(self) -> Sequence[str]:
        if isinstance(self.activation, str):
            return [self.activation] * (self.neurons - self.channels) or [self.activation]
        return self.activation

    @property
    def activation_names(self) -> tuple[str, ...]:
        """One name for every neuron, outputs last."""
        hidden = self.neurons - self.channels
        return (*self._hidden_names()[:hidden], *([self.output_activation] * self.channels))

    @property
    def inputs(self) -> int:
        """D: the constant 1, x, y and what radius and octaves add."""
        return 3 + int(self.radius) + 4 * self.octaves

    @property
    def weights(self) -> int:
        """K: the weights of all neurons."""
        return self.neurons * self.inputs + self.neurons * (self.neurons - 1) // 2

    def kinds(self) -> NDArray[np.int32]:
        """(K,) the kind of every weight, a number in ``KINDS``."""
        rows = [np.minimum(np.arange(self.inputs + n), self.inputs) for n in range(self.neurons)]
        column = np.concatenate(rows)
        return np.where(column == 0, 0, np.where(column < self.inputs, 1, 2)).astype(np.int32)

    def shape(self) -> _core.Shape:
        """The native shape."""
        numbers = activation_numbers(self.activation_names, "activation")
        return _core.Shape(self.neurons, self.channels, self.radius, self.octaves, numbers)


def _check_integer(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise ValueError(f"{name} must be an integer from {low} to {high}, got {value!r}")


class Cascade(Model):
    """A cascade with weights.

    size    (width, height) of the picture it was fitted to
    levels  (K,) integers, or floats for a model that is not quantized yet
    steps   weight = level * step, one step for each of ``KINDS``
    """

    config: CascadeConfig
    KIND: ClassVar[str] = "cascade"

    def __init__(
        self,
        config: CascadeConfig,
        size: tuple[int, int],
        levels: ArrayLike,
        steps: Sequence[float] = (SEED_STEP,) * 3,
    ) -> None:
        self.config = config
        self.size = check_size(size)
        self.history: list[tuple[int, float]] = []
        self.levels: NDArray[Any] = np.ascontiguousarray(levels)
        if self.levels.shape != (config.weights,):
            raise ValueError(f"levels must have shape ({config.weights},), got {self.levels.shape}")
        if self.levels.dtype.kind not in "iuf" or not np.isfinite(self.levels).all():
            raise ValueError(f"levels must be finite integers or floats, got {self.levels.dtype}")
        self.levels = self.levels.astype(np.float32 if self.levels.dtype.kind == "f" else np.int32)
        self.steps = tuple(float(np.float32(step)) for step in steps)
        if len(self.steps) != len(KINDS) or not all(np.isfinite(s) and s > 0 for s in self.steps):
            raise ValueError(f"steps must be {len(KINDS)} positive numbers, got {steps!r}")

    def __repr__(self) -> str:
        width, height = self.size
        state = f"{self.nbytes} bytes" if self.quantized else "not quantized"
        return f"<Cascade {width} x {height}, {self.config.neurons} neurons, {self.n_params} weights, {state}>"

    @property
    def quantized(self) -> bool:
        """Whether the levels are integers, as a ``.cppn`` file needs them."""
        return self.levels.dtype.kind == "i"

    @property
    def n_params(self) -> int:
        return self.config.weights

    @property
    def weights(self) -> NDArray[np.float32]:
        """(K,) level times step, in float32: packed rows, row n has D + n entries."""
        grid = np.asarray(self.steps, np.float32)[self.config.kinds()]
        return self.levels.astype(np.float32) * grid

    def render_float(
        self,
        size: tuple[int, int] | None = None,
        *,
        region: Region | None = None,
        device: str = "auto",
        threads: int | None = None,
    ) -> NDArray[np.float32]:
        x, y, shape = self._grid(size, region)
        flat = open_backend(device, threads).render(self.config.shape(), self.weights, x, y, True)
        return flat.reshape(shape)

    def render_bytes(
        self,
        size: tuple[int, int] | None = None,
        *,
        region: Region | None = None,
        device: str = "auto",
        threads: int | None = None,
    ) -> NDArray[np.uint8]:
        x, y, shape = self._grid(size, region)
        flat = open_backend(device, threads).render_bytes(self.config.shape(), self.weights, x, y, True)
        return flat.reshape(shape)

    def _grid(
        self, size: tuple[int, int] | None, region: Region | None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], tuple[int, int, int]]:
        """The x of the columns, the y of the rows, and the shape of what is rendered there."""
        width, height = self.size if size is None else check_size(size)
        x, y = axes(
            self.config.coords, self.size, (width, height), check_region(region) if region is not None else None
        )
        return x, y, (height, width, self.config.channels)

    def __call__(self, coords: ArrayLike, *, device: str = "auto", threads: int | None = None) -> NDArray[np.float32]:
        """Activations of the outputs at points: (P, 2) x, y in the convention ``config.coords`` -> (P, C) float32."""
        points = np.asarray(coords, dtype=np.float32)
        if points.ndim != 2 or points.shape[1] != 2 or len(points) == 0 or not np.isfinite(points).all():
            raise ValueError(f"coords must be finite and of shape (P, 2) with P >= 1, got {points.shape}")
        x, y = np.ascontiguousarray(points[:, 0]), np.ascontiguousarray(points[:, 1])
        return open_backend(device, threads).render(self.config.shape(), self.weights, x, y, False)

    def activations(
        self, size: tuple[int, int] | None = None, *, device: str = "auto", threads: int | None = None
    ) -> NDArray[np.float32]:
        """What every neuron sees of the picture, (N, H, W) float32, outputs last."""
        width, height = self.size if size is None else check_size(size)
        if width * height * self.config.neurons > 1 << 29:
            raise ValueError(f"size {width} x {height} is too large for all {self.config.neurons} neurons at once")
        x, y = axes(self.config.coords, self.size, (width, height))
        flat = open_backend(device, threads).activations(self.config.shape(), self.weights, x, y, True)
        return flat.reshape(self.config.neurons, height, width)

    def quantize(
        self,
        levels: int | None = None,
        *,
        bits: float | None = None,
        max_bytes: int | None = None,
        image: Any = None,
        **options: Any,
    ) -> Cascade:
        """A model with integer weights.

        Exactly one of: ``levels`` per weight (rounded to nearest, clipped), ``bits`` per weight (2**bits levels),
        or ``max_bytes`` of file. With ``image``, rounding is done against the picture (``cn.train`` with this model
        as ``init`` and no descent), which is far better than to nearest.
        """
        from ..fit.quantize import quantize

        return quantize(self, levels=levels, bits=bits, max_bytes=max_bytes, image=image, **options)

    def to_bytes(self) -> bytes:
        from ..codec import encode

        return encode(self)

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """``levels`` (K,) and ``steps`` (3,) float32."""
        return {"levels": self.levels, "steps": np.asarray(self.steps, np.float32)}

    def load_state_dict(self, state: dict[str, NDArray[Any]]) -> None:
        """Takes over ``levels`` and ``steps``; ``ValueError`` if they do not fit the config."""
        if set(state) != {"levels", "steps"}:
            raise ValueError(f"state must hold levels and steps, got {', '.join(sorted(state)) or 'nothing'}")
        new = Cascade(self.config, self.size, state["levels"], [float(s) for s in np.ravel(state["steps"])])
        self.levels, self.steps = new.levels, new.steps

    def with_levels(self, levels: ArrayLike, steps: Sequence[float] | None = None) -> Cascade:
        """The same network with other weights."""
        return Cascade(self.config, self.size, levels, self.steps if steps is None else steps)

    def blend(self, other: Cascade, t: float) -> Cascade:
        """What lies between this model (t = 0) and another of the same config (t = 1): its weights are on the straight
        line between theirs, and so is its size. Not quantized, but for the ends."""
        if not isinstance(other, Cascade):
            raise ValueError(f"other must be a Cascade too, got {type(other).__name__}")
        for name, mine in asdict(self.config).items():
            if (theirs := getattr(other.config, name)) != mine:
                raise ValueError(f"other must have {name} {mine}, got {theirs}")
        if t in (0, 1):
            return other if t else self
        width, height = (round(a + t * (b - a)) for a, b in zip(self.size, other.size, strict=True))
        return Cascade(self.config, (width, height), self.weights + t * (other.weights - self.weights), (1.0,) * 3)

    def _channels(self) -> int:
        return self.config.channels

    @classmethod
    def from_state(cls, state: dict[str, NDArray[Any]], metadata: dict[str, str]) -> Cascade:
        """The model in a safetensors file that ``save`` wrote; ``ValueError`` if it is something else."""
        config = json.loads(metadata["config"])
        if isinstance(config.get("activation"), list):
            config["activation"] = tuple(config["activation"])
        width, height = json.loads(metadata["size"])
        model = cls(CascadeConfig(**config), (width, height), np.zeros(CascadeConfig(**config).weights, np.int32))
        model.load_state_dict(state)
        return model
