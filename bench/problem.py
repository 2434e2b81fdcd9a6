"""The problem all competitors solve: one cascade, one picture; and the NumPy float64 answer they are held to.

    D = 3 inputs (1, x / 256, y / 256), N sigmoid neurons, K = N D + N (N - 1) / 2 weights
    w = step * u, u in levels
    loss = (256 / 255)^2 sum (a - target)^2        target (C, P) = (byte + 1/2) / 256

This is the score of the 1020-byte program. Everything is in units of an activation, which spares the
frameworks the seed's multiplications by 256 per pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from common import painting
from cppn_native.coords import axes
from cppn_native.fit.picture import to_target
from cppn_native.image import load_image
from cppn_native.models.cascade import SEED_STEP, CascadeConfig
from numpy.typing import NDArray

D = 3
C = 3
KAPPA = (256 / 255) ** 2
RATE, BETA1, BETA2, EPS, LIMIT = 0.01, 0.9, 0.999, 1e-8, 55.0
"""Adam and the clip, as the 1020-byte program was trained."""
CHUNK = 16384  # pixels the reference holds at a time


@dataclass(frozen=True)
class Problem:
    """``target`` (C, P) float32, ``u`` (K,) float32 levels, ``size`` (width, height)."""

    neurons: int
    size: tuple[int, int]
    target: NDArray[np.float32]
    u: NDArray[np.float32]
    picture: str
    step: float = float(np.float32(SEED_STEP))

    @property
    def pixels(self) -> int:
        return self.size[0] * self.size[1]

    @property
    def weights(self) -> int:
        return len(self.u)

    @property
    def gflop(self) -> float:
        """What is counted of a step: multiply-adds of forward, backward and weight gradient; nothing else."""
        return 3 * 2 * self.weights * self.pixels / 1e9

    @cached_property
    def config(self) -> CascadeConfig:
        return CascadeConfig(neurons=self.neurons, channels=C, activation="sigmoid", output_activation="sigmoid")

    @cached_property
    def axes(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return axes("seed", self.size, self.size)

    @cached_property
    def inputs(self) -> NDArray[np.float32]:
        """(D, P) the inputs at every pixel, row by row."""
        x, y = np.meshgrid(*self.axes)
        return np.stack([np.ones(self.pixels, np.float32), x.ravel(), y.ravel()])

    @cached_property
    def index(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """(row, column) in an (N, D + N) matrix of each of the K packed weights."""
        rows = np.concatenate([np.full(D + n, n) for n in range(self.neurons)])
        columns = np.concatenate([np.arange(D + n) for n in range(self.neurons)])
        return rows, columns


def row(n: int) -> int:
    """Where the weights of neuron ``n`` begin."""
    return n * D + n * (n - 1) // 2


def seed_problem(neurons: int = 45) -> Problem:
    """The painting, or without it a generated picture of its size, and the seed's random first weights."""
    path = painting()
    if path is None:
        return generated_problem(neurons, (386, 320))
    image = load_image(path)
    target = to_target(image.astype(np.float32))
    return Problem(neurons, (image.shape[1], image.shape[0]), target, first_weights(neurons), path.name)


def generated_problem(neurons: int, size: tuple[int, int]) -> Problem:
    """Any size: the time of a step does not depend on the picture."""
    image = np.random.default_rng(1).integers(0, 256, (size[1], size[0], C)).astype(np.float32)
    return Problem(neurons, size, to_target(image), first_weights(neurons), "random bytes")


def first_weights(neurons: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).uniform(-16, 16, row(neurons)).astype(np.float32)


# -- the reference ------------------------------------------------------------------------------------------


def value_and_gradient(problem: Problem, u: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Loss and its gradient in ``u``, in float64, written down neuron by neuron."""
    n_neurons = problem.neurons
    w = np.zeros((n_neurons, D + n_neurons))
    w[problem.index] = u * problem.step
    loss, dw = 0.0, np.zeros_like(w)
    for first in range(0, problem.pixels, CHUNK):
        at = slice(first, first + CHUNK)
        a = np.empty((D + n_neurons, len(problem.inputs[0, at])))
        a[:D] = problem.inputs[:, at]
        for n in range(n_neurons):
            a[D + n] = 1 / (1 + np.exp(-(w[n, : D + n] @ a[: D + n])))
        miss = a[-C:] - problem.target[:, at]
        loss += KAPPA * float((miss**2).sum())
        da = np.zeros((n_neurons, a.shape[1]))
        da[-C:] = 2 * KAPPA * miss
        for n in reversed(range(n_neurons)):
            da[n] += w[n + 1 :, D + n] @ da[n + 1 :]
            da[n] *= a[D + n] * (1 - a[D + n])  # from here on dloss/dz
        dw += da @ a.T
    return loss, dw[problem.index] * problem.step


@dataclass(frozen=True)
class Answer:
    """Loss and gradient at the first weights, and the loss after ``steps`` steps of Adam."""

    loss: float
    gradient: NDArray[np.float64]
    steps: int
    loss_after: float


def answer(problem: Problem, steps: int) -> Answer:
    u = problem.u.astype(np.float64)
    loss, gradient = value_and_gradient(problem, u)
    m, v, g = np.zeros_like(u), np.zeros_like(u), gradient
    for t in range(1, steps + 1):
        m = BETA1 * m + (1 - BETA1) * g
        v = BETA2 * v + (1 - BETA2) * g**2
        u = u - RATE * (m / (1 - BETA1**t)) / (np.sqrt(v / (1 - BETA2**t)) + EPS)
        u = np.clip(u, -LIMIT, LIMIT)
        after, g = value_and_gradient(problem, u)
    return Answer(loss, gradient, steps, after if steps else loss)
