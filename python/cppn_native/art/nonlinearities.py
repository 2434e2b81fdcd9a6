"""The Neural Painter's nonlinearities in float64, on features (pixels, features), in the order its draws pick them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["PICKS", "TABLE", "normalized"]

Floats = NDArray[np.float64]
EPS = 1e-8


def xlogx(x: Floats) -> Floats:
    """x log x, 0 at 0."""
    return np.where(x == 0, 0.0, x * np.log(np.where(x == 0, 1.0, x)))


def logsoftmax(z: Floats) -> Floats:
    less = z - z.max(axis=1, keepdims=True)
    return np.asarray(less - np.log(np.exp(less).sum(axis=1, keepdims=True)))


def softmax(z: Floats) -> Floats:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def relu(z: Floats) -> Floats:
    return np.maximum(z, 0.0)


TABLE: dict[str, Callable[[Floats], Floats]] = {
    "sort": lambda z: np.sort(z, axis=1),
    "square": np.square,
    "log_abs": lambda z: np.log(np.abs(z) + EPS),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "cos": np.cos,
    "xlogx_square": lambda z: xlogx(z * z + EPS),
    "hard_sigmoid": lambda z: np.clip(0.2 * z + 0.5, 0.0, 1.0),
    "sgn": np.sign,
    "identity": lambda z: z,
    "abs_tanh": lambda z: np.abs(np.tanh(z)),
    "logsoftmax": logsoftmax,
    "xlogx_relu_p1": lambda z: xlogx(relu(z) + 1),
    "xlogx_abs_p1": lambda z: xlogx(np.abs(z) + 1),
    "log_square": lambda z: np.log(z * z + EPS),
    "tanh": np.tanh,
    "log_abs_p1": lambda z: np.log(np.abs(z) + 1),
    "relu": relu,
    "xlogx_relu": lambda z: xlogx(relu(z) + EPS),
    "softplus": lambda z: np.logaddexp(0.0, z),
    "abs": np.abs,
    "softmax": softmax,
    "log_relu": lambda z: np.log(relu(z) + EPS),
    "sin": np.sin,
    "xlogx_abs": lambda z: xlogx(np.abs(z) + EPS),
}

PICKS = tuple(TABLE)
"""What a random number from 0 to 23 means."""


def normalized(z: Floats) -> Floats:
    """To mean 0 and deviation 1 over the features of each pixel: what the Neural Painter calls batch normalization."""
    return np.asarray((z - z.mean(axis=1, keepdims=True)) / z.std(axis=1, keepdims=True))
