"""A perceptron's training from its first step to the model: bursts of steps, stages, snapshots."""

from __future__ import annotations

import os
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..coords import axes
from ..models.perceptron import Perceptron, PerceptronConfig
from ..progress import Reporter
from ..recipes import Stage
from .perceptron_state import PerceptronPlan, PerceptronState, first_state, unpack
from .picture import SCORE_SCALE
from .stepwise import StepRun

__all__ = ["PerceptronRun"]

Floats = NDArray[np.float32]


class PerceptronRun(StepRun[PerceptronConfig, PerceptronPlan, PerceptronState, _core.PerceptronDescent, Perceptron]):
    """Of one picture (H, W, C) in 0 ... 255."""

    KIND: ClassVar[str] = "perceptron"
    ARRAYS: ClassVar[tuple[str, ...]] = ("params", "m", "v", "running")

    def __init__(
        self,
        pixels: Floats,
        config: PerceptronConfig,
        plan: PerceptronPlan,
        cpu: _core.Cpu,
        reporter: Reporter,
        checkpoint: str | os.PathLike[str] | None = None,
        init: Perceptron | None = None,
        snapshots: int = 0,
    ) -> None:
        height, width, _ = pixels.shape
        x, y = axes(config.coords, (width, height), (width, height))
        points = np.stack([np.tile(x, height), np.repeat(y, width)], axis=1).astype(np.float64)
        self.features = config.encoding(points)
        self._stage = -1
        state = first_state(config, plan.seed, init)
        super().__init__(pixels, config, plan, cpu, reporter, checkpoint, snapshots, state)

    def model(self) -> Perceptron:
        """The network as it is, with what training left behind."""
        model = self._shown(self.state.params, self.state.step)
        model.history = list(self.state.history)
        model.recipe = self.recipe()
        model.snapshots = [self._shown(params, 0) for params in self.state.snapshots]
        return model

    def _shown(self, params: Floats, step: int) -> Perceptron:
        """The network with these parameters, its running moments those of the whole picture: it shows what training
        saw."""
        running = self.state.running
        if any(self.config.norms):
            task = _core.Perceptron(self.cpu, self.features.shape[1], self.config.native(), len(self.features))
            task.gradient(params, self.features, self._target(Stage(1.0)))
            running = np.concatenate([np.asarray(part) for pair in task.moments() for part in pair])
        return unpack(self.config, self.size, params, running, step)

    def native(self, alone: bool = False) -> _core.PerceptronDescent:
        s, plan = self.state, self.plan
        return _core.PerceptronDescent(
            self.cpu, self.features.shape[1], self.config.native(), self.features, self._target(Stage(1.0)),
            (s.step, s.params, s.m, s.v, s.running), plan.loss, plan.batch, plan.seed, plan.decay,
            alone=alone,
        )  # fmt: skip

    def try_steps(self, native: _core.PerceptronDescent) -> int:
        native.run([0.0, 0.0], 0.0)
        return 2

    def take(self, native: _core.PerceptronDescent, burst: int) -> None:
        self.took_from(native, native.run(*self.next(native, burst)))

    def next(self, native: _core.PerceptronDescent, burst: int) -> tuple[list[float], float]:
        """Rates and noise of up to ``burst`` steps, but not beyond the present stage."""
        begins, step = self.plan.recipe.first_steps(self.plan.steps), self.state.step
        stage = max(n for n, begin in enumerate(begins) if begin <= step)
        if stage != self._stage:
            native.set_targets(self._target(self.plan.recipe.stages[stage]))
            self._stage = stage
        return self.plan.rates(step, self.last(burst, *begins)), self.plan.recipe.stages[stage].noise

    def took_from(self, native: _core.PerceptronDescent, loss: float) -> None:
        s = self.state
        s.step, s.params, s.m, s.v, s.running = native.state()
        self.took(loss, loss * self.pixels.size * SCORE_SCALE)

    def restored(
        self, facts: dict[str, Any], arrays: dict[str, NDArray[Any]], history: list[tuple[int, float]]
    ) -> PerceptronState:
        return PerceptronState(
            int(facts["step"]), arrays["params"], arrays["m"], arrays["v"], arrays["running"],
            float(facts["loss"]), float(facts["elapsed"]), history, list(arrays["snapshots"]),
        )  # fmt: skip

    def _target(self, stage: Stage) -> Floats:
        """(P, C) in units of an activation: a byte b is shown for activations in [b, b + 1) / 256."""
        planes = [_blurred(self.pixels[:, :, c], stage.blur) for c in range(self.pixels.shape[2])]
        return ((np.stack(planes, axis=2) + np.float32(0.5)) / np.float32(256)).reshape(-1, len(planes))


def _blurred(plane: Floats, sigma: float) -> Floats:
    """By a Gaussian of that standard deviation in pixels; beyond the edge lies the edge."""
    if sigma == 0:
        return plane
    reach = int(4 * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights /= weights.sum()
    for axis in (0, 1):
        padding = [(0, 0), (0, 0)]
        padding[axis] = (reach, reach)
        padded, length = np.pad(plane, padding, mode="edge"), plane.shape[axis]
        taps = (weights[k] * padded.take(np.arange(k, k + length), axis) for k in range(len(weights)))
        plane = np.asarray(sum(taps), np.float32)
    return plane
