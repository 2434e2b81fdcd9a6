"""A fit from its first step to its file: the stages in order, reports, checkpoints, the clock, Ctrl-C."""

from __future__ import annotations

import os
import time
import zlib
from copy import copy
from dataclasses import replace

import numpy as np

from .. import _core
from ..errors import DeviceError
from ..models.cascade import Cascade, CascadeConfig
from ..progress import Reporter
from .descent import Descender
from .machine import Machine
from .picture import Picture
from .plan import Plan
from .report import remember, report
from .result import best_model, diverged, fit_steps
from .rounding import MAX_LEVEL, Rounder, first_price
from .state import FitState, save_checkpoint

__all__ = ["Run", "fingerprint", "first_state"]

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


class Run:
    """Drives a state to its end. ``stopped`` says why it ended: "finished", "minutes", "callback" or "interrupt"."""

    def __init__(
        self,
        picture: Picture,
        machine: Machine,
        state: FitState,
        reporter: Reporter,
        checkpoint: str | os.PathLike[str] | None = None,
    ) -> None:
        self.picture, self.machine, self.state = picture, machine, state
        self.reporter, self.checkpoint = reporter, checkpoint
        self.stopped = "finished"
        self.complete = copy(state)
        """The state after the last whole unit of work, for those who will not wait for the present one."""
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
                remember(self.state)
                if self.state.stage != "done" and self.reporter(report(self.state)):
                    self.stopped = "callback"
                    break
                if self._late():
                    self.stopped = "minutes"
                    break
                if self.checkpoint is not None and time.monotonic() - self._saved > CHECKPOINT_SECONDS:
                    self.save()
        except KeyboardInterrupt:
            self.stopped = "interrupt"
        except DeviceError:
            self.save()
            raise
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
        self.complete = copy(self.state)  # arrays are replaced, never written into
        try:
            getattr(self, f"_{self.state.stage}")()
        except (KeyboardInterrupt, DeviceError):
            self.state = self.complete  # a unit is done or it is not: a checkpoint holds nothing half done
            raise

    def _descend(self) -> None:
        state, plan = self.state, self.state.plan
        if state.step < plan.steps:
            if not isinstance(self._worker, Descender):
                self._worker = Descender(self.picture, self.machine)
            self._worker.advance([state])
            self._tick()
            if not np.isfinite(state.loss):
                raise diverged(state, self.picture, self.machine.cpu)
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
            self._worker = Rounder(self.picture, self.machine.cpu, self.state)
        return self._worker

    # -- the end and the clock ---------------------------------------------------------------------------------

    @property
    def config(self) -> CascadeConfig:
        return self.state.config

    def _finish(self) -> Cascade:
        model = best_model(self.state, self.picture, self.machine.cpu, self.stopped)
        self._tick()
        self.reporter.last(replace(report(self.state), stage="done"))
        return model

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


def _tight(max_bytes: int) -> int:
    """Slightly less than allowed: freezing makes weights a little wider, the file about one per cent longer."""
    return max_bytes - max_bytes // 100
