"""A fit from its first step to its file: the stages in order, reports, checkpoints, the clock, Ctrl-C."""

from __future__ import annotations

import os
import time
import zlib
from copy import copy
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..codec import encoded_size
from ..errors import DivergedError
from ..models.cascade import KINDS, Cascade, CascadeConfig
from ..progress import Progress, Reporter
from .descent import Descender
from .picture import Picture
from .plan import Plan
from .rounding import MAX_LEVEL, Rounder, first_price
from .state import FitState, save_checkpoint

__all__ = ["Run", "first_state", "fit_steps"]

CHECKPOINT_SECONDS = 10.0
FEW_BYTES = 3  # too many for the file that the lattice search may be left to buy back
COARSEST = 2.0**10
IDLE = 6  # evaluations without a gain after which polishing ends


def fingerprint(picture: Picture) -> int:
    return zlib.crc32(picture.target.tobytes())


def first_state(config: CascadeConfig, plan: Plan, picture: Picture, init: Cascade | None = None) -> FitState:
    """Random weights, or those of ``init``."""
    state = FitState(config, plan, picture.fitted, fingerprint(picture))
    if init is None:
        state.steps = (float(np.float32(plan.step)),) * 3
        rng = np.random.default_rng(plan.seed)
        state.u = rng.uniform(-plan.spread, plan.spread, config.weights).astype(np.float32).astype(np.float64)
    else:
        state.steps = (init.steps[0], init.steps[1], init.steps[2])
        state.u = init.levels.astype(np.float64)
    state.adam_m = np.zeros(config.weights, np.float32)
    state.adam_v = np.zeros(config.weights, np.float32)
    state.fixed = np.zeros(config.weights, np.bool_)
    return state


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


class Run:
    """Drives a state to its end. ``stopped`` says why it ended: "finished", "minutes", "callback" or "interrupt"."""

    def __init__(
        self,
        picture: Picture,
        backend: _core.Cpu,
        state: FitState,
        reporter: Reporter,
        checkpoint: str | os.PathLike[str] | None = None,
    ) -> None:
        self.picture, self.backend, self.state = picture, backend, state
        self.reporter, self.checkpoint = reporter, checkpoint
        self.stopped = "finished"
        self._worker: Descender | Rounder | None = None
        self._round_seconds = 0.0
        self._clock = time.monotonic()
        self._saved = self._clock

    def go(self) -> Cascade:
        """Works until the plan is done, the time is up, the callback says stop, or Ctrl-C; returns the best."""
        try:
            while self.state.stage != "done":
                self._advance()
                self._tick()
                if self.state.stage != "done" and self.reporter(self._report()):
                    self.stopped = "callback"
                    break
                if self._late():
                    self.stopped = "minutes"
                    break
                if self.checkpoint is not None and time.monotonic() - self._saved > CHECKPOINT_SECONDS:
                    self.save()
        except KeyboardInterrupt:
            self.stopped = "interrupt"
        model = self._finish()
        self.save()
        return model

    def save(self) -> None:
        if self.checkpoint is not None:
            self._tick()
            save_checkpoint(self.checkpoint, self.state)
            self._saved = time.monotonic()

    # -- stages ------------------------------------------------------------------------------------------------

    def _advance(self) -> None:
        before = copy(self.state)  # arrays are replaced, never written into
        try:
            getattr(self, f"_{self.state.stage}")()
        except KeyboardInterrupt:
            self.state = before  # a unit is done or it is not: a checkpoint holds nothing half done
            raise

    def _descend(self) -> None:
        state, plan = self.state, self.state.plan
        if state.step < plan.steps:
            if not isinstance(self._worker, Descender):
                self._worker = Descender(self.picture, self.backend, state)
            self._worker.advance(state)
            self._tick()
            if not np.isfinite(state.loss):
                raise DivergedError(
                    f"training diverged at step {state.step}: the loss is {state.loss}; try a smaller rate",
                    self._model() if len(state.best) else None,
                )
        # The clock may run slower than it did when the steps were counted out: rounding keeps most of its share.
        if state.step >= plan.steps or self._seconds_left() < 0.8 * plan.reserve:
            self._end_descent()

    def _end_descent(self) -> None:
        state, plan = self.state, self.state.plan
        self._worker = None
        if plan.max_bytes is None or plan.method == "stochastic":
            state.stage, state.unit = "done", 0
            return
        state.u, state.steps = fit_steps(self.config, state.size, state.u, state.steps, _tight(plan.max_bytes))
        self._begin_freeze()

    def _begin_freeze(self) -> None:
        state = self.state
        state.floats = state.u
        state.loss = self._rounder().score(state.u, state.steps)
        state.price, state.damping = first_price(state.loss, len(state.u)), 1e-3
        state.stage, state.unit = "freeze", 0
        state.fixed = np.zeros(len(state.u), np.bool_)

    def _freeze(self) -> None:
        state = self.state
        worker = self._rounder()
        begin = time.monotonic()
        hurry = self._seconds_left() < 2 * self._round_seconds
        worker.freeze_round(state, last=hurry)
        self._round_seconds = time.monotonic() - begin
        state.unit = state.plan.rounds if hurry else state.unit + 1
        if state.unit < state.plan.rounds:
            return
        notches = self._notches(worker.record(state))
        if not notches or not self._freeze_again(notches):
            state.stage, state.unit, state.trust, state.idle = "polish", 0, 1.0, 0

    def _notches(self, size: int) -> int:
        """By how many 1/16 octaves the step should be coarser (finer, if negative) for the file to fill its bytes.

        A notch is K / 16 bits. Too coarse is mended once only: it is worth some ten bytes, and costs a freeze.
        """
        state = self.state
        assert state.plan.max_bytes is not None
        over, notch = size - state.plan.max_bytes, len(state.u) / 128
        if over > FEW_BYTES and state.refrozen < 4 and state.steps[0] < COARSEST:
            return int(np.ceil(over / notch))
        early = state.plan.minutes is None or state.elapsed < 50 * state.plan.minutes
        if state.refrozen == 0 and early and -over > notch:
            return -int(-over / notch)
        return 0

    def _freeze_again(self, notches: int) -> bool:
        """Back to the floats, with another step; false if levels would leave the range of the search."""
        state = self.state
        code = max(0, min(255, _core.nearest_step_code(state.steps[0]) + notches))
        step = float(_core.step_grid(code))
        u = state.floats * (np.asarray(state.steps)[self.config.kinds()] / step)
        if np.abs(u).max() > MAX_LEVEL:
            return False
        state.u, state.steps, state.refrozen = u, (step, step, step), state.refrozen + 1
        self._begin_freeze()
        return True

    def _polish(self) -> None:
        state = self.state
        self._rounder().polish(state)
        state.unit += 1
        enough = state.unit >= state.plan.polish if state.plan.minutes is None else False
        legal = len(state.best) > 0
        if legal and (enough or state.idle >= IDLE):
            state.stage = "done"

    def _rounder(self) -> Rounder:
        if not isinstance(self._worker, Rounder):
            self._worker = Rounder(self.picture, self.backend, self.state)
        return self._worker

    # -- the end -----------------------------------------------------------------------------------------------

    @property
    def config(self) -> CascadeConfig:
        return self.state.config

    def _finish(self) -> Cascade:
        model = self._model()
        self._tick()
        self.reporter.last(replace(self._report(), stage="done"))
        return model

    def _model(self) -> Cascade:
        """The best legal model; before there is one, the present weights rounded to nearest."""
        state = self.state
        if state.plan.max_bytes is None and state.plan.method != "stochastic":
            model = Cascade(self.config, state.size, state.u.astype(np.float32), state.steps)
        elif len(state.best) and self._fits(state.best, state.best_steps):
            model = Cascade(self.config, state.size, state.best, state.best_steps)
        else:
            model = self._nearest()
        model.history = list(state.history)
        model.stopped = self.stopped
        return model

    def _fits(self, levels: NDArray[np.int32], steps: tuple[float, float, float]) -> bool:
        most = self.state.plan.max_bytes
        return most is None or encoded_size(self.config, self.state.size, levels, steps) <= most

    def _nearest(self) -> Cascade:
        """The present weights rounded to nearest; while freezing, perhaps rather those that it began with."""
        state = self.state
        if state.stage != "freeze":
            return self._rounded(state.u)
        task = self.picture.task(self.backend, self.config)
        models = [self._rounded(u) for u in (state.u, state.floats)]
        return min(models, key=lambda model: task.loss(model.weights))

    def _rounded(self, u: NDArray[np.float64]) -> Cascade:
        state = self.state
        levels, steps = np.rint(u).astype(np.int32), state.steps
        if not self._fits(levels, steps):
            assert state.plan.max_bytes is not None
            u, steps = fit_steps(self.config, state.size, u, steps, state.plan.max_bytes, quick=True)
            levels = np.rint(u).astype(np.int32)
        return Cascade(self.config, state.size, levels, steps)

    # -- clock and reports -------------------------------------------------------------------------------------

    def _tick(self) -> None:
        now = time.monotonic()
        self.state.elapsed += now - self._clock
        self._clock = now

    def _seconds_left(self) -> float:
        minutes = self.state.plan.minutes
        return float("inf") if minutes is None else 60 * minutes - self.state.elapsed

    def _late(self) -> bool:
        """Freezing is not broken off: it hurries, because half-frozen weights are good for nothing."""
        return self._seconds_left() <= 0 and self.state.stage != "freeze"

    def _report(self) -> Progress:
        state = self.state
        best = state.best_score if len(state.best) else None
        if not state.history or state.history[-1] != (state.step, state.loss):
            state.history.append((state.step, state.loss))
        if len(state.history) > 4096:  # a long run keeps every second report
            state.history = state.history[::2]
        return Progress(
            state.stage,
            state.step,
            state.plan.steps,
            state.loss,
            best,
            state.best_bytes or None,
            self._fraction(),
            state.elapsed,
        )

    def _fraction(self) -> float:
        """Of the whole work, by the clock if there is a limit; else descent is taken for three quarters of it."""
        state, plan = self.state, self.state.plan
        if state.stage == "done":
            return 1.0
        if plan.minutes is not None:
            return min(1.0, state.elapsed / (60 * plan.minutes))
        rounding = plan.max_bytes is not None and plan.method != "stochastic"
        share = 0.75 if rounding else 1.0
        if state.stage == "descend":
            return share * state.step / max(1, plan.steps)
        if state.stage == "freeze":
            return 0.75 + 0.1 * state.unit / plan.rounds
        return min(1.0, 0.85 + 0.15 * state.unit / max(1, plan.polish))


def _tight(max_bytes: int) -> int:
    """Slightly less than allowed: freezing makes weights a little wider, the file about one per cent longer."""
    return max_bytes - max_bytes // 100
