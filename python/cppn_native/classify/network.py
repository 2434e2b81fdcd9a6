"""The network behind the classifier: h <- tanh(W h + b) for every layer, the output included; how it is drawn, trained
and evaluated. Parameters are packed layer by layer, W (outputs, inputs) and then b (outputs)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..activations import ACTIVATIONS
from ..devices import open_cpu
from ..layers import Inputs, Layer, evaluate

__all__ = ["Descent", "Network"]

Floats = NDArray[np.float32]

TILE = 128  # rows that the native code takes at a time: below, there is nothing for a second thread to do
WORK_AT_ONCE = 1 << 28  # weights times samples between two chances for Ctrl-C: some hundredths of a second
POINTS_AT_ONCE = 1 << 18


@dataclass(frozen=True)
class Network:
    """widths: inputs, hidden layers, outputs."""

    widths: tuple[int, ...]

    @property
    def weights(self) -> int:
        return sum((before + 1) * after for before, after in zip(self.widths, self.widths[1:], strict=False))

    def draw(self, random: np.random.RandomState) -> Floats:
        """W ~ N(0, 1), b ~ U(-1, 1) / sqrt(inputs): (weights,)."""
        parts = []
        for before, after in zip(self.widths, self.widths[1:], strict=False):
            parts += [random.normal(size=before * after), random.uniform(-1, 1, after) / np.sqrt(before)]
        return np.concatenate(parts).astype(np.float32)

    def unpack(self, params: Floats) -> list[tuple[Floats, Floats]]:
        """(W (outputs, inputs), b (outputs)) of every layer, views of ``params``."""
        layers, at = [], 0
        for before, after in zip(self.widths, self.widths[1:], strict=False):
            end = at + before * after
            layers.append((params[at:end].reshape(after, before), params[end : end + after]))
            at = end + after
        return layers

    def native(self) -> list[tuple[int, int, bool]]:
        return [(width, ACTIVATIONS["tanh"].number, False) for width in self.widths[1:]]

    def outputs(self, params: Floats, x: Floats) -> Floats:
        """At points x (P, inputs): (P, outputs)."""
        parts = []
        for at in range(0, len(x), POINTS_AT_ONCE):
            points = np.ascontiguousarray(x[at : at + POINTS_AT_ONCE].T, dtype=np.float64)
            threads = 1 if points.shape[1] <= TILE else None
            parts.append(evaluate(self._layers(params), Inputs(points, np.empty((0, 1))), threads=threads)[0])
        return np.concatenate(parts)

    def over_plane(self, params: Floats, x: NDArray[np.float64], y: NDArray[np.float64]) -> Floats:
        """Of two inputs, at every x (W,) and y (H,): (H, W, outputs)."""
        return evaluate(self._layers(params), Inputs(x[None], y[None]))

    def _layers(self, params: Floats) -> list[Layer]:
        return [Layer(w.T.astype(np.float64), b.astype(np.float64), "tanh") for w, b in self.unpack(params)]


@dataclass(frozen=True)
class Descent:
    """AdamW on the mean of |output - target|, over x (P, inputs) and targets (P, outputs).

    batch  samples a step, drawn without repetition in every epoch; 0: one after the other, as they come
    """

    network: Network
    x: Floats
    targets: Floats
    batch: int
    rate: float
    decay: float
    seed: int

    def epochs(self, params: Floats, count: int) -> Iterator[tuple[float, Floats]]:
        """After each of ``count`` epochs, the mean of its steps' losses and the parameters. Ctrl-C is heard within."""
        rows = min(self.batch or 1, len(self.x))
        alone, zeros = rows <= TILE, np.zeros_like(params)
        descent = _core.PerceptronDescent(
            open_cpu(1 if alone else None), self.network.widths[0], self.network.native(), self.x, self.targets,
            (0, params, zeros, zeros, np.zeros(0)), "l1", rows, self.seed, self.decay, self.batch == 0, alone,
        )  # fmt: skip
        steps = len(self.x) // rows
        at_once = max(1, WORK_AT_ONCE // (rows * self.network.weights))
        bursts = [[self.rate] * min(at_once, steps - at) for at in range(0, steps, at_once)]
        for _ in range(count):
            loss = sum(len(burst) * descent.run(burst) for burst in bursts) / steps
            yield loss, descent.state()[1]
