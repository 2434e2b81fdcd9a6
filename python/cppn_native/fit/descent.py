"""The first stage: Adam on all weights, with noise or stochastic quantization, in the native loop."""

from __future__ import annotations

import time

import numpy as np

from .. import _core
from ..models.cascade import CascadeConfig
from .picture import Picture
from .plan import Plan
from .state import FitState

__all__ = ["Descender", "grid"]

REPORT_SECONDS = 0.1


def grid(config: CascadeConfig, steps: tuple[float, float, float]) -> np.ndarray:
    """(K,) float32: what one level of each weight weighs."""
    return np.asarray(steps, np.float32)[config.kinds()]


def native_plan(plan: Plan) -> _core.DescentPlan:
    native = _core.DescentPlan()
    native.draw = _core.Draw.stochastic if plan.method == "stochastic" else _core.Draw.noise
    for name in (
        "steps",
        "rate",
        "rate_floor",
        "warmup",
        "noise",
        "noise_rise",
        "decay",
        "limit",
        "quantize_rate",
        "seed",
    ):
        setattr(native, name, getattr(plan, name))
    return native


class Descender:
    """Holds the native loop between units; everything that matters is written back to the state."""

    def __init__(self, picture: Picture, backend: _core.Cpu, state: FitState) -> None:
        self.task = picture.task(backend, state.config)
        start = _core.DescentState()
        start.step, start.q, start.loss, start.floating = state.step, state.q, state.loss, state.floating
        start.u, start.m, start.v = state.u.astype(np.float32), state.adam_m, state.adam_v
        if state.plan.method == "stochastic" and len(state.best):
            start.best_u, start.best_loss, start.has_best = (
                state.best.astype(np.float32),
                state.best_score,
                True,
            )
        weights = grid(state.config, state.steps)
        self._loop = _core.Descent(self.task, native_plan(state.plan), weights, np.ones_like(weights), start)
        self._chunk = 1

    def advance(self, state: FitState) -> None:
        """Some tenth of a second of steps. How they are cut into units does not change the result."""
        left = state.plan.steps - state.step
        begin = time.perf_counter()
        self._loop.run(min(self._chunk, left))
        self._read(state)
        seconds = time.perf_counter() - begin
        if seconds < REPORT_SECONDS / 2:
            self._chunk *= 2
        elif seconds > REPORT_SECONDS * 2:
            self._chunk = max(1, self._chunk // 2)

    def _read(self, state: FitState) -> None:
        now = self._loop.state()
        state.step, state.q, state.loss, state.floating = now.step, now.q, now.loss, now.floating
        state.u, state.adam_m, state.adam_v = now.u.astype(np.float64), now.m, now.v
        if now.has_best and now.best_loss < state.best_score:
            state.best = np.rint(now.best_u).astype(np.int32)
            state.best_score, state.best_steps = now.best_loss, state.steps
