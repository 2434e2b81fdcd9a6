"""Gradient descent on one picture: draw the weights, value and gradient, Adam and clip."""

from dataclasses import dataclass, field

import numpy as np

from . import adam, cascade, philox, quantize


@dataclass(frozen=True)
class Plan:
    """The twin of ``_core.DescentPlan``, field for field."""

    draw: str = "plain"
    steps: int = 10_000
    rate: float = 0.01
    rate_floor: float = 1.0
    warmup: int = 0
    b1: float = 0.9
    b2: float = 0.999
    eps: float = 1e-8
    decay: float = 0.0
    limit: float = 55.0
    noise: float = 0.0
    noise_rise: float = 0.0
    quantize_rate: float = 1e-4
    quantize_first: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class State:
    """The twin of ``_core.DescentState`` after ``step`` steps; the loss is that of the last weights drawn."""

    u: np.ndarray
    m: np.ndarray
    v: np.ndarray
    step: int = 0
    q: float = 0.0
    loss: float = 0.0
    floating: int = 0
    best_loss: float = np.inf
    best_u: np.ndarray = field(default_factory=lambda: np.zeros(0))


def rate(plan, step):
    """A cosine from rate to rate * rate_floor over ``steps``, times a ramp over the first ``warmup``."""
    done = min(1.0, step / max(1, plan.steps))
    cosine = (1 + np.cos(np.pi * done)) / 2
    ramp = min(1.0, (step + 1) / max(1, plan.warmup))
    return plan.rate * (plan.rate_floor + (1 - plan.rate_floor) * cosine) * ramp


def noise(plan, step):
    """Grows from zero over the first ``noise_rise`` of the steps."""
    rise = plan.noise_rise * plan.steps
    return plan.noise * min(1.0, step / rise) if rise > 0 else plan.noise


def begin(plan, u):
    return State(u, np.zeros_like(u), np.zeros_like(u), q=plan.quantize_first)


def draw(plan, state):
    """(weights in levels, live): live is where the gradient flows."""
    everywhere = np.ones(len(state.u), bool)
    if plan.draw == "plain":
        return state.u, everywhere
    r = philox.uniforms(plan.seed, state.step, len(state.u))
    if plan.draw == "noise":
        return quantize.noise(state.u, noise(plan, state.step), r), everywhere
    return quantize.stochastic(state.u, state.q, r)


def step(net, x, y, target, plan, grid, mask, state):
    """The state after one more step; weights = levels * grid, and where mask is 0 nothing moves."""
    drawn, live = draw(plan, state)
    loss, dw = cascade.gradient(net, drawn * grid, x, y, target)
    best_loss, best_u = state.best_loss, state.best_u
    if plan.draw == "stochastic" and not live.any() and loss < best_loss:
        best_loss, best_u = loss, drawn
    g = dw * grid * live
    moved = adam.update(
        state.u, state.m, state.v, g, state.step + 1, rate(plan, state.step),
        plan.b1, plan.b2, plan.eps, plan.decay, plan.limit,
    )  # fmt: skip
    still = (state.u, state.m, state.v)
    u, m, v = (np.where(mask != 0, new, old) for new, old in zip(moved, still, strict=True))
    q = (1 - plan.quantize_rate) * state.q + plan.quantize_rate
    return State(u, m, v, state.step + 1, q, loss, int(live.sum()), best_loss, best_u)


def run(net, x, y, target, plan, grid, mask, state, count):
    for _ in range(count):
        state = step(net, x, y, target, plan, grid, mask, state)
    return state
