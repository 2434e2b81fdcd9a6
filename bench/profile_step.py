"""Where the time of a training step goes, from outside: the loss alone, value and gradient, the whole step.

    python bench/profile_step.py [--activation sigmoid] [--neurons 45] [--rounds 9] [--all]

Forward is what ``Task.loss`` takes, backward and weight gradient the difference to ``Task.gradient``,
draw and Adam the difference to ``Descent.run``. A difference of two medians carries the noise of both.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

from common import Spread, ceiling, estimate, load_average, table, turn
from cppn_native import _core
from cppn_native.models.cascade import CascadeConfig
from problem import Problem, seed_problem
from step_ours import Ours


class Shaped(Problem):
    """The problem with another activation in the hidden neurons (no reference: nothing is checked here)."""

    activation = "sigmoid"

    @cached_property
    def config(self) -> CascadeConfig:
        return replace(super().config, activation=self.activation)


def main() -> int:
    options = parse()
    base = seed_problem(options.neurons)
    problem = Shaped(base.neurons, base.size, base.target, base.u, base.picture)
    Shaped.activation = options.activation
    every = [(isa, threads) for isa in _core.isas() for threads in sorted({1, _core.hardware_threads()})]
    for isa, threads in every if options.all else [(_core.isas()[0], _core.hardware_threads())]:
        profile(Ours(problem, isa, threads), options.rounds, options.seconds)
    print(f"load average {load_average()}")
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Forward, backward and the rest of a step.")
    parser.add_argument("--activation", default="sigmoid")
    parser.add_argument("--neurons", type=int, default=45)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("--all", action="store_true", help="every instruction set, on one thread and on all")
    return parser.parse_args()


def profile(ours: Ours, rounds: int, seconds: float) -> None:
    w = ours.problem.u * ours.grid
    works: dict[str, Callable[[int], None]] = {
        "loss": lambda n: repeat(lambda: ours.task.loss(w), n),
        "gradient": lambda n: repeat(lambda: ours.task.gradient(w), n),
        "step": ours.run,
    }
    ones = {name: estimate(work) for name, work in works.items()}
    times: dict[str, list[float]] = {name: [] for name in works}
    tops = []
    for _ in range(rounds):
        tops.append(ceiling(ours.backend, seconds / 3))
        for name, work in works.items():
            times[name].append(turn(work, seconds, ones[name])[0])
    print(f"\n{ours.backend.name}, {ours.backend.threads} threads, ceiling {Spread.of(tops).median:.0f} GFLOP/s")
    print(table(["", "ms", "share", "of ceiling"], shares(ours.problem, times, Spread.of(tops).median)))


def repeat(work: Callable[[], object], count: int) -> None:
    for _ in range(count):
        work()


def shares(problem: Problem, times: dict[str, list[float]], top: float) -> list[list[str]]:
    ms = {name: Spread.of(values).median for name, values in times.items()}
    parts = {
        "forward and loss": (ms["loss"], problem.gflop / 3),
        "backward, weight gradient": (ms["gradient"] - ms["loss"], problem.gflop * 2 / 3),
        "draw, Adam, the loop": (ms["step"] - ms["gradient"], 0.0),
        "step": (ms["step"], problem.gflop),
    }
    return [
        [
            name,
            f"{part:.3f}",
            f"{part / ms['step']:.0%}",
            f"{gflop / (part / 1e3) / top:.0%}" if gflop else "",
        ]
        for name, (part, gflop) in parts.items()
    ]


if __name__ == "__main__":
    sys.exit(main())
