"""The first stage: Adam on all weights, with noise or stochastic quantization, in the native loop."""

from __future__ import annotations

import time
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..errors import DeviceError
from ..models.cascade import CascadeConfig
from .machine import Machine
from .picture import SCORE_SCALE, Picture, averaged
from .plan import Plan
from .state import FitState

__all__ = ["Descender", "Pace", "grid", "pace", "seconds_per_step"]

REPORT_SECONDS = 0.1


def grid(config: CascadeConfig, steps: tuple[float, float, float]) -> np.ndarray:
    """(K,) float32: what one level of each weight weighs."""
    return np.asarray(steps, np.float32)[config.kinds()]


def coarse_picture(picture: Picture, config: CascadeConfig, plan: Plan) -> Picture:
    """What all but the last steps see: so many pixels a weight show it as much as it can learn of the picture."""
    return averaged(picture, max(1, int(plan.coarse * config.weights))) if plan.coarse else picture


def native_plan(plan: Plan, share: float = 1.0) -> _core.DescentPlan:
    """``share``: how much of the picture's score the loss is, so that the penalty keeps its proportion to it."""
    native = _core.DescentPlan()
    native.draw = _core.Draw.stochastic if plan.method == "stochastic" else _core.Draw.noise
    for name in (
        "steps",
        "rate",
        "rate_floor",
        "warmup",
        "noise",
        "noise_rise",
        "limit",
        "quantize_rate",
        "seed",
    ):
        setattr(native, name, getattr(plan, name))
    native.decay = plan.decay * share
    return native


class Descender:
    """Holds the native loop between units; everything that matters is written back to the states.

    ``picture`` is one picture, or a ``stack`` of as many as there are states, which descend side by side. Where the
    device fails and the CPU may step in, it begins from the states as they are: nothing but one unit is lost.
    """

    def __init__(self, picture: Picture, machine: Machine) -> None:
        self.picture, self.machine = picture, machine
        self._coarse: Picture | None = None
        self._within = np.zeros(0)
        self._seen: Picture | None = None
        self._loop: _core.Descent | None = None
        self._chunk = 1

    def advance(self, states: Sequence[FitState]) -> None:
        """Some tenth of a second of steps. How they are cut into units does not change the result."""
        state, plan = states[0], states[0].plan
        first_fine = int((1 - plan.fine) * plan.steps)
        picture, until = self.picture, plan.steps
        if state.step < first_fine:
            picture, until = self.coarse(state), first_fine
        begin = time.perf_counter()
        reading = self.take(states, min(self._chunk, until - state.step), picture)
        if picture is not self.picture:
            for each, within in zip(states, self._within, strict=True):
                each.loss = each.loss * self.picture.pixels / picture.pixels + float(within)
        seconds = time.perf_counter() - begin
        goal = max(REPORT_SECONDS, 10 * reading)  # hundreds of states take a while to read
        if seconds < goal / 2:
            self._chunk *= 2
        elif seconds > goal * 2:
            self._chunk = max(1, self._chunk // 2)

    def coarse(self, state: FitState) -> Picture:
        if self._coarse is None:
            self._coarse = coarse_picture(self.picture, state.config, state.plan)
            if self._coarse is not self.picture:
                each = self.picture.pixels / self._coarse.pixels
                lost = _energy(self.picture) - each * _energy(self._coarse)
                self._within = SCORE_SCALE * np.maximum(lost, 0.0)
        return self._coarse

    def take(self, states: Sequence[FitState], count: int, picture: Picture) -> float:
        """So many steps on the picture, or none if anything is raised; returns the seconds spent on reading the
        states."""
        if picture is not self._seen:
            self._seen, self._loop = picture, None
        while True:
            try:
                if self._loop is None:
                    share = picture.pixels / self.picture.pixels
                    self._loop = _open_loop(picture, self.machine.device, states, share)
                self._loop.run(count)
                begin = time.perf_counter()
                now = [self._loop.state(n) for n in range(len(states))]
                break
            except DeviceError as error:
                self._loop = None
                self.machine.give_up_device(error)
        for state, native in zip(states, now, strict=True):
            _read(state, native)
        return time.perf_counter() - begin


def _energy(picture: Picture) -> NDArray[np.float64]:
    """(B,) sums of the squared targets. Averaging loses of it what lies within the averaged pixels, which no weight can
    change: that much of the whole picture's score the averaged one's does not show."""
    planes = picture.target.reshape(-1, *picture.target.shape[-2:]).astype(np.float64)
    sums: NDArray[np.float64] = np.square(planes).sum(axis=(1, 2))
    return sums


def _open_loop(picture: Picture, device: _core.Backend, states: Sequence[FitState], share: float) -> _core.Descent:
    config, plan, steps = states[0].config, states[0].plan, states[0].steps
    weights = grid(config, steps)
    task = picture.task(device, config)
    return _core.Descent(
        task, native_plan(plan, share), weights, np.ones_like(weights), [_start(state) for state in states]
    )


def _start(state: FitState) -> _core.DescentState:
    start = _core.DescentState()
    start.step, start.q, start.loss, start.floating = state.step, state.q, state.loss, state.floating
    start.u, start.m, start.v = state.u.astype(np.float32), state.adam_m, state.adam_v
    if state.plan.method == "stochastic" and len(state.best):
        start.best_u, start.best_loss, start.has_best = state.best.astype(np.float32), state.best_score, True
    return start


def _read(state: FitState, now: _core.DescentState) -> None:
    state.step, state.q, state.loss, state.floating = now.step, now.q, now.loss, now.floating
    state.u, state.adam_m, state.adam_v = now.u.astype(np.float64), now.m, now.v
    if now.has_best and now.best_loss < state.best_score:
        state.best = np.rint(now.best_u).astype(np.int32)
        state.best_score, state.best_steps = now.best_loss, state.steps


@dataclass(frozen=True)
class Pace:
    """Seconds: of a step that sees all pixels, and of one on average."""

    fine: float
    mean: float


def pace(picture: Picture, machine: Machine, states: Sequence[FitState], seconds: float) -> Pace:
    """How fast ``states`` descend side by side on the machine's device; measured for about so long."""
    plan = states[0].plan
    fine = coarse = seconds_per_step(picture, machine, states, seconds)
    small = coarse_picture(picture, states[0].config, plan)
    if small is not picture:
        coarse = seconds_per_step(small, machine, states, seconds)
    return Pace(fine, plan.fine * fine + (1 - plan.fine) * coarse)


def seconds_per_step(picture: Picture, machine: Machine, states: Sequence[FitState], seconds: float) -> float:
    """What a step of ``states`` side by side takes on the machine's device, all pixels seen; measured for about so
    long.

    The states are left as they are. A GPU works on while its caller goes on, so only steps that end with a reading
    of the states tell their time.
    """
    trial, scratch = Descender(picture, machine), [copy(state) for state in states]
    trial.take(scratch, 1, picture)  # pays for memory and for waking up
    count, device = 1, machine.device
    while True:
        begin = time.perf_counter()
        trial.take(scratch, count, picture)
        spent = time.perf_counter() - begin
        if machine.device is not device:
            return seconds_per_step(picture, machine, states, seconds)
        if spent >= seconds / 2:
            return spent / count
        count *= 2
