"""Many perceptrons at once: as many as there are threads, each alone on one, the next when one is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..models.perceptron import Perceptron, PerceptronConfig
from ..progress import Progress, Reporter
from .perceptron import PerceptronRun
from .perceptron_state import PerceptronPlan

__all__ = ["train_crew"]

BURST_SECONDS = 0.2
MEASURED_STEPS = 20


@dataclass
class _Hand:
    """A network at work."""

    number: int
    run: PerceptronRun
    native: _core.PerceptronDescent


def train_crew(
    pictures: Sequence[Callable[[], NDArray[np.float32]]],
    config: PerceptronConfig,
    plan: PerceptronPlan,
    cpu: _core.Cpu,
    threads: int,
    reporter: Reporter,
    snapshots: int = 0,
) -> Iterator[tuple[int, Perceptron]]:
    """(number, model) of every picture as soon as it is done; with ``plan.minutes`` for all of them together.

    pictures  functions that load (H, W, C) in 0 ... 255: only those at work are in memory

    The same models whatever the number of threads, unless the clock decides. Ctrl-C raises at once: what was given out
    is done, what was at work is lost. A true result of the reporter's callback ends it.
    """
    waiting = list(range(len(pictures)))[::-1]
    quiet = Reporter(False, None)
    begun = time.monotonic()
    hands: list[_Hand] = []
    burst = MEASURED_STEPS
    while waiting or hands:
        while waiting and len(hands) < threads:
            number = waiting.pop()
            run = PerceptronRun(np.ascontiguousarray(pictures[number]()), config, plan, cpu, quiet, snapshots=snapshots)
            hands.append(_Hand(number, run, run.native(alone=True)))
        tick = time.monotonic()
        _burst(cpu, hands, burst)
        seconds = max(1e-6, time.monotonic() - tick)
        if plan.minutes is not None and burst == MEASURED_STEPS and len(waiting) + len(hands) == len(pictures):
            plan = _afforded(plan, seconds / burst, len(pictures), threads)
            for hand in hands:
                hand.run.plan = plan
        burst = int(np.clip(burst * BURST_SECONDS / seconds, 1, 1000))
        for hand in [hand for hand in hands if hand.run.state.step >= plan.steps]:
            hands.remove(hand)
            model = hand.run.model()
            model.stopped = "finished"
            yield hand.number, model
        if reporter(_report(hands, plan, len(pictures) - len(waiting) - len(hands), len(pictures), begun)):
            return


def _burst(cpu: _core.Cpu, hands: Sequence[_Hand], burst: int) -> None:
    asked: list[Any] = [hand.run.next(hand.native, burst) for hand in hands]
    losses = _core.run_perceptrons(
        cpu, [hand.native for hand in hands], [rates for rates, _ in asked], [noise for _, noise in asked]
    )
    for hand, loss in zip(hands, losses, strict=True):
        hand.run.took_from(hand.native, loss)


def _afforded(plan: PerceptronPlan, per_step: float, pictures: int, threads: int) -> PerceptronPlan:
    turns = -(-pictures // threads)
    return replace(plan, steps=max(1, int(60 * (plan.minutes or 0) / turns / per_step)))


def _report(hands: Sequence[_Hand], plan: PerceptronPlan, done: int, all_of_them: int, begun: float) -> Progress:
    steps = [hand.run.state.step for hand in hands] or [plan.steps]
    loss = float(np.mean([hand.run.state.loss for hand in hands])) if hands else 0.0
    fraction = (done + sum(steps if hands else []) / max(1, plan.steps)) / all_of_them
    stage = "descend" if hands else "done"
    elapsed = time.monotonic() - begun
    return Progress(stage, min(steps), plan.steps, loss, None, None, min(1.0, fraction), elapsed, done, all_of_them)
