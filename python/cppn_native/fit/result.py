"""What a fit comes to, wherever it stops: the best legal model, or the present weights rounded to nearest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..codec import encoded_size
from ..errors import DivergedError
from ..models.cascade import KINDS, Cascade, CascadeConfig
from .picture import Picture
from .rounding import MAX_LEVEL
from .state import FitState

__all__ = ["best_model", "diverged", "fit_steps"]


def best_model(state: FitState, picture: Picture, cpu: _core.Cpu, stopped: str) -> Cascade:
    """The best legal model; before there is one, the present weights rounded to nearest."""
    if state.plan.max_bytes is None and state.plan.method != "stochastic":
        model = Cascade(state.config, state.size, state.u.astype(np.float32), state.steps)
    elif len(state.best) and _fits(state, state.best, state.best_steps):
        model = Cascade(state.config, state.size, state.best, state.best_steps)
    else:
        model = _nearest(state, picture, cpu)
    model.history = list(state.history)
    model.stopped = stopped
    return model


def diverged(state: FitState, picture: Picture, cpu: _core.Cpu) -> DivergedError:
    """The error, with the best legal model if there is one."""
    text = f"training diverged at step {state.step}: the loss is {state.loss}; try a smaller rate"
    return DivergedError(text, best_model(state, picture, cpu, "diverged") if len(state.best) else None)


def _fits(state: FitState, levels: NDArray[np.int32], steps: tuple[float, float, float]) -> bool:
    most = state.plan.max_bytes
    return most is None or encoded_size(state.config, state.size, levels, steps) <= most


def _nearest(state: FitState, picture: Picture, cpu: _core.Cpu) -> Cascade:
    """The present weights rounded to nearest; while freezing, perhaps rather those that it began with."""
    if state.stage != "freeze":
        return _rounded(state, state.u)
    task = picture.task(cpu, state.config)
    models = [_rounded(state, u) for u in (state.u, state.floats)]
    return min(models, key=lambda model: task.loss(model.weights))


def _rounded(state: FitState, u: NDArray[np.float64]) -> Cascade:
    levels, steps = np.rint(u).astype(np.int32), state.steps
    if not _fits(state, levels, steps):
        assert state.plan.max_bytes is not None
        u, steps = fit_steps(state.config, state.size, u, steps, state.plan.max_bytes, quick=True)
        levels = np.rint(u).astype(np.int32)
    return Cascade(state.config, state.size, levels, steps)


def fit_steps(
    config: CascadeConfig,
    size: tuple[int, int],
    u: NDArray[np.float64],
    steps: tuple[float, float, float],
    max_bytes: int,
    *,
    quick: bool = False,
) -> tuple[NDArray[np.float64], tuple[float, float, float]]:
    """The weights counted in the finest steps, all three equal, at which rounding to nearest fits ``max_bytes``.

    ``quick`` goes by the static coder, which may leave some 2 % of the bytes unused.
    """
    weights = u * np.asarray(steps)[config.kinds()]
    finest = max(float(np.abs(weights).max()) / (MAX_LEVEL - 1), min(steps) / 2)
    code = min(255, _core.nearest_step_code(finest) + 1)

    def fits(code: int, quick: bool) -> bool:
        step = float(_core.step_grid(code))
        levels = np.rint(weights / step).astype(np.int32)
        return encoded_size(config, size, levels, (step,) * len(KINDS), quick=quick) <= max_bytes

    first = code
    while code < 255 and not fits(code, quick=True):
        code += 1
    while not quick and code > first and fits(code - 1, quick=False):
        code -= 1
    step = float(_core.step_grid(code))
    return weights / step, (step, step, step)
