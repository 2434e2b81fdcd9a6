"""The step as the library takes it: ``_core.Descent`` and nothing around it."""

from __future__ import annotations

import numpy as np
from cppn_native import _core
from numpy.typing import NDArray
from problem import BETA1, BETA2, EPS, LIMIT, RATE, Problem

__all__ = ["Ours"]


class Ours:
    family, how = "ours", "_core.Descent.run"

    def __init__(self, problem: Problem, isa: str, threads: int) -> None:
        self.name = f"cppn_native {isa}"
        self.problem = problem
        self.backend = _core.Cpu(isa, threads)
        x, y = problem.axes
        self.task = _core.Task(self.backend, problem.config.shape(), x, y, True, problem.target)
        self.grid = np.full(problem.weights, problem.step, np.float32)
        self.reset()

    def reset(self) -> None:
        start = _core.DescentState()
        start.u = self.problem.u
        self.loop = _core.Descent(self.task, _plan(), self.grid, np.ones_like(self.grid), start)

    def gradient(self) -> tuple[float, NDArray[np.float32]]:
        loss, dw = self.task.gradient(self.problem.u * self.grid)
        return loss, dw * self.grid

    def run(self, steps: int) -> None:
        self.loop.run(steps)

    def levels(self) -> NDArray[np.float32]:
        return self.loop.state().u


def _plan() -> _core.DescentPlan:
    plan = _core.DescentPlan()
    plan.draw = _core.Draw.plain
    plan.rate, plan.b1, plan.b2, plan.eps, plan.limit = RATE, BETA1, BETA2, EPS, LIMIT
    return plan
