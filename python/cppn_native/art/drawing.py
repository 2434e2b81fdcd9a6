"""The Neural Painter's network as its random numbers make it, and its picture in float64, to the bit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..layers import Layer
from .nonlinearities import PICKS, TABLE, normalized

__all__ = ["PainterConfig", "draw_layers", "exact_picture"]

RANDOM = ("random_once", "random_every_time")
POSITIONS = {"before_nonlin": "before", "after_nonlin": "after"}
PIXELS_AT_ONCE = 1 << 14
LIMITS = {"hidden_size": (1, 4096), "nr_hidden": (0, 200), "seed": (0, (1 << 32) - 1)}


@dataclass(frozen=True)
class PainterConfig:
    """The original's arguments, with its defaults.

    hidden_size, nr_hidden   width, and how many layers from hidden to hidden follow the first
    nonlin                   one of the 24 (``art.nonlinearities``), "random_once" or "random_every_time"
    nr_channel               1 (grey) or 3
    output_nonlin            one of the 24
    coord_bias               a third input that is 1
    use_bias                 biases like weights, N(0, 1)
    recurrent                the hidden layers share one matrix
    batch_norm               each pixel's features to mean 0 and deviation 1, before or after the nonlinearity
    seed                     of NumPy's legacy generator, 0 to 2^32 - 1

    Raises ``ValueError`` naming the argument that does not fit.
    """

    hidden_size: int = 100
    nr_hidden: int = 3
    nonlin: str = "tanh"
    nr_channel: int = 1
    output_nonlin: str = "identity"
    coord_bias: bool = False
    use_bias: bool = False
    recurrent: bool = False
    batch_norm: bool = False
    batch_norm_position: str = "before_nonlin"
    seed: int = 42

    def __post_init__(self) -> None:
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
                raise ValueError(f"{name} must be an integer from {low} to {high}, got {value!r}")
        if self.nr_channel not in (1, 3) or isinstance(self.nr_channel, bool):
            raise ValueError(f"nr_channel must be 1 or 3, got {self.nr_channel!r}")
        if self.nonlin not in (*TABLE, *RANDOM):
            raise ValueError(f"nonlin must be one of {', '.join((*TABLE, *RANDOM))}; got {self.nonlin!r}")
        if self.output_nonlin not in TABLE:
            raise ValueError(f"output_nonlin must be one of {', '.join(TABLE)}; got {self.output_nonlin!r}")
        if self.batch_norm_position not in POSITIONS:
            known = " or ".join(POSITIONS)
            raise ValueError(f"batch_norm_position must be {known}, got {self.batch_norm_position!r}")
        if self.batch_norm and self.hidden_size == 1:
            raise ValueError("hidden_size must be at least 2 with batch_norm: one feature has no deviation, got 1")

    @property
    def inputs(self) -> int:
        return 3 if self.coord_bias else 2

    def auto_name(self, size: tuple[int, int], assign: str = ":") -> str:
        """What the original appends to a file's name: its arguments by name."""
        arguments: dict[str, Any] = {**asdict(self), "image_size": f"{size[0]}x{size[1]}"}
        return "-".join(f"{name}{assign}{value}" for name, value in sorted(arguments.items()))


def draw_layers(config: PainterConfig) -> list[Layer]:
    """The layers, by the original's draws from ``RandomState(seed)`` in their order."""
    rng = np.random.RandomState(config.seed)
    chosen = PICKS[rng.randint(0, len(PICKS))] if config.nonlin == "random_once" else config.nonlin
    sizes = [config.inputs, *[config.hidden_size] * (config.nr_hidden + 1)]
    layers: list[Layer] = []
    for n, shape in enumerate(pairwise(sizes)):
        weights = (layers[-1].weights, layers[-1].bias) if config.recurrent and n > 1 else _draw(rng, config, shape)
        pick = PICKS[rng.randint(0, len(PICKS))] if chosen == "random_every_time" else chosen
        normalize = POSITIONS[config.batch_norm_position] if config.batch_norm else ""
        layers.append(Layer(*weights, pick, normalize))
    return [*layers, Layer(*_draw(rng, config, (config.hidden_size, config.nr_channel)), config.output_nonlin)]


def _draw(
    rng: np.random.RandomState, config: PainterConfig, shape: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    weights = rng.randn(*shape)
    return weights, rng.randn(shape[1]) if config.use_bias else None


def exact_picture(config: PainterConfig, layers: list[Layer], size: tuple[int, int]) -> NDArray[np.uint8]:
    """(w, h, C) bytes in float64, as the original computes them: w rows of h columns, blue first of three channels."""
    v = np.concatenate([_forward(layers, coordinates) for coordinates in _coordinates(config, size)])
    low, high = v.min(axis=0), v.max(axis=0)
    with np.errstate(invalid="ignore"):
        shown = ((v - low) / (high - low + 1e-8) * 255).astype(np.uint8)
    return np.asarray(shown).reshape(*size, config.nr_channel)


def _coordinates(config: PainterConfig, size: tuple[int, int]) -> Iterator[NDArray[np.float64]]:
    """(i / w, j / h [, 1]) of every pixel, rounded to float32, j fastest; some pixels at a time."""
    width, height = size
    for begin in range(0, width * height, PIXELS_AT_ONCE):
        pixel = np.arange(begin, min(begin + PIXELS_AT_ONCE, width * height))
        columns = [pixel // height / width, pixel % height / height, np.ones(len(pixel))]
        yield np.stack(columns[: config.inputs], axis=1).astype(np.float32).astype(np.float64)


def _forward(layers: list[Layer], h: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(all="ignore"):
        for layer in layers:
            z = h @ layer.weights + (0.0 if layer.bias is None else layer.bias)
            z = normalized(z) if layer.normalize == "before" else z
            h = TABLE[layer.nonlinearity](z)
            h = normalized(h) if layer.normalize == "after" else h
    return h
