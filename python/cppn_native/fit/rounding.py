"""From float weights to integers, against the loss instead of to nearest.

Around weights u (in levels) the score is a quadratic in the Gauss-Newton matrix H = J^T J:

    score(u + d) = score(u) + g d + d^T H d

``refit`` takes damped steps on the weights that are still free (Levenberg-Marquardt). ``freeze_round`` fixes the
weights whose rounding costs least and lets the others make up for it (the optimal brain surgeon's step). ``polish``
goes on among the integers: a few dozen weights at a time are set free, moved to their optimum given all others and
rounded again; single steps of +-1 finish. There bits count as well: what falls is score + price * bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..codec import encoded_size
from ..models.cascade import KINDS, CascadeConfig
from .descent import grid
from .picture import Picture, sample
from .state import FitState

__all__ = ["Rounder", "bit_tables", "first_price"]

Floats = NDArray[np.float64]
RIDGE = 1e-3  # of the mean curvature, so that weights the picture ignores stay where they are
NEIGHBOURHOODS = 48  # subsets tried on one matrix, scaled by the trust in it
SUBSET = 150  # weights in a random subset
WORTH = 5e-5  # of the score: an evaluation that gains less counts as idle
MAX_LEVEL = 127  # the finest grid the search may want; the codec itself takes more


@dataclass(frozen=True)
class Quadratic:
    """The model of the score at some weights: slope ``g`` (K,) and matrix ``h`` (K, K), in levels."""

    g: Floats
    h: Floats


def bit_tables(config: CascadeConfig, levels: NDArray[np.int32], limit: int) -> Floats:
    """(kinds, limit + 1) bits that the file's prior charges for a level, fitted to these levels."""
    kinds = config.kinds()
    tables = []
    for kind in range(len(KINDS)):
        mine = levels[kinds == kind]
        a, b = _core.fit_prior(mine if len(mine) else np.zeros(1, np.int32))
        tables.append(_core.prior_bits(a, b, limit))
    return np.asarray(tables)


def first_price(score: float, weights: int) -> float:
    """What a bit is worth, about: quantization at this rate costs some 2 % of the score and falls fourfold with
    every bit that all weights get, so the slope is 2 ln 2 times that, shared among them."""
    return 2 * float(np.log(2)) * 0.02 * score / weights


class Rounder:
    """The last two stages of a fit; all that must survive is in the ``FitState``."""

    def __init__(self, picture: Picture, backend: _core.Cpu, state: FitState) -> None:
        self.picture, self.backend, self.config = picture, backend, state.config
        self.task = picture.task(backend, state.config)
        self.kinds = state.config.kinds()
        self.limit = MAX_LEVEL
        self.rows, self.columns = _places(state.config)

    def score(self, u: Floats, steps: tuple[float, float, float]) -> float:
        return float(self.task.loss(u.astype(np.float32) * grid(self.config, steps)))

    def quadratic(self, state: FitState, most: int, purpose: int) -> Quadratic:
        task, weight = sample(self.picture, self.backend, self.config, most, state.rng(purpose))
        scale = grid(self.config, state.steps).astype(np.float64)
        w = (state.u * scale).astype(np.float32)
        _, g = task.gradient(w)
        h = task.normal(w)
        h *= weight * scale[:, None]
        h *= scale
        return Quadratic(g.astype(np.float64) * scale * weight, h)

    # -- floats to integers ------------------------------------------------------------------------------------

    def freeze_round(self, state: FitState, last: bool = False) -> None:
        """Round ``state.unit`` of ``plan.rounds``: refit what is free, then freeze some more of it; ``last``: all."""
        rounds = state.plan.rounds
        free = np.flatnonzero(~state.fixed)
        u, damping = state.u, state.damping
        for repeat in range(2):
            model = self.quadratic(state, state.plan.sample, repeat)
            h = model.h[np.ix_(free, free)]
            curvature = np.diag(h) + RIDGE * np.diag(h).mean() + 1e-12
            u, damping = self._refit(state, free, h, curvature, model.g[free], damping)
        inverse = _core.inverse(self.backend, h + np.diag(RIDGE * curvature))
        done = 1.0 if last else (state.unit + 1) / rounds
        want = len(u) if done >= 1 else int(len(u) * (1 - (1 - done) ** 1.6))
        u = u.copy()
        fixed = state.fixed.copy()
        if inverse is None:  # no curvature at all: a flat picture
            rounded = np.ones(len(free), np.int32)
            u[free] = np.clip(np.rint(u[free]), -self.limit, self.limit)
        else:
            bits = bit_tables(self.config, np.rint(u).astype(np.int32), self.limit)
            count = want - int(fixed.sum())
            u[free], rounded = _core.freeze(
                self.backend, inverse, u[free], count, self.limit, bits, self.kinds[free], state.price
            )
        fixed[free[rounded != 0]] = True
        state.u, state.fixed, state.damping = u, fixed, damping
        state.loss = self.score(u, state.steps)

    def _refit(
        self, state: FitState, free: NDArray[np.intp], h: Floats, curvature: Floats, g: Floats, damping: float
    ) -> tuple[Floats, float]:
        """One Levenberg-Marquardt step on the free weights, shortened until the score falls."""
        before = self.score(state.u, state.steps)
        for _ in range(6):
            step = _core.solve(self.backend, h + np.diag(damping * curvature), g / 2)
            if step is not None and np.isfinite(step).all():
                u = state.u.copy()
                u[free] = np.clip(u[free] - step, -self.limit, self.limit)
                if self.score(u, state.steps) < before:
                    state.u = u
                    return u, max(damping / 3, 1e-6)
            damping = min(damping * 4, 1e6)
        return state.u, damping

    # -- among the integers ------------------------------------------------------------------------------------

    def polish(self, state: FitState) -> None:
        """One evaluation: a new matrix, many neighbourhoods searched on it, the result kept if it is true."""
        levels = state.u.astype(np.int32)
        bits = bit_tables(self.config, levels, self.limit)
        model = self.quadratic(state, 2 * state.plan.sample, 0)
        model.h[np.diag_indices_from(model.h)] *= 1.02  # what a sample of the pixels does not see
        before = self.cost(state, state.u, bits)
        u = self._search(state, model, bits, state.rng(1))
        after = self.cost(state, u, bits)
        if after < before:
            state.u, state.trust = u, min(state.trust * 1.5, 8.0)
        else:
            state.trust = max(state.trust / 3, 0.02)
        state.idle = 0 if after < before * (1 - WORTH) else state.idle + 1
        state.loss = self.score(state.u, state.steps)
        self._adjust_price(state, self.record(state))

    def cost(self, state: FitState, u: Floats, bits: Floats) -> float:
        charged = bits[self.kinds, np.abs(u).astype(np.int64)].sum() if state.price else 0.0
        return self.score(u, state.steps) + state.price * float(charged)

    def record(self, state: FitState) -> int:
        """Keeps the state's integers if they make the best legal file so far; returns the file's bytes."""
        levels = np.rint(state.u).astype(np.int32)
        size = encoded_size(self.config, state.size, levels, state.steps)
        most = state.plan.max_bytes
        if (most is None or size <= most) and state.loss < state.best_score:
            state.best, state.best_steps = levels, state.steps
            state.best_score, state.best_bytes = state.loss, size
        return size

    def _adjust_price(self, state: FitState, size: int) -> None:
        """Bits become dearer while the file is too large, and cheaper again while there is room.

        Only the last few bytes are bought this way: on the painting, single weights gave bits back at some five times
        the price of a coarser step for all, so the step is what fits the file to its size.
        """
        most = state.plan.max_bytes
        if most is None:
            return
        over = size / most - 1
        if over > 0:
            state.price *= 1.25
            state.trust = max(state.trust, 0.5)
        elif size < most - 3:
            state.price = max(state.price * 0.9, first_price(state.loss, len(state.u)) / 4)

    def _search(self, state: FitState, model: Quadratic, bits: Floats, rng: np.random.Generator) -> Floats:
        u, g = state.u.copy(), model.g.copy()
        for _ in range(3 + int(NEIGHBOURHOODS * state.trust)):
            at = self._neighbourhood(rng)
            h = np.ascontiguousarray(model.h[np.ix_(at, at)])
            inverse = _core.inverse(self.backend, h)
            if inverse is None:
                continue
            goal = np.clip(u[at] - inverse @ g[at] / 2, -self.limit, self.limit)
            new, _ = _core.freeze(self.backend, inverse, goal, len(at), self.limit, bits, self.kinds[at], state.price)
            d = new - u[at]
            change = g[at] @ d + d @ h @ d + self._bits_change(state, bits, at, u[at], new)
            if change < -1e-6:
                u[at] = new
                g += 2 * (model.h[:, at] @ d)
        moves = max(1, int(50 * min(state.trust, 1.0)))
        moved: Floats = _core.integer_moves(model.h, g, u, moves, self.limit, bits, self.kinds, state.price)[0]
        return moved

    def _bits_change(self, state: FitState, bits: Floats, at: NDArray[np.intp], old: Floats, new: Floats) -> float:
        if not state.price:
            return 0.0
        charge = bits[self.kinds[at]]
        index = np.arange(len(at))
        more = charge[index, np.abs(new).astype(np.int64)] - charge[index, np.abs(old).astype(np.int64)]
        return state.price * float(more.sum())

    def _neighbourhood(self, rng: np.random.Generator) -> NDArray[np.intp]:
        """Weights that may make up for each other: any, those into some neurons, or those out of some."""
        kind = rng.integers(3)
        weights = len(self.rows)
        if kind == 0:
            return np.sort(rng.choice(weights, min(SUBSET, weights), replace=False))
        of = self.rows if kind == 1 else self.columns
        names = np.unique(of)
        at = np.flatnonzero(np.isin(of, rng.choice(names, min(4, len(names)), replace=False)))
        if len(at) > 2 * SUBSET:
            at = np.sort(rng.choice(at, 2 * SUBSET, replace=False))
        return at


def _places(config: CascadeConfig) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For every weight the neuron it goes into and the node it comes from."""
    rows = np.concatenate([np.full(config.inputs + n, n) for n in range(config.neurons)])
    columns = np.concatenate([np.arange(config.inputs + n) for n in range(config.neurons)])
    return rows, columns
