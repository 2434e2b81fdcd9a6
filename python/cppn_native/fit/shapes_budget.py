"""Shapes for a file of so many bytes: how fine each parameter is kept, and a training of the rounded numbers.

The error grows by half of h step^2 / 12 for each number rounded to a step, h its curvature, and a number costs a bit
more each time its step is halved: the sum is least where step^2 h is the same for all kinds of parameters. One factor
for all steps then decides the size. What rounding spoils is trained away: the gradient is taken at the rounded numbers
and moves the exact ones ("straight through").
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..coords import axes
from ..listing import encode_shapes
from ..models.quantized import MOST_LEVEL, QuantizedShapes, to_rows
from ..models.shapes import Shapes
from ..progress import Progress
from .picture import SCORE_SCALE
from .shapes import ShapesRun
from .shapes_state import LOSSES, split

__all__ = ["FLOAT_PART", "TERMS", "Rounding", "rounded_off", "shapes_for"]

Floats = NDArray[np.float32]

HEADER_BYTES = 36
BITS_PER_SHAPE = {"fourier": 74.0, "depth": 84.0, "stroke": 60.0, "point": 14.0, "article": 40.0}
"""With 3 terms; a term more is 6 bits: measured on Starry Night, where more shapes of fewer bits lost."""
BITS_PER_TERM = 6.0
TERMS = 3
PROBE = 0.02
"""Of the deviation of a parameter's numbers: how far they are moved to see what that does to the error."""

RATE = 0.03
"""Steps of rounding to a step of descent, at first."""
GAIN = 2e-4
"""What a model must be better by to be worth encoding."""
PATIENCE = 4
"""Better models too large for the file before steps get coarser."""


FLOAT_PART = 0.6
"""Of the time, or of the steps, what goes before the rounding; the rest goes after."""


def rounded_off(run: ShapesRun, max_bytes: int) -> QuantizedShapes:
    """The run to its end, then the training of the rounded numbers. ``ValueError`` if not even the coarsest steps make
    the file small enough."""
    model, reporter = run.go(), run.reporter
    rounding = Rounding(model, run.target, run.weights, LOSSES[run.plan.loss], run.cpu, max_bytes)
    steps = max(1, round(run.plan.steps * (1 - FLOAT_PART) / FLOAT_PART)) if model.stopped == "finished" else 1
    begun, stopped, history = time.monotonic(), model.stopped, list(model.history)
    width, height = run.fitted
    scale = SCORE_SCALE * model.size[0] * model.size[1] / (width * height)

    def seen(step: int, squares: float) -> bool:
        nonlocal stopped
        score, elapsed = squares * scale, run.state.elapsed + time.monotonic() - begun
        history.append((run.state.step + step, score))
        if run.plan.minutes is not None and elapsed > 60 * run.plan.minutes:
            stopped = "minutes"
        elif reporter(Progress("polish", step, steps, score, score, None, step / steps, elapsed)):
            stopped = "callback"
        return stopped != "finished"

    found = rounding.train(steps, seen)
    if len(found.to_bytes()) > max_bytes:
        least = len(found.to_bytes())
        raise ValueError(f"max_bytes must be at least {least} for {found.config.count} shapes, got {max_bytes}")
    found.history, found.recipe, found.stopped = history, model.recipe, stopped
    found.snapshots = model.snapshots
    return found


def shapes_for(kind: str, terms: int, max_bytes: int) -> int:
    """How many shapes are likely to fit."""
    bits = BITS_PER_SHAPE[kind] + (BITS_PER_TERM * (terms - TERMS) if terms else 0)
    return max(1, int(8 * (max_bytes - HEADER_BYTES) / bits))


@dataclass
class Rounding:
    """Of one picture: ``model`` as it was trained in floats, ``target`` (H, W, C) and ``weights`` of its loss."""

    model: Shapes
    target: Floats
    weights: Floats
    loss: str
    cpu: _core.Cpu
    max_bytes: int

    def __post_init__(self) -> None:
        height, width, _ = self.target.shape
        self._axes = axes(Shapes.COORDS, self.model.size, (width, height))
        self._config = self.model.config
        rng = np.random.default_rng(0)
        self._flat = self.model.packed()
        self._base = self._steps(rng)

    def _evaluate(self, params: Floats) -> tuple[float, Floats, Floats]:
        """(sum of squared errors, gradient, parameters with the colours that follow from the picture)."""
        _, squares, grad, after = _core.shapes_gradient(
            self.cpu, self._config.native(self.model.size), params, *self._axes, self.target, self.weights, self.loss
        )
        return squares, grad, after

    def _steps(self, rng: np.random.Generator) -> list[float]:
        """A step for every parameter, up to a common factor: 1 / sqrt(mean curvature), by moving all its numbers."""
        least, found = self._evaluate(self._flat)[0], []
        parts = split(self._config, self._flat)
        for name, part in parts.items():
            reach = PROBE * max(float(part.std()), 1e-3)
            rises = []
            for _ in range(2):
                signs = rng.choice((-1.0, 1.0), part.shape).astype(np.float32)
                ends = [self._evaluate(self._joined(parts | {name: part + s * reach * signs}))[0] for s in (1, -1)]
                rises.append((sum(ends) - 2 * least) / (reach**2 * part.size))
            found.append(1 / np.sqrt(max(float(np.mean(rises)), 1e-9)))
        return found

    @staticmethod
    def _joined(parts: dict[str, NDArray[np.floating]]) -> Floats:
        return np.concatenate([part.ravel() for part in parts.values()]).astype(np.float32)

    def quantized(self, flat: Floats, codes: list[int]) -> QuantizedShapes:
        """Rounded to the steps, the shapes in the order of posx."""
        parts = split(self._config, flat)
        steps = [_core.step_grid(code) for code in codes]
        rows = [np.rint(part / step) for part, step in zip(to_rows(self._config, parts), steps, strict=True)]
        levels = np.clip(np.concatenate(rows, axis=1), -MOST_LEVEL, MOST_LEVEL).astype(np.int32)
        order = np.argsort(levels[:, 0], kind="stable")
        return QuantizedShapes(self._config, self.model.size, levels[order], codes)

    def rounded(self, flat: Floats, codes: list[int]) -> Floats:
        parts = split(self._config, flat.copy())
        for part, code in zip(parts.values(), codes, strict=True):
            step = np.float32(_core.step_grid(code))
            part[...] = np.clip(np.rint(part / step), -MOST_LEVEL, MOST_LEVEL) * step
        return self._joined(parts)

    def train(self, steps: int, seen: Callable[[int, float], bool]) -> QuantizedShapes:
        """Adam on the exact numbers in units of their steps, straight through the rounding; the best whose file is
        small enough. ``seen`` hears of every step and of the sum of squared errors, and says whether to stop."""
        coarse, misfits = self.coarseness(self._flat), 0
        codes = self._coded(coarse)
        unit = self._units(codes)
        flat, m, v = self._flat.copy(), np.zeros_like(self._flat), np.zeros_like(self._flat)
        best, least = self.quantized(flat, codes), np.inf
        for step in range(1, steps + 1):
            squares, grad, after = self._evaluate(self.rounded(flat, codes))
            if squares < (1 - GAIN) * least:
                model = self.quantized(after, codes)
                if self._fits(model):
                    best, least, misfits = model, squares, 0
                else:
                    misfits += 1
            if misfits == PATIENCE:  # descent makes the numbers less alike
                coarse, misfits = coarse + 1, 0
                codes = self._coded(coarse)
                unit = self._units(codes)
            if seen(step, squares):
                break
            grad = grad * unit
            m += 0.1 * (grad - m)
            v += 0.001 * (grad * grad - v)
            rate = RATE * (1 - 0.9 * step / steps)
            flat -= rate * unit * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-12)
        return best

    def _units(self, codes: list[int]) -> Floats:
        """The step of every number."""
        parts = split(self._config, self._flat).items()
        return self._joined({n: np.full(p.shape, _core.step_grid(c)) for (n, p), c in zip(parts, codes, strict=True)})

    def _fits(self, model: QuantizedShapes) -> bool:
        return any(len(encode_shapes(model, quick=quick)) <= self.max_bytes for quick in (True, False))

    def coarseness(self, flat: Floats) -> int:
        """Sixteenths of an octave: the finest steps whose file is small enough; the coarsest there are if none is."""
        low, high = -96, 160  # sixteenths of an octave of the factor; high is the coarser
        while high - low > 1:
            middle = (low + high) // 2
            if self._fits(self.quantized(flat, self._coded(middle))):
                high = middle
            else:
                low = middle
        return high

    def _coded(self, sixteenths: int) -> list[int]:
        scale = 2.0 ** (sixteenths / 16)
        return [_core.nearest_step_code(float(np.clip(step * scale, 2**-12, 15))) for step in self._base]
