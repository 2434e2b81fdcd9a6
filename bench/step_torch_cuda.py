"""One form of the step in PyTorch on a GPU: made, checked, and timed when told to. torch_race.py starts these.

    python bench/step_torch_cuda.py FORM --scale full --answer FILE [--device cuda] [--tf32] [--warm]

FORM is a form of step_torch.py and how it is compiled, "blocked, compiled"; ``FORMS`` lists them. Each is timed as it
is and, where that can be done, as a CUDA graph of the whole step: loss, gradient, Adam and clip. The first line on
standard output is JSON and says what came of making and checking it; after a line on standard input, the second
one holds the times. ``--warm`` compiles into the caches of PyTorch and Triton and stops there.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import torch
from bench_cascade import TOLERANCES, check
from common import Spread, rounded
from cuda_sections import SCALES, picture
from numpy.typing import NDArray
from problem import Answer, Problem
from step_torch import Manual, TorchStep, ValueAndGradient, autograd, losses
from torch_race import load_answer

Tensor = torch.Tensor

ROUNDS, TURN = 9, 0.05
MODES = {
    "compiled": None,
    "autotuned": "max-autotune-no-cudagraphs",
    "reduce-overhead": "reduce-overhead",
}


def main() -> int:
    options = parse()
    channel = own_stdout()
    precision(options.tf32)
    problem = picture(SCALES[options.scale].size)
    begin = time.perf_counter()
    step = made(options.form, problem, options.device)
    if options.warm:
        step.gradient()
        return 0
    variants, said = prepared(step, problem, load_answer(options.answer), options.device)
    say(channel, {"variants": said, "prepare_seconds": rounded(time.perf_counter() - begin)})
    if not sys.stdin.readline():
        return 0  # nobody waits for the times any more
    say(channel, {name: attempt(lambda v=variant: times(v, options.device)) for name, variant in variants.items()})
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="One form of the step in PyTorch on a GPU.")
    parser.add_argument("form")
    parser.add_argument("--scale", choices=SCALES, default="full")
    parser.add_argument("--answer", type=Path, help="what torch_race.save_answer() wrote")
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--tf32", action="store_true", help="matrix products may round their factors to 10 bits")
    parser.add_argument("--warm", action="store_true", help="compile into the caches, nothing else")
    return parser.parse_args()


def own_stdout() -> TextIO:
    """Standard output for us alone; what libraries print goes to standard error."""
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return channel


def say(channel: TextIO, record: dict[str, Any]) -> None:
    print(json.dumps(record), file=channel, flush=True)


def precision(tf32: bool) -> None:
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.set_float32_matmul_precision("high" if tf32 else "highest")


# -- the forms ------------------------------------------------------------------------------------------


def made(form: str, problem: Problem, device: str) -> TorchStep:
    """``form`` is "NAME", "NAME, MODE", and for those by hand "manual BLOCK[xPIXELS]"."""
    name, _, mode = form.partition(", ")
    f = value_and_gradient(name, mode, problem, device)
    kind = Marked if mode == "reduce-overhead" else TorchStep
    return kind(form, mode or "eager", problem, f, device)


def value_and_gradient(name: str, mode: str, problem: Problem, device: str) -> ValueAndGradient:
    def compiled(f: Callable[..., Any]) -> Callable[..., Any]:
        return torch.compile(f, mode=MODES[mode], dynamic=False) if mode else f

    if not name.startswith("manual"):
        return autograd(compiled(losses(problem, device)[name]))
    block, _, pixels = name.removeprefix("manual ").partition("x")
    by_hand = Manual(problem, int(block), int(pixels or problem.pixels), device)
    return compiled(lambda u: by_hand(u))


class Marked(TorchStep):
    """For a compiler that replays graphs of its own: it wants to know where a step begins."""

    def once(self) -> Tensor:
        torch.compiler.cudagraph_mark_step_begin()
        return super().once()


class Captured:
    """A step as one CUDA graph, on tensors that stay where they are."""

    def __init__(self, step: TorchStep) -> None:
        self.step = step
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            step.launch(3)  # whatever is allocated, compiled or chosen at first use
        torch.cuda.current_stream().wait_stream(side)
        torch.cuda.synchronize()
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.loss = step.once()
        self.reset()

    def reset(self) -> None:
        """In place: the graph knows the addresses, not the objects."""
        with torch.no_grad():
            self.step.u.copy_(torch.from_numpy(self.step.problem.u))
            for moment in self.step.adam.state[self.step.u].values():
                moment.zero_()
        torch.cuda.synchronize()

    def gradient(self) -> tuple[float, NDArray[np.float32]]:
        self.reset()
        self.run(1)
        assert self.step.u.grad is not None
        found = float(self.loss), self.step.u.grad.cpu().numpy().copy()
        self.reset()
        return found

    def launch(self, steps: int) -> None:
        for _ in range(steps):
            self.graph.replay()

    def run(self, steps: int) -> None:
        self.launch(steps)
        torch.cuda.synchronize()

    def levels(self) -> NDArray[np.float32]:
        return self.step.levels()


# -- checks ------------------------------------------------------------------------------------------


def prepared(
    step: TorchStep, problem: Problem, right: Answer, device: str
) -> tuple[dict[str, TorchStep | Captured], dict[str, Any]]:
    """What can be timed, and what is to be said of each: its errors, or why it is left out."""
    makers: dict[str, Callable[[], TorchStep | Captured]] = {"plain": lambda: step}
    if device == "cuda" and not isinstance(step, Marked):
        makers["graph"] = lambda: Captured(step)
    variants: dict[str, TorchStep | Captured] = {}
    said: dict[str, Any] = {}
    for name, make in makers.items():

        def checked(name: str = name, make: Callable[[], TorchStep | Captured] = make) -> dict[str, Any]:
            variant = make()
            found = check(variant, problem, right)
            variants[name] = variant
            return {"errors": found, "right": all(found[key] <= limit for key, limit in TOLERANCES.items())}

        said[name] = attempt(checked)
    return variants, said


def attempt(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What ``work`` returns, or the reason why it failed: a compiler that gives up is a result."""
    try:
        return work()
    except Exception as error:
        lines = str(error).strip().splitlines() or [""]
        return {"failed": f"{type(error).__name__}: {lines[0]}"[:300]}


# -- times ------------------------------------------------------------------------------------------


def times(step: TorchStep | Captured, device: str) -> dict[str, Any]:
    """Microseconds per step, by the GPU's clock."""
    step.run(3)
    begin = time.perf_counter()
    step.run(3)
    one = (time.perf_counter() - begin) / 3
    count = max(3, min(5000, round(TURN / one)))
    step.run(count)
    return {"us": Spread.of([turn(step, count, device) for _ in range(ROUNDS)]).record(), "steps": count}


def turn(step: TorchStep | Captured, count: int, device: str) -> float:
    if device == "cpu":
        begin = time.perf_counter()
        step.run(count)
        return 1e6 * (time.perf_counter() - begin) / count
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    step.launch(count)
    end.record()
    end.synchronize()
    return 1e3 * start.elapsed_time(end) / count


if __name__ == "__main__":
    sys.exit(main())
