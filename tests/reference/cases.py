"""Networks and pictures to try, the same for the native code and for the reference."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from cppn_native import _core

from . import cascade
from .activations import ACTIVATIONS, EVERYDAY, PAINTED
from .cascade import Network


def relative_error(actual, expected):
    """The largest difference, in units of the largest number expected; NaN counts as infinitely far."""
    actual, expected = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    assert actual.shape == expected.shape
    worst = np.max(np.abs(actual - expected)) / max(np.max(np.abs(expected)), np.finfo(np.float64).tiny)
    return worst if np.isfinite(worst) else np.inf


def mixed(neurons, first=0):
    """The five everyday activations in turn: each meets each place in a register block of four."""
    return tuple(EVERYDAY[(first + n) % len(EVERYDAY)] for n in range(neurons))


def bounded(neurons):
    """All but the identity in turn: no neuron leaves [-1, 1]."""
    return tuple(name for name in mixed(2 * neurons) if name != "identity")[:neurons]


def native_shape(net):
    numbers = [list(ACTIVATIONS).index(name) for name in net.activations]
    return _core.Shape(net.neurons, net.channels, net.radius, net.octaves, numbers)


@dataclass(frozen=True)
class Case:
    """A network with random weights and a random picture: ``size`` is (width, height), or a number of points.

    Weights have variance gain^2 / fan-in, which keeps sums near one: saturated neurons would hide errors and
    stretched ones magnify float32's. For the same reason high octaves look at points near the middle: float32
    knows the phase 2^k pi x to 1e-7 of itself.
    """

    net: Network
    size: tuple[int, int] | int
    seed: int = 0
    gain: float = 1.5
    lift: float = 0.0
    """Added to the sums of the even neurons and taken from those of the odd ones: away from kinks and poles."""

    def __str__(self):
        size = f"{self.size}-points" if isinstance(self.size, int) else "x".join(map(str, self.size))
        net = self.net
        extras = f"{'-radius' if net.radius else ''}{f'-octaves{net.octaves}' if net.octaves else ''}"
        painted = f"-{net.activations[0]}" if self.lift else ""
        return f"{net.neurons}n{net.channels}c{extras}{painted}-{size}"

    @property
    def is_grid(self):
        return not isinstance(self.size, int)

    @cached_property
    def axes(self):
        """x and y as the native code takes them: of the columns and rows of a grid, or of every point."""
        rng = np.random.default_rng([self.seed, 1])
        reach = min(1.3, 2.0 ** (3 - self.net.octaves))
        counts = self.size if self.is_grid else (self.size, self.size)
        return tuple(rng.uniform(-reach, reach, count).astype(np.float32) for count in counts)

    @cached_property
    def points(self):
        """x and y of every pixel."""
        return cascade.grid(*self.axes) if self.is_grid else self.axes

    @cached_property
    def w(self):
        rng = np.random.default_rng([self.seed, 2])
        rows = [rng.normal(0, self.gain / np.sqrt(self.net.inputs + n), self.net.inputs + n)
                for n in range(self.net.neurons)]  # fmt: skip
        for n, row in enumerate(rows):
            row[0] += self.lift * (-1) ** n
        return np.concatenate(rows).astype(np.float32)

    @cached_property
    def target(self):
        rng = np.random.default_rng([self.seed, 3])
        return rng.uniform(0, 1, (self.net.channels, len(self.points[0]))).astype(np.float32)

    # -- the native code's view --------------------------------------------------------------------------

    @property
    def place(self):
        """The arguments x, y, grid."""
        return (*self.axes, self.is_grid)

    def shape(self):
        return native_shape(self.net)

    def task(self, backend):
        return _core.Task(backend, self.shape(), *self.place, self.target)

    # -- the reference's answers, computed once for all backends ------------------------------------------

    @property
    def exact(self):
        """The same arguments for the reference."""
        return self.net, self.w.astype(np.float64), *self.points

    @cached_property
    def nodes(self):
        return cascade.forward(*self.exact)[0]

    @cached_property
    def loss_and_gradient(self):
        return cascade.gradient(*self.exact, self.target.astype(np.float64))

    @cached_property
    def normal(self):
        return cascade.normal(*self.exact)


CASES = [
    Case(Network(mixed(1, first)), (1, 1), seed=first) for first in range(len(EVERYDAY))
] + [
    Case(Network(mixed(1)), 1),
    Case(Network(mixed(2), channels=2), (3, 1)),
    Case(Network(mixed(2, 1), radius=True), 7),
    Case(Network(mixed(3), channels=3, octaves=1), (1, 17)),
    Case(Network(mixed(4, 2), channels=4), (127, 1)),
    Case(Network(mixed(5), channels=4, radius=True, octaves=2), 128),
    Case(Network(mixed(6), channels=2, octaves=7), (43, 3)),  # 129
    Case(Network(mixed(7), channels=3, radius=True, octaves=7), 129),
    Case(Network(mixed(10), channels=1), 2049),
    Case(Network(("sigmoid",) * 45, channels=3), (50, 40)),  # the 1020-byte program's network
    Case(Network(("sine",) * 50 + ("sigmoid",) * 3, channels=3), (41, 50)),  # the default; 2050
    Case(Network(mixed(13), channels=3, octaves=3), (100, 50)),  # two groups of pixels, the second ragged
    Case(Network(mixed(9), channels=3, radius=True), 4097),
    Case(Network(mixed(11), channels=2, octaves=4), (131, 66)),  # four groups, the last one ragged
    Case(Network(mixed(128), channels=4), (13, 11)),
    Case(Network(mixed(127), channels=3, radius=True, octaves=7), 65),
]  # fmt: skip
CASES += [Case(Network((f.__name__,) * 4 + ("sigmoid",)), (19, 7), gain=0.3, lift=1.5) for f in PAINTED]
"""Awkward first: one pixel, one neuron; then tails of vectors, tiles, groups (2048) and register blocks."""

SMALL = [case for case in CASES if case.net.weights <= 400]
TINY = [case for case in SMALL if len(case.points[0]) <= 150]
