"""What a training of shapes is made of: its plan, its state, the notebooks' initial values, the weights of its loss."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..models.shapes import Shapes, ShapesConfig

__all__ = ["LOSSES", "ShapesPlan", "ShapesState", "first_parameters", "first_state", "loss_weights", "split", "unpack"]

LOSSES = {"rmse": "root", "l1": "l1", "variance": "root", "brightness": "root"}
"""And what the native code calls them: the last two are weighted."""

BRIGHTNESS = (0.241, 0.691, 0.068)
WINDOW = 21
"""Pixels a side of the square that a local deviation is taken over."""

Floats = NDArray[np.float32]
T = TypeVar("T", bound=np.floating[Any])


@dataclass(frozen=True)
class ShapesPlan:
    """The numbers behind ``cn.train(picture, model="shapes")``.

    steps   of AdamW on the whole picture: the notebooks' epochs
    rate    learning rate, the same for all steps
    decay   AdamW's: w -= rate decay w
    loss    "rmse", sqrt(mean(e^2)); "l1", mean |e|; "variance", sqrt(mean(w e^2)) with w the local deviation of the
            picture, so that detail counts; "brightness", with w the share of a channel in brightness
    """

    rate: float
    steps: int = 1000
    decay: float = 0.01
    loss: str = "rmse"
    seed: int = 0
    minutes: float | None = None


@dataclass
class ShapesState:
    """All that a run depends on beside its plan; ``best`` the parameters of the lowest loss so far."""

    step: int
    params: Floats
    m: Floats
    v: Floats
    best: Floats
    best_loss: float = float("inf")
    loss: float = float("inf")
    elapsed: float = 0.0
    history: list[tuple[int, float]] = field(default_factory=list)
    snapshots: list[Floats] = field(default_factory=list)


def first_parameters(config: ShapesConfig, size: tuple[int, int], seed: int) -> dict[str, Floats]:
    """As the notebooks draw them; where these put a raw place into the unit square, it is put into the picture."""
    rng, shapes = np.random.default_rng(seed), config.shapes()

    def normal(name: str, scale: float = 1.0) -> Floats:
        return (scale * rng.normal(size=shapes[name])).astype(np.float32)

    def uniform(name: str) -> Floats:
        return rng.uniform(size=shapes[name]).astype(np.float32)

    drawn: dict[str, Floats] = {}
    for name in shapes:
        if name == "radius":
            drawn[name] = normal(name, 1.0 if config.kind == "stroke" else -3.0)
        elif name in ("colour", "alpha") or (name == "rotate" and config.kind in ("fourier", "article")):
            drawn[name] = np.zeros(shapes[name], np.float32)
        elif name in ("w_sin", "w_cos") and config.kind == "fourier":
            # The prose's outline is radius F: nothing at all where its waves are 0.
            drawn[name] = normal(name, 0.5) if config.formula == "prose" else np.zeros(shapes[name], np.float32)
        elif config.kind in ("fourier", "article") or name in ("width", "length"):
            drawn[name] = normal(name)
        else:
            drawn[name] = uniform(name)
    if config.kind in ("stroke", "point"):
        for name, length in zip(("posx", "posy"), size, strict=True):
            part = np.float32(length / max(size))
            drawn[name] = drawn[name] * part + (1 - part) / 2
    return drawn


def first_state(config: ShapesConfig, size: tuple[int, int], seed: int, init: Shapes | None) -> ShapesState:
    parameters = first_parameters(config, size, seed) if init is None else init.parameters
    params = np.concatenate([array.ravel() for array in parameters.values()])
    return ShapesState(0, params, np.zeros_like(params), np.zeros_like(params), params)


def unpack(config: ShapesConfig, size: tuple[int, int], params: Floats) -> Shapes:
    """A model of packed parameters (K,)."""
    return Shapes(config, size, split(config, params))


def split(config: ShapesConfig, params: NDArray[T]) -> dict[str, NDArray[T]]:
    """Packed parameters (K,) by name, in their shapes: views."""
    shapes = config.shapes()
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes.values()])
    parts = np.split(params, ends[:-1])
    return {name: part.reshape(shapes[name]) for name, part in zip(shapes, parts, strict=True)}


def loss_weights(target: Floats, loss: str) -> Floats:
    """(H, W, C), above 0 and 1 on average: what an error counts."""
    weights = np.ones(target.shape, np.float32)
    if loss == "brightness" and target.shape[2] >= 3:
        weights[:, :, :3] = 3 * np.array(BRIGHTNESS)
    if loss == "variance":
        deviation = np.sqrt(np.maximum(_local_mean(np.square(target - _local_mean(target))), 0))
        weights = deviation + np.float32(0.1) * deviation.mean() + np.float32(1e-6)  # flat parts count a little
        weights /= weights.mean()
    return np.ascontiguousarray(weights, np.float32)


def _local_mean(planes: NDArray[np.floating]) -> NDArray[np.float64]:
    """Over a window of ``WINDOW`` x ``WINDOW`` pixels, what of it lies in the picture."""
    means = planes.astype(np.float64)
    for axis in (0, 1):
        length = means.shape[axis]
        sums = np.concatenate([np.zeros_like(means.take([0], axis)), np.cumsum(means, axis)], axis)
        first = np.maximum(np.arange(length) - WINDOW // 2, 0)
        end = np.minimum(np.arange(length) + WINDOW // 2 + 1, length)
        count = (end - first).reshape([-1 if k == axis else 1 for k in range(3)])
        means = (sums.take(end, axis) - sums.take(first, axis)) / count
    return means
