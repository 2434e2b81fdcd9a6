"""How the time that a caller gives is shared out: steps of descent first, and enough kept for rounding."""

from __future__ import annotations

from dataclasses import replace

from .order import MAX_STEPS, Order
from .plan import Plan

__all__ = ["afford", "measuring_time", "rounding_seconds"]

ROUNDING_STEPS = 12_000


def measuring_time(seconds: float) -> float:
    """How long to measure a step for, at most."""
    return min(0.1, seconds / 200)


def rounding_seconds(plan: Plan, pixels: int, per_step: float) -> float:
    """Rounding takes about as long as ROUNDING_STEPS steps, on the CPU, of a picture that its samples cover."""
    if plan.method == "stochastic" or plan.max_bytes is None:
        return 0.0
    return ROUNDING_STEPS * min(1.0, 4 * plan.sample / pixels) * per_step


def afford(order: Order, seconds: float, per_step: float, rounding: float) -> Plan:
    """The plan with the steps that fit beside rounding, which gets half of a short run."""
    reserve = min(seconds / 2, rounding)
    steps = max(1, min(MAX_STEPS, int((seconds - reserve) / per_step)))
    if order.steps is not None:
        steps = min(int(order.steps), steps)
    return replace(order.plan, steps=steps, minutes=seconds / 60, reserve=reserve)
