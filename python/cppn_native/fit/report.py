"""Where a fit is, or many are, in the words of a ``Progress``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..progress import Progress
from .state import STAGES, FitState

__all__ = ["by_work", "noted", "remember", "report", "together"]


MOST_HISTORY = 4096


def remember(state: FitState) -> None:
    """Adds the score to the state's history."""
    if not state.history or state.history[-1] != (state.step, state.loss):
        state.history = noted(state.history, state.step, state.loss)


def noted(history: list[tuple[int, float]], step: int, score: float) -> list[tuple[int, float]]:
    """The history with one more report; of a long run every second is kept."""
    history.append((step, score))
    return history[::2] if len(history) > MOST_HISTORY else history


def report(state: FitState) -> Progress:
    """Of one picture."""
    return Progress(
        state.stage,
        state.step,
        state.plan.steps,
        state.loss,
        state.best_score if len(state.best) else None,
        state.best_bytes or None,
        _by_clock(state) if state.plan.minutes is not None else by_work(state),
        state.elapsed,
    )


def together(states: Sequence[FitState], fraction: float, elapsed: float, finished: int, pictures: int) -> Progress:
    """Of pictures that are worked on side by side: the furthest stage any is at work in, means, the largest file."""
    at_work = [state for state in states if state.stage != "done"] or states
    first = max(at_work, key=lambda state: STAGES.index(state.stage))
    best = [state.best_score for state in states if len(state.best)]
    return Progress(
        first.stage,
        first.step,
        first.plan.steps,
        float(np.mean([state.loss for state in states])),
        float(np.mean(best)) if len(best) == len(states) else None,
        max(state.best_bytes for state in states) or None,
        fraction,
        elapsed,
        finished,
        pictures,
    )


def _by_clock(state: FitState) -> float:
    return 1.0 if state.stage == "done" else min(1.0, state.elapsed / (60 * (state.plan.minutes or 1.0)))


def by_work(state: FitState) -> float:
    """The fraction of the whole work that is done; descent is taken for three quarters of it."""
    plan = state.plan
    if state.stage == "done":
        return 1.0
    rounding = plan.max_bytes is not None and plan.method != "stochastic"
    if state.stage == "descend":
        return (0.75 if rounding else 1.0) * state.step / max(1, plan.steps)
    if state.stage == "freeze":
        return 0.75 + 0.1 * state.unit / plan.rounds
    return min(1.0, 0.85 + 0.15 * state.unit / max(1, plan.polish))
