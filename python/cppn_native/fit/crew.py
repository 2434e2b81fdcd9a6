"""Rounding of many pictures at the same time: each on a thread of its own, with a share of the processor's threads.

One picture's rounding has stretches that a single thread does; several pictures fill them. How many work at a time
changes no result.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from itertools import count
from queue import SimpleQueue
from threading import Event

from ..devices import open_cpu
from ..errors import DivergedError, of_picture
from ..models.cascade import Cascade
from ..progress import Reporter
from .machine import Machine
from .picture import Picture
from .run import Run
from .state import FitState

__all__ = ["Crew", "Fit"]

WATCH_SECONDS = 0.1


@dataclass
class Fit:
    """One of many pictures on its way: in the end it has a model, or the error that ended it."""

    name: str
    picture: Picture
    state: FitState
    run: Run | None = None
    model: Cascade | None = None
    error: DivergedError | None = None

    @property
    def outcome(self) -> Cascade | DivergedError | None:
        return self.model or self.error


class Crew:
    """``workers`` threads that take ``turns`` at so many pictures."""

    def __init__(self, threads: int, pictures: int) -> None:
        self.workers = max(1, min(threads, pictures))
        self.turns = math.ceil(pictures / self.workers)
        self._threads_each = max(1, threads // self.workers)

    def machine(self) -> Machine:
        """What one worker computes on."""
        cpu = open_cpu(self._threads_each)
        return Machine(cpu, cpu)

    def round(self, fits: Sequence[Fit], end: float, watch: Callable[[], None]) -> None:
        """From descended states to models, by ``end`` on the monotonic clock.

        ``watch`` is called ten times a second. If it raises, or Ctrl-C comes, nothing is waited for: workers end
        by themselves after their present unit, and ``run.complete`` is where each picture is until then.
        """
        stop, begun = Event(), count()
        machines: SimpleQueue[Machine] = SimpleQueue()
        for _ in range(self.workers):
            machines.put(self.machine())

        def work(fit: Fit) -> Cascade:
            machine = machines.get()
            try:
                turns = math.ceil((len(fits) - next(begun)) / self.workers)
                _set_clock(fit.state, (end - time.monotonic()) / turns)
                fit.run = Run(fit.picture, machine, fit.state, Reporter(False, lambda _: stop.is_set()))
                return fit.run.go()
            finally:
                machines.put(machine)

        pool = ThreadPoolExecutor(self.workers)
        try:
            at_work = {pool.submit(work, fit): fit for fit in fits}
            while at_work:
                wait(at_work, WATCH_SECONDS, FIRST_COMPLETED)
                _collect(at_work)
                watch()
        finally:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)


def _collect(at_work: dict[Future[Cascade], Fit]) -> None:
    for future in [future for future in at_work if future.done()]:
        fit = at_work.pop(future)
        with of_picture(fit.name):
            fit.model = future.result()


def _set_clock(state: FitState, seconds: float) -> None:
    minutes = None if math.isinf(seconds) else (state.elapsed + seconds) / 60
    state.plan = replace(state.plan, minutes=minutes)
