"""Many pictures: those of one size descend side by side, then each is rounded, several at a time.

On the CPU a picture gets the very model that a run of its own would find: batches and threads are how the work is
laid out, never part of a result.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from ..progress import Progress, Reporter
from .budget import afford, measuring_time, rounding_seconds
from .crew import Crew, Fit
from .descent import Descender, pace, seconds_per_step
from .machine import Machine
from .order import Order
from .picture import Picture, stack
from .plan import Plan
from .report import by_work, remember, together
from .result import best_model, diverged
from .run import first_state

__all__ = ["Many"]


class Stopped(Exception):
    """The callback has seen enough."""


class Many:
    """Drives pictures, by name, to their end, batch after batch; Ctrl-C and the callback leave each its best so far.

    A picture that diverges is left out of what follows; the others are not kept from their end.
    """

    def __init__(
        self, order: Order, pictures: Sequence[tuple[str, Picture]], machine: Machine, reporter: Reporter
    ) -> None:
        self.order, self.machine, self.reporter = order, machine, reporter
        self.fits = [
            Fit(name, picture, first_state(order.config, order.plan, picture, order.init)) for name, picture in pictures
        ]
        self._begin = time.monotonic()
        self._batch_end = float("inf")

    def go(self) -> list[Fit]:
        """Works until all are done, the time is up, the callback says stop, or Ctrl-C."""
        stopped = "finished"
        try:
            for batch in self._batches():
                self._descend(batch)
                rest = [fit for fit in batch if fit.error is None]
                if rest:
                    self._crew(rest).round(rest, self._batch_end, partial(self._report, rest))
        except Stopped:
            stopped = "callback"
        except KeyboardInterrupt:
            stopped = "interrupt"
        last = replace(self._progress(self.fits), stage="done")
        for fit in self.fits:
            self._end(fit, stopped)
        self.reporter.last(replace(last, fraction=1.0) if stopped == "finished" else last)
        return self.fits

    def _batches(self) -> Iterator[list[Fit]]:
        sizes = [(fit.picture.fitted, fit.picture.size) for fit in self.fits]
        for one in dict.fromkeys(sizes):
            yield [fit for fit, size in zip(self.fits, sizes, strict=True) if size == one]

    def _crew(self, batch: list[Fit]) -> Crew:
        return Crew(self.machine.cpu.threads, len(batch))

    def _end(self, fit: Fit, stopped: str) -> None:
        if fit.outcome is None:
            state = fit.state if fit.run is None else fit.run.complete
            fit.model = best_model(state, fit.picture, self.machine.cpu, stopped)

    # -- descent -----------------------------------------------------------------------------------------------

    def _descend(self, batch: list[Fit]) -> None:
        picture, states = stack([fit.picture for fit in batch]), [fit.state for fit in batch]
        plan = self._plan(batch, picture)
        for state in states:
            state.plan = plan
        worker = Descender(picture, self.machine)
        while states[0].step < plan.steps:
            worker.advance(states)
            for fit in batch:
                self._look_at(fit)
            self._report(batch)
            if all(fit.outcome for fit in batch) or self._batch_end - time.monotonic() < 0.8 * plan.reserve:
                break
        for state in states:  # what the clock has left out is no part of the plan any more
            state.plan = replace(plan, steps=min(plan.steps, state.step))

    def _look_at(self, fit: Fit) -> None:
        fit.state.elapsed = self._elapsed()
        if np.isfinite(fit.state.loss):
            remember(fit.state)
        elif fit.error is None:
            fit.error = diverged(fit.state, fit.picture, self.machine.cpu)

    def _plan(self, batch: list[Fit], picture: Picture) -> Plan:
        """A batch's share of the time is that of its pixels among those still to be fitted."""
        order = self.order
        if order.minutes is None:
            return order.plan
        waiting = sum(fit.picture.pixels for fit in self.fits if not fit.outcome)
        left = 60 * float(order.minutes) - self._elapsed()
        seconds = max(left, 0.01) * len(batch) * picture.pixels / waiting
        self._batch_end = time.monotonic() + seconds

        spend, states, crew = measuring_time(seconds), [fit.state for fit in batch], self._crew(batch)
        per_step = pace(picture, self.machine, states, spend).mean
        alone = seconds_per_step(batch[0].picture, crew.machine(), states[:1], spend)
        rounding = crew.turns * rounding_seconds(order.plan, picture.pixels, alone)
        return afford(order, seconds, per_step, rounding)

    # -- reports -----------------------------------------------------------------------------------------------

    def _elapsed(self) -> float:
        return time.monotonic() - self._begin

    def _report(self, batch: list[Fit]) -> None:
        at_work = any(fit.error is None and fit.state.stage != "done" for fit in batch)
        if at_work and self.reporter(self._progress(batch)):
            raise Stopped

    def _progress(self, fits: list[Fit]) -> Progress:
        states = [fit.state for fit in fits if fit.error is None] or [fits[0].state]
        finished = sum(fit.outcome is not None for fit in self.fits)
        return together(states, self._fraction(), self._elapsed(), finished, len(self.fits))

    def _fraction(self) -> float:
        """By the clock if there is a limit, else of the work, in proportion to pixels."""
        if self.order.minutes is not None:
            return min(1.0, self._elapsed() / (60 * float(self.order.minutes)))
        pixels = [fit.picture.pixels for fit in self.fits]
        done = [1.0 if fit.outcome else by_work(fit.state) for fit in self.fits]
        return float(np.dot(pixels, done) / sum(pixels))
