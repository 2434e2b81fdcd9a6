"""Waves for a file of so many bytes: the step, and every level by what it mends and what it costs.

    score + price * bits -> least,  the score by the amplitudes (the transform is orthonormal), the bits by the
    decoder's own models (``Waves.odds``), every level given all others; a few rounds, for each
    level is context for later ones

For a step the price is found at which the file just fits; of all steps the best is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..models.waves import Waves

__all__ = ["USUAL_TRIES", "WavesSearch"]

Floats = NDArray[np.float64]
Levels = NDArray[np.int32]

USUAL_TRIES = 11
"""Steps that a search tries, as a rule: for the progress bar."""
ROUNDS = 6
"""Of choosing all levels, each given the others."""
PRICES = 9
"""Tried for a step, halving the interval of its logarithm."""
DEAREST, CHEAPEST = 2.0, 0.01
"""Squared steps a bit."""
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


class WavesSearch:
    """Of a picture (H, W, C) in 0 ... 255; ``best`` is the best so far that fits ``max_bytes``, always there."""

    def __init__(self, pixels: NDArray[np.float32], max_bytes: int, threads: int | None = None) -> None:
        self.pixels, self.max_bytes, self.threads = pixels, max_bytes, threads
        self.spectrum = spectrum(pixels, WAVES_A_BYTE * max_bytes)
        self.tried: dict[int, float] = {}
        none = self._model(255, [_levels([])] * pixels.shape[2])
        self.best, self.score = none, self._score(none)

    def go(self, seen: Callable[[int, float], bool]) -> bool:
        """Steps an octave apart, then closer around the best, ``seen(tries, score)`` after each; false if that stopped
        it."""
        code = self._first_step()
        for stride in (16, 8, 4, 2, 1):
            while True:
                before = self.score
                for candidate in (code, code + stride, code - stride):
                    if 0 <= candidate < 256 and candidate not in self.tried:
                        self._try(candidate)
                        if seen(len(self.tried), self.score):
                            return False
                code = min(self.tried, key=lambda tried: self.tried[tried])
                if self.score >= before:
                    break
        return True

    def _first_step(self) -> int:
        """Where about as many amplitudes reach the step as will be worth coding: one for every six bits."""
        sizes = np.sort(np.abs(self.spectrum.amplitudes).ravel())[::-1]
        nth = min(len(sizes), 8 * self.max_bytes // 6)
        step = sizes[nth - 1] if nth else 1.0
        return int(np.clip(_core.nearest_step_code(max(float(step), 1e-6)), 0, 255))

    def _try(self, code: int) -> None:
        """The cheapest price of a bit with which the file fits, by halving."""
        self.tried[code] = np.inf
        low, high = np.log(CHEAPEST), np.log(DEAREST)
        found: Waves | None = None
        for _ in range(PRICES):
            middle = (low + high) / 2
            model = self._model(code, self._chosen(code, float(np.exp(middle))))
            if len(model.to_bytes()) > self.max_bytes:
                low = middle
            else:
                high, found = middle, model
        if found is None:
            return
        self.tried[code] = self._score(found)
        if self.tried[code] < self.score:
            self.best, self.score = found, self.tried[code]

    def _chosen(self, code: int, price: float) -> list[Levels]:
        """Each level one less, one more, none or as it is, whichever is cheapest."""
        scaled = self.spectrum.amplitudes / float(_core.step_grid(code))
        size = np.abs(scaled)
        limit = np.int32(_core.MAX_WAVE_LEVEL)
        levels = np.minimum(np.floor(size + 0.4), limit).astype(np.int32)
        sign = np.where(scaled < 0, -1, 1).astype(np.int32)
        for _ in range(ROUNDS):
            model = self._model(code, [sign[c] * levels[c] for c in range(len(levels))])
            odds = _unpacked(model.odds(), model.counts, levels.shape[1])
            options = np.stack(
                [levels, np.maximum(levels - 1, 0), np.zeros_like(levels), np.minimum(levels + 1, limit)]
            )
            costs = (size - options) ** 2 + price * _bits(options, odds)
            chosen = np.take_along_axis(options, costs.argmin(axis=0)[None], axis=0)[0]
            if np.array_equal(chosen, levels):
                break
            levels = chosen
        return [sign[c] * levels[c] for c in range(len(levels))]

    def _model(self, code: int, levels: list[Levels]) -> Waves:
        used = [_used(part) for part in levels]
        parts = [part[:count] for part, count in zip(levels, used, strict=True)]
        s = self.spectrum
        return Waves(s.size, code, s.mean, s.angles, used, _levels(np.concatenate(parts)))

    def _score(self, model: Waves) -> float:
        shown = model.render_bytes(threads=self.threads).astype(np.float64)
        return float(((shown - self.pixels) ** 2).sum() / 255.0**2)


NEVER = np.array([-12.0, -12.0, -12.0])
"""Odds of waves beyond the last one, which cost nothing until one of them is not zero; then all before it do."""


def _levels(numbers: object) -> Levels:
    return np.asarray(numbers, np.int32)


def _used(levels: Levels) -> int:
    """As far as the last that is not zero."""
    there = np.flatnonzero(levels)
    return int(there[-1]) + 1 if len(there) else 0


def _unpacked(odds: NDArray[np.float32], counts: list[int], count: int) -> Floats:
    """(C, count, 3)"""
    out, at = np.tile(NEVER, (len(counts), count, 1)), 0
    for c, used in enumerate(counts):
        out[c, :used] = odds[at : at + used]
        at += used
    return out


def _bits(sizes: Levels, odds: Floats) -> Floats:
    """Of levels (..., C, count), as csrc/codec/waves.cpp spells them."""
    yes, no = np.logaddexp(0, -odds) / np.log(2), np.logaddexp(0, odds) / np.log(2)
    beyond = np.where(sizes > 1, yes[..., 1] + (sizes - 2).clip(0) * yes[..., 2] + no[..., 2], no[..., 1])
    return np.asarray(np.where(sizes > 0, yes[..., 0] + 1 + beyond, no[..., 0]))
