"""What bench_cuda.py measures, one function a section. Each runs in a process of its own and hands over its rows
as it goes (``Bench.add``), so that a crash or a time limit costs only what was not measured yet.

A step is credited with 3 K multiply-adds per pixel (forward, backward, weight gradient) and nothing else; a rendering
with one third of that. The ceiling is ``Backend.peak``, measured right before and after.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from common import ROOT, Spread, relative, relative_norm, rounded
from cppn_native import _core
from cppn_native.coords import axes
from cppn_native.fit.plan import BITS_PER_WEIGHT, Plan, neurons_for
from cppn_native.models.cascade import SEED_STEP, CascadeConfig
from numpy.typing import NDArray
from problem import CHUNK, LIMIT, RATE, Problem, generated_problem, seed_problem, value_and_gradient

__all__ = ["SCALES", "SECTIONS", "Bench", "Scale"]

Size = tuple[int, int]
CHANNELS = 3
SEED_SIZE: Size = (386, 320)
MANY_SIZE: Size = (64, 64)


@dataclass(frozen=True)
class Scale:
    """How much of everything: ``turn`` is the length in seconds of one timing of what has no fixed count."""

    size: Size | None = None  # None: the painting's
    steps: int = 4000
    repeats: int = 7
    turn: float = 0.12
    peak: float = 0.05
    trajectory: int = 1000
    long: int = 100_000
    many: Sequence[int] = (1, 16, 64, 256, 1024)
    many_size: Size = MANY_SIZE
    neurons: Sequence[int] = (8, 16, 32, 45, 54, 64, 96, 128)
    sizes: Sequence[Size] = ((64, 64), (128, 128), SEED_SIZE, (768, 512), (1920, 1080), (3840, 2160))
    render: Sequence[Size] = (SEED_SIZE, (3840, 2160))


TINY_SIZE: Size = (24, 20)
SCALES = {
    "full": Scale(),
    "quick": Scale(steps=2000, repeats=3, turn=0.05, trajectory=100, long=10_000, many=(256,), neurons=(45,),
                   sizes=((1920, 1080),), render=(SEED_SIZE,)),
    "tiny": Scale(TINY_SIZE, 20, 2, 0.002, 0.002, 5, 100, (1, 3), (8, 6), (8, 45), (TINY_SIZE,), (TINY_SIZE,)),
}  # fmt: skip


@dataclass
class Bench:
    """The device that is measured, the CPU beside it, how much to measure, and where the rows go."""

    backend: _core.Backend
    cpu: _core.Backend
    scale: Scale
    keep: Callable[[dict[str, Any]], None]
    device: str = "cuda"
    seconds: float = 60.0
    quick: bool = False
    data: dict[str, Any] = field(default_factory=dict)

    def add(self, key: str, row: dict[str, Any]) -> None:
        self.data.setdefault(key, []).append(row)
        self.keep(self.data)

    def put(self, **values: Any) -> None:
        self.data.update(values)
        self.keep(self.data)


# -- what is fitted ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Network:
    """A shape, and how it is trained."""

    name: str
    config: CascadeConfig
    plan: Plan

    @property
    def grid(self) -> NDArray[np.float32]:
        return np.full(self.config.weights, self.plan.step, np.float32)

    def levels(self, seed: int = 0) -> NDArray[np.float32]:
        spread = self.plan.spread
        return np.random.default_rng(seed).uniform(-spread, spread, self.config.weights).astype(np.float32)

    def gflop(self, pixels: int) -> float:
        return 3 * 2 * self.config.weights * pixels / 1e9


def seed_network(neurons: int = 45) -> Network:
    """The 1020-byte program's."""
    config = CascadeConfig(neurons=neurons, activation="sigmoid", coords="seed")
    plan = Plan(rate=RATE, rate_floor=1.0, warmup=0, spread=16.0, limit=LIMIT, step=SEED_STEP)
    return Network("seed" if neurons == 45 else f"{neurons} sigmoids", config, plan)


def default_network() -> Network:
    """That of ``cn.train`` without arguments: as many sines as a kilobyte holds."""
    smallest = CascadeConfig(neurons=CHANNELS)
    config = CascadeConfig(neurons=neurons_for(1024, smallest, BITS_PER_WEIGHT))
    return Network("default", config, Plan())


@cache
def picture(size: Size | None) -> Problem:
    """The painting, or random bytes of any size: the time of a step does not depend on them."""
    return seed_problem() if size is None else generated_problem(45, size)


class Fit:
    """A network at its first weights with a task on a backend; ``target`` (B, C, P) makes it B of them."""

    def __init__(self, backend: _core.Backend, network: Network, size: Size, target: NDArray[np.float32]) -> None:
        self.backend, self.network, self.size = backend, network, size
        self.pixels = size[0] * size[1]
        self.pictures = target.size // (CHANNELS * self.pixels)
        shape = network.config.shape()
        self.task = _core.Task(backend, shape, *axes(network.config.coords, size, size), True, target)
        self.u = np.stack([network.levels(seed) for seed in range(self.pictures)])

    @classmethod
    def of(cls, backend: _core.Backend, network: Network, size: Size | None) -> Fit:
        shown = picture(size)
        return cls(backend, network, shown.size, shown.target)

    @property
    def gflop(self) -> float:
        return self.network.gflop(self.pixels) * self.pictures

    def descent(self, draw: str = "plain", steps: int = 10**9) -> _core.Descent:
        """``steps`` is the length of the schedules: without it, the learning rate stays what it is."""
        plan = _core.DescentPlan()
        for name in ("rate", "rate_floor", "warmup", "noise", "noise_rise", "limit"):
            setattr(plan, name, getattr(self.network.plan, name))
        plan.draw, plan.steps = getattr(_core.Draw, draw), steps
        if draw == "stochastic":
            plan.quantize_first = 0.5  # neither all weights float, as at first, nor none, as at last
        starts = []
        for u in self.u:
            start = _core.DescentState()
            start.u = u
            starts.append(start)
        grid = self.network.grid
        return _core.Descent(self.task, plan, grid, np.ones_like(grid), starts if self.pictures > 1 else starts[0])

    def gradient(self) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Losses (B,) and gradients in the weights (B, K)."""
        w = self.u * self.network.grid
        loss, gradient = self.task.gradient(w if self.pictures > 1 else w[0])
        return np.atleast_1d(np.asarray(loss, np.float64)), np.atleast_2d(gradient)


# -- times ------------------------------------------------------------------------------------------


def step_times(loop: _core.Descent, scale: Scale, steps: int | None = None) -> Spread:
    """Microseconds per step: run() and the wait for its end, repeated; ``steps`` at a time, or a turn of them."""

    def seconds(count: int) -> float:
        begin = time.perf_counter()
        loop.run(count)
        loop.state()
        return time.perf_counter() - begin

    seconds(1)
    one = seconds(3) / 3
    if steps is None:
        steps = max(3, min(scale.steps, round(scale.turn / one)))
    seconds(max(1, steps // 5))  # clocks rise, what is compiled or captured late is
    return Spread.of([1e6 * seconds(steps) / steps for _ in range(scale.repeats)])


def beside_ceiling(backend: _core.Backend, scale: Scale, gflop: float, measure: Callable[[], Spread]) -> dict[str, Any]:
    """The times in microseconds of ``gflop`` each, and what fraction of the ceiling that is."""
    before = backend.peak(scale.peak)
    us = measure()
    top = max(before, backend.peak(scale.peak))
    rate = gflop / (us.median * 1e-6)
    return {
        "us": us.record(),
        "gflop_counted": rounded(gflop, 6),
        "gflops": rounded(rate),
        "ceiling_gflops": rounded(top),
        "fraction_of_ceiling": rounded(rate / top),
    }


def timed(bench: Bench, fit: Fit, draw: str = "plain", steps: int | None = None) -> dict[str, Any]:
    loop = fit.descent(draw)
    return beside_ceiling(fit.backend, bench.scale, fit.gflop, lambda: step_times(loop, bench.scale, steps))


# -- is it right ------------------------------------------------------------------------------------------


def check(bench: Bench) -> None:
    """Loss and gradient against float64, then a thousand steps beside the CPU's."""
    for network in (seed_network(), default_network()):
        fit = Fit.of(bench.backend, network, bench.scale.size)
        want = exact(network, picture(bench.scale.size), fit.u[0])
        bench.add("gradients", {"network": network.name, "against": "numpy float64", **errors(fit, want)})
    for network, draw in ((seed_network(), "plain"), (seed_network(), "noise"), (default_network(), "noise")):
        bench.add("trajectories", trajectory(bench, network, draw))


def exact(network: Network, shown: Problem, u: NDArray[np.float32]) -> tuple[float, NDArray[np.float64]]:
    """Loss and gradient in the weights, by the reference in tests/, some pixels at a time."""
    sys.path.insert(0, str(ROOT / "tests"))
    from reference import cascade

    net = cascade.Network(network.config.activation_names, channels=CHANNELS)
    x, y = cascade.grid(*axes(network.config.coords, shown.size, shown.size))
    w = (u * network.grid).astype(np.float64)
    loss, gradient = 0.0, np.zeros_like(w)
    for first in range(0, len(x), CHUNK):
        at = slice(first, first + CHUNK)
        part = cascade.gradient(net, w, x[at], y[at], shown.target[:, at].astype(np.float64))
        loss, gradient = loss + part[0], gradient + part[1]
    return loss, gradient


def errors(fit: Fit, want: tuple[float, NDArray[Any]], which: int = 0) -> dict[str, float]:
    loss, gradient = fit.gradient()
    return {
        "loss": rounded(relative(float(loss[which]), want[0]), 2),
        "gradient": rounded(relative_norm(gradient[which], want[1]), 2),
    }


def errors_beside_cpu(bench: Bench, fit: Fit, size: Size | None) -> dict[str, float]:
    loss, gradient = Fit.of(bench.cpu, fit.network, size).gradient()
    return errors(fit, (float(loss[0]), gradient[0]))


def trajectory(bench: Bench, network: Network, draw: str) -> dict[str, Any]:
    """How far the two part: descent is chaotic in the long run, so this is reported, not judged."""
    last = bench.scale.trajectory
    stops = [1, *(n for n in (10, 100) if n < last), last]
    loops = [Fit.of(b, network, bench.scale.size).descent(draw, last) for b in (bench.backend, bench.cpu)]
    apart: dict[str, Any] = {}
    for before, stop in zip([0, *stops], stops, strict=False):
        for loop in loops:
            loop.run(stop - before)
        mine, cpus = (loop.state() for loop in loops)
        apart[str(stop)] = {"loss": rounded(relative(mine.loss, cpus.loss), 2),
                            "u": rounded(relative_norm(mine.u, cpus.u), 2)}  # fmt: skip
    return {"network": network.name, "draw": draw, "apart": apart, "loss": mine.loss, "cpu_loss": cpus.loss}


# -- the sections ------------------------------------------------------------------------------------------


def step(bench: Bench) -> None:
    for network in (seed_network(), default_network()):
        fit = Fit.of(bench.backend, network, bench.scale.size)
        for draw in ("plain", "noise", "stochastic"):
            bench.add("rows", {"network": network.name, "neurons": network.config.neurons, "draw": draw,
                               **timed(bench, fit, draw, bench.scale.steps)})  # fmt: skip


def long(bench: Bench) -> None:
    """From the picture to the last weight, twice: how long, how far down, the same bits."""
    steps = bench.scale.long
    for network, draw in ((seed_network(), "stochastic"), (seed_network(), "plain"), (default_network(), "noise")):
        first, ends = begin_loss(bench, network, draw, steps), []

        def run(network: Network = network, draw: str = draw, ends: list[Any] = ends) -> Spread:
            begin = time.perf_counter()
            loop = Fit.of(bench.backend, network, bench.scale.size).descent(draw, steps)
            loop.run(steps)
            ends.append(loop.state())
            return Spread.of([1e6 * (time.perf_counter() - begin) / steps])

        gflop = network.gflop(picture(bench.scale.size).pixels)
        times = [beside_ceiling(bench.backend, bench.scale, gflop, run) for _ in range(2)]
        last = ends[0].loss
        bits = [b"".join(np.asarray(part).tobytes() for part in (s.u, s.m, s.v, s.loss)) for s in ends]
        bench.add("rows", {
            "network": network.name, "draw": draw, "steps": steps, "picture": picture(bench.scale.size).picture,
            "seconds": Spread.of([1e-6 * steps * row["us"]["median"] for row in times]).record(),
            "fraction_of_ceiling": min(row["fraction_of_ceiling"] for row in times),
            "first_loss": rounded(first), "last_loss": rounded(last, 7), "fell": last < first,
            "same_bits": bits[0] == bits[1],
        })  # fmt: skip


def begin_loss(bench: Bench, network: Network, draw: str, steps: int) -> float:
    loop = Fit.of(bench.backend, network, bench.scale.size).descent(draw, steps)
    loop.run(1)
    return float(loop.state().loss)


def many(bench: Bench) -> None:
    """Small pictures, a network each, in one task."""
    network, size = seed_network(), bench.scale.many_size
    for count in bench.scale.many:
        rng = np.random.default_rng(count)
        target = rng.uniform(0, 1, (count, CHANNELS, size[0] * size[1])).astype(np.float32)
        fit = Fit(bench.backend, network, size, target if count > 1 else target[0])
        worst = max(max(errors(fit, exact_of_many(network, size, target[i], fit.u[i]), i).values())
                    for i in {0, count - 1})  # fmt: skip
        row = timed(bench, fit)
        each = rounded(row["us"]["median"] / count)
        bench.add("rows", {"pictures": count, "size": list(size), "error": worst, "us_per_picture": each, **row})


def exact_of_many(
    network: Network, size: Size, target: NDArray[np.float32], u: NDArray[np.float32]
) -> tuple[float, NDArray[np.float64]]:
    problem = Problem(network.config.neurons, size, target, u, "random", float(network.grid[0]))
    loss, gradient = value_and_gradient(problem, u.astype(np.float64))
    return loss, gradient / problem.step


def scaling(bench: Bench) -> None:
    for neurons in bench.scale.neurons:
        add_scaling(bench, "neurons", str(neurons), seed_network(neurons), bench.scale.size)
    for size in bench.scale.sizes:
        add_scaling(bench, "pixels", f"{size[0]} x {size[1]}", seed_network(), size)


def add_scaling(bench: Bench, axis: str, value: str, network: Network, size: Size | None) -> None:
    fit = Fit.of(bench.backend, network, size)
    apart = errors_beside_cpu(bench, fit, size)
    bench.add("rows", {"axis": axis, "value": value, "neurons": network.config.neurons, "pixels": fit.pixels,
                       "error_beside_cpu": max(apart.values()), **timed(bench, fit)})  # fmt: skip


def render(bench: Bench) -> None:
    """Bytes in the caller's memory, and the same ones as the CPU's."""
    for network in (seed_network(), default_network()):
        weights = network.levels() * network.grid
        for size in bench.scale.render:
            place = (network.config.shape(), weights, *axes(network.config.coords, SEED_SIZE, size), True)
            equal = bool(np.array_equal(bench.backend.render_bytes(*place), bench.cpu.render_bytes(*place)))
            gflop = network.gflop(size[0] * size[1]) / 3
            row = beside_ceiling(bench.backend, bench.scale, gflop, lambda place=place: calls(bench, place))
            bench.add("rows", {"network": network.name, "size": list(size), "bytes_equal_cpu": equal, **row})


def calls(bench: Bench, place: tuple[Any, ...]) -> Spread:
    times = []
    for _ in range(2 + 3 * bench.scale.repeats):
        begin = time.perf_counter()
        bench.backend.render_bytes(*place)
        times.append(1e6 * (time.perf_counter() - begin))
    return Spread.of(times[2:])


def torch(bench: Bench) -> None:
    """The step in PyTorch on the same GPU, in turn with ours."""
    from torch_race import race

    problem = picture(bench.scale.size)
    loop = Fit.of(bench.backend, seed_network(), bench.scale.size).descent()
    folder = Path(os.environ.get("CPPN_BENCH_WORK", "build/gpu")) / "torch"
    turns = replace(bench.scale, repeats=3)

    def ours() -> float:
        bench.backend.peak(bench.scale.peak)  # the clocks fall while processes come and go
        return step_times(loop, turns).median

    race(bench, problem, ours, folder)


SECTIONS = {
    "check": check,
    "step": step,
    "many": many,
    "torch": torch,
    "long": long,
    "scaling": scaling,
    "render": render,
}
"""In the order of their worth, should the time not suffice for all."""
