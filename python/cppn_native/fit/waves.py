"""Waves for a file of so many bytes: the step, and every level by what it mends and what it costs.

    score + price * bits -> least,  the score by the amplitudes (the transform is orthonormal), the bits by the
    decoder's own models (``Waves.odds``), every level given all others; a few rounds, for each
    level is context for later ones

For a step the price is found at which the file just fits; of all steps the best is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..devices import open_cpu
from ..models.waves import Waves

__all__ = ["USUAL_TRIES", "WavesSearch"]

Floats = NDArray[np.float64]
Levels = NDArray[np.int32]

STRIDES, AGAIN = (4, 2, 1), 6
USUAL_TRIES = 14
"""Of steps and ways, as a rule: for the progress bar."""
ROUNDS = 12
"""Of choosing all levels, each given the others."""
PRICES, LEAST_PRICES = 8, 3
"""Tried for a step, at most and at least."""
DEAREST, CHEAPEST, USUAL_PRICE = 3.0, 0.005, 0.12
"""Squared steps a bit."""
FULL, ALMOST_FULL = 0.996, 0.998
"""Of the bytes: enough, and what is aimed at."""
PRICE_BY_BYTES = 2.0
"""A price's power by which a file's length goes, about, turned round."""
DEAD_ZONE = 0.28
"""With this offset rounded levels take as many bytes as the best ones will."""
Seen = Callable[[bool], bool]
"""Called after every price, and with true after every try; a true answer stops the search."""
UNFIT = 1e12
"""The score of a byte of a file that is too long: a step is better the shorter its file."""
LEAST_AIM = 0.45
"""In steps: what is nearer to 0 stays 0."""
INFLUENCE_DAMPING = 0.4
WHOLE_STRENGTH, USUAL_STRENGTH = 64, 96
POINTS_A_BYTE, MOST_POINTS = 7.1, 19_000
"""Of the filter's grid; no more, so that two cores decode within 50 ms."""
WAVES_A_BYTE = 12
"""Waves of an axis that are looked at: beyond, nothing is ever worth its bits."""


@dataclass(frozen=True)
class Spectrum:
    """A picture in waves: amplitudes (C, count) by frequency, around its mean."""

    size: tuple[int, int]
    mean: list[int]
    angles: list[int]
    amplitudes: Floats


def spectrum(pixels: NDArray[np.float32], count: int) -> Spectrum:
    """Of a picture (H, W, C) in 0 ... 255. NumPy's einsum, not its BLAS: the same sums whatever the threads."""
    height, width, channels = pixels.shape
    count = max(0, min(count, width * height - 1, _core.MAX_WAVES))
    shown = pixels.astype(np.float64) / 255
    flat = shown.reshape(-1, channels)
    mean = np.rint(255 * flat.mean(axis=0)).astype(int)
    angles = _angles(flat) if channels == 3 else [0, 0, 0]
    axes = _core.wave_axes(angles).astype(np.float64) if channels == 3 else np.eye(1)
    turned = np.einsum("nk,kc->nc", flat - mean / 255, axes).reshape(shown.shape)
    order = _core.wave_order(width, height, count)
    down, across = (_cosines(side, int(order[:, k].max(initial=0)) + 1) for k, side in enumerate((height, width)))
    half = np.stack([np.einsum("vy,yx->vx", down, turned[:, :, c]) for c in range(channels)])
    planes = np.stack([np.einsum("vx,ux->vu", plane, across) for plane in half])
    return Spectrum((width, height), mean.tolist(), angles, planes[:, order[:, 0], order[:, 1]])


def _cosines(side: int, count: int) -> Floats:
    """(count, side): rows whose products with pixels are amplitudes."""
    x = (np.arange(side) + 0.5) / side
    waves = np.cos(np.pi * np.arange(count)[:, None] * x)
    return np.asarray(waves * np.where(np.arange(count) == 0, 1.0, np.sqrt(2))[:, None] / side)


def _angles(flat: Floats) -> list[int]:
    """Three turns, in 1/256, that take red, green and blue to the principal axes of the colours."""
    spread = flat - flat.mean(axis=0)
    axes = np.linalg.eigh(np.einsum("nk,nl->kl", spread, spread))[1][:, ::-1]
    axes = axes * np.where(axes.sum(axis=0) < 0, -1.0, 1.0)
    if np.linalg.det(axes) < 0:
        axes[:, 2] *= -1
    b = -np.arcsin(np.clip(axes[2, 0], -1, 1))
    turns = np.array([np.arctan2(axes[1, 0], axes[0, 0]), b, np.arctan2(axes[2, 1], axes[2, 2])]) / (2 * np.pi)
    return [int(turn) for turn in np.rint(256 * turns).astype(int) % 256]


@dataclass(frozen=True)
class Way:
    """How levels are chosen: from which rounding on, how fast, in how many rounds."""

    rounding: float = 0.4
    damping: float = 0.5
    rounds: int = ROUNDS


class Grid:
    """The filter of a picture on one grid, among the first ``count`` waves: of which axis and wave each plane's place
    is, in both directions."""

    def __init__(self, size: tuple[int, int], code: int, count: int, threads: int | None) -> None:
        self.code = code
        self.shape = _core.filter_shape(*size, code)
        self.filter = _core.WavesFilter(open_cpu(threads), *size, code)
        order = _core.wave_order(*size, count)
        self.inside = (order[:, 0] < self.shape[0]) & (order[:, 1] < self.shape[1])
        self.v, self.u = order[self.inside].T

    def planes(self, waves: Floats | Levels) -> NDArray[np.float32]:
        """(3, rows, columns) of waves (C, count)"""
        planes = np.zeros((3, *self.shape), np.float32)
        planes[: len(waves), self.v, self.u] = waves[:, self.inside]
        return planes

    def pull(self, levels: Levels, targets: Floats, strength: int) -> tuple[float, Floats]:
        """sum (shown - targets)^2, and half its gradient by the levels: what each of them should lose."""
        pull = levels - targets
        outside = float((pull[:, ~self.inside] ** 2).sum())
        inside, planes = self.filter.gradient(self.planes(levels), self.planes(targets), strength, len(levels))
        pull[:, self.inside] = planes[: len(levels), self.v, self.u]
        return outside + inside, pull

    def best_strength(self, levels: Levels, targets: Floats) -> int:
        """With which the filter's share is nearest to what levels lack."""
        planes = self.planes(levels)
        found = self.filter.apply(planes, WHOLE_STRENGTH)[: len(levels)].astype(np.float64) - planes[: len(levels)]
        lacking = (self.planes(targets) - planes)[: len(levels)]
        share = (found * lacking).sum() / max(1e-9, (found * found).sum())
        return int(np.clip(np.rint(WHOLE_STRENGTH * share), 0, 255))


class WavesSearch:
    """Of a picture (H, W, C) in 0 ... 255; ``best`` is the best so far that fits ``max_bytes``, always there."""

    def __init__(self, pixels: NDArray[np.float32], max_bytes: int, threads: int | None = None, seed: int = 0) -> None:
        self.pixels, self.max_bytes, self.threads, self.seed = pixels, max_bytes, threads, seed
        self.spectrum = spectrum(pixels, WAVES_A_BYTE * max_bytes)
        self.grid, self.strength = self._grid(), USUAL_STRENGTH
        self.tried: dict[int, float] = {}
        self.tries = self.again = 0
        self.price = USUAL_PRICE
        self.best_levels: Levels | None = None
        none = self._model(255, [_levels([])] * pixels.shape[2], filter_code=0)
        self.best, self.score, self.overhead = none, self._score(none), len(none.to_bytes())

    def facts(self) -> dict[str, Any]:
        """What ``resume`` needs besides the file of the best: whole numbers and floats."""
        names = ("tries", "again", "price", "strength", "score")
        return {name: getattr(self, name) for name in names} | {"tried": list(self.tried.items())}

    def resume(self, facts: dict[str, Any], best: Waves) -> None:
        """Goes on where a search of the same picture, bytes and seed was. ``ValueError`` for what is of another."""
        if len(best.to_bytes()) > self.max_bytes or best.size != self.spectrum.size:
            raise ValueError("the file in it is none of this picture and budget")
        self.tries, self.again = int(facts["tries"]), int(facts["again"])
        self.price, self.score = float(facts["price"]), float(facts["score"])
        self.strength, self.best = int(facts["strength"]), best
        self.tried = {int(code): float(score) for code, score in facts["tried"]}
        self.best_levels = np.zeros(self.spectrum.amplitudes.shape, np.int32)
        for mine, part in zip(self.best_levels, np.split(best.levels, np.cumsum(best.counts)[:-1]), strict=True):
            mine[: len(part)] = part

    def _grid(self) -> Grid:
        """Some four points for every wave that the file will hold."""
        width, height = self.spectrum.size
        points = min(POINTS_A_BYTE * self.max_bytes, MOST_POINTS)
        code = int(np.clip(np.rint(256 * (points / (width * height)) ** 0.5), 1, 255))
        return Grid(self.spectrum.size, code, self.spectrum.amplitudes.shape[1], self.threads)

    def go(self, seen: Seen, forever: bool = False) -> bool:
        """Steps some codes apart, then closer around the best, then the best again and again with other prices and
        roundings, ``AGAIN`` times or ``forever``; false if ``seen`` stopped it."""
        if self.again == 0 and not self._steps(seen):
            return False
        while forever or self.again < AGAIN:
            if not self._again(seen):
                return False
        return True

    def _steps(self, seen: Seen) -> bool:
        code = min(self.tried, key=lambda tried: self.tried[tried]) if self.tried else self._first_step()
        for stride in STRIDES:
            while True:
                before = min(self.tried.values(), default=np.inf)
                new = [c for c in (code, code + stride, code - stride) if 0 <= c < 256 and c not in self.tried]
                if not all(self._try(seen, candidate, Way(), None, self.price) for candidate in new):
                    return False
                code = min(self.tried, key=lambda tried: self.tried[tried])
                if self.tried[code] >= before:
                    break
        return True

    def _again(self, seen: Seen) -> bool:
        """From the best levels on, at another price first; every third time from another rounding and a step beside
        it. The same for the same seed and number."""
        rng = np.random.default_rng([self.seed, self.again])
        way = Way(rng.uniform(0.3, 0.5), rng.uniform(0.35, 0.65))
        self.again += 1
        if self.again % 3 == 0:
            code = int(np.clip(self.best.step + rng.choice([-1, 1]), 0, 255))
            return self._try(seen, code, way, None, self.price)
        price = self.price * float(np.exp(rng.uniform(-0.25, 0.25)))
        return self._try(seen, self.best.step, way, self.best_levels, price)

    def _first_step(self) -> int:
        """The finest at which levels rounded with a dead zone just fit, by halving: usually next to the best."""
        low, high = 0, 255
        while low < high:
            code = (low + high) // 2
            targets = self.spectrum.amplitudes / float(_core.step_grid(code))
            if len(self._model(code, _rounded(targets, DEAD_ZONE)).to_bytes()) > self.max_bytes:
                low = code + 1
            else:
                high = code
        return low

    def _try(self, seen: Seen, code: int, way: Way, levels: Levels | None, price: float) -> bool:
        """Looks for the price of a bit with which the file is just full, keeping whatever fits; each price goes on from
        the levels of the one before, and to and fro they get better. False if ``seen`` stopped it."""
        self.tried.setdefault(code, np.inf)
        tried: list[tuple[float, float]] = []
        for _ in range(PRICES):
            levels = self._chosen(code, price, levels, way)
            nbytes = self._keep(code, levels, price)
            if FULL * self.max_bytes <= nbytes <= self.max_bytes and len(tried) >= LEAST_PRICES:
                break
            tried.append((np.log(price), self._overfull(nbytes)))
            price = float(np.clip(np.exp(_crossing(tried)), CHEAPEST, DEAREST))
            if seen(False):
                return False
        self.tries += 1
        return not seen(True)

    def _overfull(self, nbytes: int) -> float:
        """The logarithm of how often the levels would fit into the bytes there are for them."""
        room = ALMOST_FULL * self.max_bytes - self.overhead
        return float(np.log(max(1, nbytes - self.overhead) / max(1.0, room)))

    def _keep(self, code: int, levels: Levels, price: float) -> int:
        """Bytes of the file; it is kept if it fits and is the best."""
        model = self._model(code, levels)
        nbytes = len(model.to_bytes())
        if nbytes > self.max_bytes:
            self.tried[code] = min(self.tried[code], UNFIT * nbytes)
        else:
            score = self._score(model)
            self.tried[code] = min(self.tried[code], score)
            if score < self.score:
                self.best, self.score, self.price = model, score, price
                self.best_levels = levels
                targets = self.spectrum.amplitudes / float(_core.step_grid(code))
                self.strength = self.grid.best_strength(levels, targets)
        return nbytes

    def _chosen(self, code: int, price: float, levels: Levels | None, way: Way) -> Levels:
        """(C, count): each level one less, one more, none or as it is, whichever is cheapest, round after round.

        A level's distortion is its distance to an aim: itself less half the gradient, as if the filter were none,
        damped, for all levels move at once.
        """
        targets = self.spectrum.amplitudes / float(_core.step_grid(code))
        if levels is None:
            levels = _rounded(targets, way.rounding)
        aim, least, best = targets, np.inf, levels
        others = np.zeros((*levels.shape, 2))
        for _ in range(way.rounds):
            distortion, pull = self.grid.pull(levels, targets, self.strength)
            aim = aim + way.damping * (levels - pull - aim)
            model = self._model(code, levels)
            odds = _unpacked(model.odds(), model.counts, levels.shape[1])
            cost = distortion + price * float(_bits(np.abs(levels), odds).sum())
            if cost < least:
                least, best = cost, levels
            others += INFLUENCE_DAMPING * (_unpacked(model.influence(), model.counts, levels.shape[1], 0.0) - others)
            chosen = _cheapest(levels, aim, price, odds, others)
            if np.array_equal(chosen, levels):
                break
            levels = chosen
        return best

    def _model(self, code: int, levels: Levels | list[Levels], filter_code: int | None = None) -> Waves:
        used = [_used(part) for part in levels]
        parts = [part[:count] for part, count in zip(levels, used, strict=True)]
        s = self.spectrum
        filter_code = self.grid.code if filter_code is None else filter_code
        return Waves(
            s.size,
            code,
            s.mean,
            s.angles,
            used,
            _levels(np.concatenate(parts)),
            filter=filter_code,
            strength=self.strength,
        )

    def _score(self, model: Waves) -> float:
        shown = model.render_bytes(threads=self.threads).astype(np.float64)
        return float(((shown - self.pixels) ** 2).sum() / 255.0**2)


NEVER = np.array([-12.0, -12.0, -12.0])
"""Odds of waves beyond the last one, which cost nothing until one of them is not zero; then all before it do."""


def _levels(numbers: object) -> Levels:
    return np.asarray(numbers, np.int32)


def _crossing(tried: list[tuple[float, float]]) -> float:
    """Where the length, which falls, is likely to cross 0: between the nearest of both sides, or further on."""
    above, below = ([t for t in tried if (t[1] > 0) == side] for side in (True, False))
    if above and below:
        (p, n), (q, m) = max(above), min(below)
        return p + (q - p) * float(np.clip(n / (n - m), 0.1, 0.9)) if q > p else (p + q) / 2
    p, n = tried[-1]
    return p + PRICE_BY_BYTES * n


def _cheapest(levels: Levels, aim: Floats, price: float, odds: Floats, others: Floats) -> Levels:
    """Of each level, one more or less, and none; others: ``Waves.influence``."""
    open_to_choice = (levels != 0) | (np.abs(aim) > LEAST_AIM)
    now, to, odds, others = (part[open_to_choice] for part in (levels, aim, odds, others))
    limit = np.int32(_core.MAX_WAVE_LEVEL)
    options = np.stack([now, (now + 1).clip(-limit, limit), (now - 1).clip(-limit, limit), np.zeros_like(now)])
    growth = np.abs(options) - np.abs(now)
    bits = _bits(np.abs(options), odds) + growth * np.where(growth > 0, others[:, 0], others[:, 1])
    costs = (to - options) ** 2 + price * bits
    chosen = levels.copy()
    chosen[open_to_choice] = np.take_along_axis(options, costs.argmin(axis=0)[None], axis=0)[0]
    return chosen


def _rounded(targets: Floats, offset: float) -> Levels:
    """To the whole number below size + offset; 1/2 would be the nearest."""
    size = np.minimum(np.floor(np.abs(targets) + offset), _core.MAX_WAVE_LEVEL)
    return _levels(np.where(targets < 0, -size, size))


def _used(levels: Levels) -> int:
    """As far as the last that is not zero."""
    there = np.flatnonzero(levels)
    return int(there[-1]) + 1 if len(there) else 0


def _unpacked(each: NDArray[np.float32], counts: list[int], count: int, beyond: Floats | float = NEVER) -> Floats:
    """(C, count, ...) of (sum of counts, ...)"""
    out, at = np.empty((len(counts), count, each.shape[1])), 0
    out[:] = beyond
    for c, used in enumerate(counts):
        out[c, :used] = each[at : at + used]
        at += used
    return out


def _bits(sizes: Levels, odds: Floats) -> Floats:
    """Of levels (..., C, count), as csrc/codec/waves.cpp spells them."""
    yes, no = np.logaddexp(0, -odds) / np.log(2), np.logaddexp(0, odds) / np.log(2)
    beyond = np.where(sizes > 1, yes[..., 1] + (sizes - 2).clip(0) * yes[..., 2] + no[..., 2], no[..., 1])
    return np.asarray(np.where(sizes > 0, yes[..., 0] + 1 + beyond, no[..., 0]))
