"""One full-batch training step of the 1020-byte program's network, here and in PyTorch and JAX.

    python bench/bench_cascade.py [--only ours,torch,jax] [--quick] [--rounds 15] [--no-compile]

The network has 45 sigmoid neurons and 1125 weights, the picture 386 x 320 pixels; a step is value, gradient,
Adam and clip. Every competitor is first held to a NumPy float64 reference: loss, gradient, and the loss after
some steps. Then all take turns, round after round, so that a drift of the machine hits all alike.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from common import (
    Spread,
    ceiling,
    estimate,
    fixed,
    load_average,
    machine,
    relative,
    relative_norm,
    results_folder,
    rounded,
    table,
    turn,
    write_result,
)
from cppn_native import _core
from numpy.typing import NDArray
from problem import Answer, Problem, answer, seed_problem, value_and_gradient
from step_ours import Ours

TOLERANCES = {"loss": 1e-4, "gradient": 5e-4, "loss_after": 1e-4}
"""Relative, against float64. Most err by 1e-7 to 1e-5; PyTorch's concat reaches 1e-4 in the gradient, a long
sum in float32 down the columns: its own rounding, which must not keep it out of the race."""
CHECK_STEPS = 3
GOALS = {"torch": 60.0, "jax": 13.0, "ceiling": 0.6}
FAMILIES = ("ours", "torch", "jax")


class Step(Protocol):
    """A competitor: ``run(n)`` takes n steps and returns when they are done."""

    name: str
    family: str
    how: str

    def gradient(self) -> tuple[float, NDArray[np.float32]]: ...
    def run(self, steps: int) -> None: ...
    def levels(self) -> NDArray[np.float32]: ...
    def reset(self) -> None: ...


@dataclass
class Entry:
    """A competitor with its times, in milliseconds per step, one per round."""

    step: Step
    check: dict[str, float]
    first_seconds: float
    one: float
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def main() -> int:
    options = parse()
    problem = seed_problem()
    sizes = f"{problem.pixels} pixels, {problem.weights} weights, {problem.gflop:.3f} GFLOP a step"
    print(f"{problem.picture}: {sizes}")
    families = options.only
    facts = machine("torch", "jax", "jaxlib")
    absent = {family: "not installed" for family in families if family != "ours" and find_spec(family) is None}
    ours = Ours(problem, options.isa, options.threads)
    entries, failed = prepare(competitors(problem, ours, options, set(families) - set(absent)), problem)
    if not entries or not isinstance(entries[0].step, Ours):
        print(f"our own step is wrong: {failed}", file=sys.stderr)
        return 1
    ceilings = take_turns(entries, ours.backend, options.rounds, options.seconds)
    record = summary(problem, entries, ceilings, options.threads) | {
        "machine": facts | {"load_after": load_average()},
        "absent": absent,
        "failed": failed,
    }
    report(record)
    partial = options.quick or options.no_compile or set(families) != set(FAMILIES)
    folder = results_folder(options.out, partial)
    if folder is not None:
        print(f"\nwritten to {write_result('cascade', record, folder).name}")
    return 1 if any(reason.startswith("wrong answer") for reason in failed.values()) else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A training step here, in PyTorch and in JAX.")
    parser.add_argument("--only", type=families_of, default=FAMILIES, help="comma-separated: ours,torch,jax")
    parser.add_argument("--quick", action="store_true", help="two short rounds, nothing compiled: does it work?")
    parser.add_argument("--no-compile", action="store_true", help="leave out torch.compile (a minute each)")
    parser.add_argument("--rounds", type=int, help="turns of every competitor (default 15)")
    parser.add_argument("--seconds", type=float, help="length of a turn (default 0.3)")
    parser.add_argument("--threads", type=int, default=_core.hardware_threads(), help="default: all")
    parser.add_argument("--isa", default=_core.isas()[0], choices=_core.isas())
    parser.add_argument("--out", type=Path, help="folder for the results; default bench/results for a full run")
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else 15)
    options.seconds = options.seconds or (0.05 if options.quick else 0.3)
    return options


def families_of(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if unknown := set(names) - set(FAMILIES):
        raise argparse.ArgumentTypeError(f"must be among {', '.join(FAMILIES)}; got {', '.join(sorted(unknown))}")
    return names


# -- competitors ------------------------------------------------------------------------------------------


def competitors(
    problem: Problem, ours: Ours, options: argparse.Namespace, families: set[str]
) -> Iterator[tuple[str, Callable[[], Step]]]:
    """(name, how to make it); ours always comes first, for it is what the others are compared with."""
    yield ours.name, lambda: ours
    if "torch" in families:
        import step_torch

        compiled = not (options.quick or options.no_compile)
        for name, make in step_torch.forms(problem, options.threads, compiled):
            yield f"torch {name}", make
    if "jax" in families:
        import step_jax

        for name, make in step_jax.forms(problem, options.quick):
            yield f"jax {name}", make


def prepare(makers: Iterator[tuple[str, Callable[[], Step]]], problem: Problem) -> tuple[list[Entry], dict[str, str]]:
    """Builds, compiles and checks every competitor; what fails is left out of the race, with the reason."""
    right = answer(problem, CHECK_STEPS)
    entries: list[Entry] = []
    failed: dict[str, str] = {}
    for name, make in makers:
        begin = time.perf_counter()
        try:
            step = make()
            found = check(step, problem, right)
            if any(not found[key] <= limit for key, limit in TOLERANCES.items()):
                failed[name] = f"wrong answer: relative errors {found}"
                continue
            first = time.perf_counter() - begin
            entries.append(Entry(step, found, first, estimate(step.run)))
        except Exception as error:  # a compiler that gives up is a result
            failed[name] = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"[:300]
        print(f"  {name}: {failed.get(name) or 'checked'} ({time.perf_counter() - begin:.1f} s)", flush=True)
    return entries, failed


def check(step: Step, problem: Problem, right: Answer) -> dict[str, float]:
    """Relative errors of loss, gradient, and of the loss after some steps of Adam, against float64."""
    loss, gradient = step.gradient()
    step.run(right.steps)
    after, _ = value_and_gradient(problem, step.levels().astype(np.float64))
    step.reset()
    return {
        "loss": rounded(relative(loss, right.loss), 2),
        "gradient": rounded(relative_norm(gradient, right.gradient), 2),
        "loss_after": rounded(relative(after, right.loss_after), 2),
    }


# -- the race ------------------------------------------------------------------------------------------


def take_turns(entries: Sequence[Entry], backend: _core.Cpu, rounds: int, seconds: float) -> list[float]:
    """Everybody once a round, each round begun by another; the ceiling is measured around our own turn."""
    ceilings = []
    for number in range(rounds):
        print(f"\r  round {number + 1} of {rounds}", end="", file=sys.stderr, flush=True)
        begin = number % len(entries)
        for entry in (*entries[begin:], *entries[:begin]):
            mine = entry.step.family == "ours"
            before = ceiling(backend, seconds / 3) if mine else 0.0
            wall, cpu = turn(entry.step.run, seconds, entry.one)
            entry.wall.append(wall)
            entry.cpu.append(cpu)
            if mine:
                ceilings.append(max(before, ceiling(backend, seconds / 3)))
    print("\r", end="", file=sys.stderr)
    return ceilings


def summary(problem: Problem, entries: Sequence[Entry], ceilings: Sequence[float], threads: int) -> dict[str, Any]:
    ours = entries[0]
    steps = {entry.step.name: describe(entry, ours, problem.gflop) for entry in entries}
    fraction = Spread.of([problem.gflop / (ms / 1e3) / top for ms, top in zip(ours.wall, ceilings, strict=True)])
    best = fastest(steps)
    reached = {key: steps[name]["times_ours"]["median"] for key, name in best.items()}
    reached["ceiling"] = rounded(fraction.median)
    return {
        "benchmark": "cascade step",
        "problem": {
            "picture": problem.picture,
            "width": problem.size[0],
            "height": problem.size[1],
            "neurons": problem.neurons,
            "weights": problem.weights,
            "gflop_counted": rounded(problem.gflop, 6),
        },
        "threads": threads,
        "ours": ours.step.name,
        "tolerances": TOLERANCES | {"steps_of_loss_after": CHECK_STEPS},
        "steps": steps,
        "ceiling_gflops": Spread.of(ceilings).record(),
        "fraction_of_ceiling": fraction.record(),
        "best": best,
        "goals": {key: {"goal": GOALS[key.split()[0]], "measured": value} for key, value in reached.items()},
    }


def fastest(steps: dict[str, Any]) -> dict[str, str]:
    """The fastest form of each framework, and the fastest that leaves the gradient to the framework."""
    best = {}
    for family in ("torch", "jax"):
        names = [name for name, step in steps.items() if step["family"] == family]
        by_itself = [name for name in names if "by hand" not in steps[name]["how"]]
        for key, group in ((family, names), (f"{family} autograd", by_itself)):
            if group:
                best[key] = min(group, key=lambda name: steps[name]["ms"]["median"])
    return best


def describe(entry: Entry, ours: Entry, gflop: float) -> dict[str, Any]:
    ratios = [ms / mine for ms, mine in zip(entry.wall, ours.wall, strict=True)]
    wall = Spread.of(entry.wall)
    return {
        "family": entry.step.family,
        "how": entry.step.how,
        "ms": wall.record(),
        "ms_rounds": [rounded(ms) for ms in entry.wall],
        "cpu_ms": Spread.of(entry.cpu).record(),
        "gflops": rounded(gflop / (wall.median / 1e3)),
        "times_ours": Spread.of(ratios).record(),
        "cpu_times_ours": rounded(Spread.of(entry.cpu).median / Spread.of(ours.cpu).median),
        "relative_errors": entry.check,
        "first_call_seconds": rounded(entry.first_seconds),
    }


def report(record: dict[str, Any]) -> None:
    header = ["", "ms/step", "min", "max", "cpu ms", "GFLOP/s", "x ours", "(min - max)", "error"]
    rows = []
    for name, step in sorted(record["steps"].items(), key=lambda item: item[1]["ms"]["median"]):
        ms, ratio = step["ms"], step["times_ours"]
        spread = f"({ratio['min']:.1f} - {ratio['max']:.1f})"
        rows.append([
            name, *fixed(ms, 2), f"{step['cpu_ms']['median']:.1f}", f"{step['gflops']:.1f}",
            f"{ratio['median']:.1f}", spread, f"{max(step['relative_errors'].values()):.0e}",
        ])  # fmt: skip
    print(table(header, rows))
    for name, reason in {**record["absent"], **record["failed"]}.items():
        print(f"{name}: {reason}")
    top, part = record["ceiling_gflops"], record["fraction_of_ceiling"]
    print(f"\nceiling {top['median']:.0f} GFLOP/s ({top['min']:.0f} - {top['max']:.0f})", end="")
    print(f" with {record['threads']} threads;", end="")
    print(f" ours {part['median']:.1%} of it ({part['min']:.1%} - {part['max']:.1%})")
    for key, goal in record["goals"].items():
        against = f" ({record['best'][key]})" if key in record["best"] else ""
        print(f"goal {key}: {goal['goal']:g}, measured {goal['measured']:.3g}{against}")


if __name__ == "__main__":
    sys.exit(main())
