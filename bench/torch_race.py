"""All forms of the step in PyTorch on one GPU, against ours: made side by side, timed one at a time.

    python bench/torch_race.py --warm SECONDS [--scale full]     compiles into the caches for a later run

Compiling one form may take minutes, or never end. So each form has a process of its own (step_torch_cuda.py); all are
made at once, on as many cores as there are, until a common deadline. Then the GPU belongs to one after the other,
with a turn of ours in between.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any

import numpy as np
from common import ROOT, installed, rounded
from problem import Answer, Problem, answer

if TYPE_CHECKING:
    from cuda_sections import Bench

EAGER = ("manual 15", "manual 9", "blocked", "channels", "rows", "concat", "manual 9x16384")
COMPILED = (
    "blocked, compiled", "channels, compiled", "manual 15, compiled", "rows, compiled", "concat, compiled",
    "manual 9, compiled", "blocked, autotuned", "channels, autotuned", "blocked, reduce-overhead",
)  # fmt: skip
FORMS = {"full": (*COMPILED, *EAGER), "quick": ("manual 15", "blocked"), "tiny": ("manual 5", "blocked", "nonsense")}
CHECK_STEPS = 3
PREPARE = 0.7  # of the section's time is for the compilers
TIMING = 25.0  # seconds for the times of one form, at most


class Child:
    """A process that answers in lines of JSON; one that is late is killed."""

    def __init__(self, form: str, folder: Path, *arguments: str) -> None:
        self.form = form
        self.log = folder / f"{form.replace(', ', '-').replace(' ', '-')}.log"
        command = [sys.executable, str(ROOT / "bench" / "step_torch_cuda.py"), form, *arguments]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, env=environment(folder)
            )

    def answer(self, limit: float) -> dict[str, Any]:
        """The next line, or {"failed": why}."""
        assert self.process.stdout is not None
        late = Timer(max(limit, 0.1), self.process.kill)
        late.start()
        line = self.process.stdout.readline()
        timed_out = not late.is_alive()
        late.cancel()
        if line:
            return dict(json.loads(line))
        status = self.process.wait()
        if timed_out:
            return {"failed": f"timed out after {max(limit, 0):.0f} s"}
        said = self.log.read_text(errors="replace").strip().splitlines() or [f"ended with status {status}"]
        return {"failed": said[-1][:300]}

    def go(self) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write("go\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it died waiting; answer() will say so

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


def environment(folder: Path) -> dict[str, str]:
    """Caches that outlive a process, and not all cores for each of many compilers."""
    here = {
        "TORCHINDUCTOR_CACHE_DIR": str(folder.resolve() / "inductor"),
        "TRITON_CACHE_DIR": str(folder.resolve() / "triton"),
        "TORCHINDUCTOR_COMPILE_THREADS": "4",
        "OMP_NUM_THREADS": "2",
    }
    return {**here, **os.environ}


def race(bench: Bench, problem: Problem, ours: Callable[[], float], folder: Path) -> None:
    """Adds rows "forms" and "failed" to the bench, and the fastest form that answers rightly."""
    bench.put(torch=installed("torch"), triton=installed("triton"))
    if find_spec("torch") is None:
        bench.put(absent="torch is not installed")
        return
    folder.mkdir(parents=True, exist_ok=True)
    save_answer(answer(problem, CHECK_STEPS), folder / "answer.npz")
    scale = "tiny" if bench.device == "cpu" else "quick" if bench.quick else "full"
    common = ("--scale", scale, "--device", bench.device, "--answer", str(folder / "answer.npz"))
    deadline = time.monotonic() + bench.seconds
    ready = prepare(bench, FORMS[scale], folder, common, PREPARE * bench.seconds)
    try:
        take_turns(bench, ready, ours, deadline)
    finally:
        for child, _ in ready:
            child.end()
    judge(bench)
    with_tf32(bench, folder, common, deadline)


def save_answer(right: Answer, path: Path) -> None:
    np.savez(path, loss=right.loss, gradient=right.gradient, steps=right.steps, loss_after=right.loss_after)


def load_answer(path: Path) -> Answer:
    with np.load(path) as saved:
        return Answer(float(saved["loss"]), saved["gradient"], int(saved["steps"]), float(saved["loss_after"]))


def prepare(
    bench: Bench, forms: Sequence[str], folder: Path, common: Sequence[str], limit: float
) -> list[tuple[Child, dict[str, Any]]]:
    """The forms that are ready to be timed, each with what it said of itself."""
    deadline = time.monotonic() + limit

    def begin(form: str) -> tuple[Child, dict[str, Any]]:
        child = Child(form, folder, *common)
        return child, child.answer(deadline - time.monotonic())

    with ThreadPoolExecutor(min(len(forms), max(2, os.cpu_count() or 2))) as pool:
        begun = list(pool.map(begin, forms))
    ready = []
    for child, said in begun:
        if "failed" in said:
            bench.add("failed", {"form": child.form, "why": said["failed"]})
            child.end()
        else:
            ready.append((child, said))
    return ready


def take_turns(
    bench: Bench, ready: Sequence[tuple[Child, dict[str, Any]]], ours: Callable[[], float], deadline: float
) -> None:
    before = ours()
    for child, said in ready:
        left = deadline - time.monotonic()
        if left < 1:
            bench.add("failed", {"form": child.form, "why": "no time left to measure it"})
            continue
        child.go()
        found = child.answer(min(TIMING, left))
        child.end()
        after = ours()
        add_variants(bench, child.form, said, found, (before + after) / 2)
        before = after


def add_variants(bench: Bench, form: str, said: dict[str, Any], found: dict[str, Any], mine: float) -> None:
    for variant, checked in said["variants"].items():
        measured = found.get(variant, found)
        why = checked.get("failed") or measured.get("failed")
        if why:
            bench.add("failed", {"form": f"{form}, {variant}", "why": why})
            continue
        bench.add("forms", {
            "form": form, "variant": variant, **checked, **measured, "ours_us": rounded(mine),
            "times_ours": rounded(measured["us"]["median"] / mine), "prepare_seconds": said["prepare_seconds"],
        })  # fmt: skip


def judge(bench: Bench) -> None:
    right = [row for row in bench.data.get("forms", []) if row["right"]]
    if right:
        best = min(right, key=lambda row: row["us"]["median"])
        bench.put(fastest={key: best[key] for key in ("form", "variant", "us", "ours_us", "times_ours", "errors")})


def with_tf32(bench: Bench, folder: Path, common: Sequence[str], deadline: float) -> None:
    """The fastest form again with factors rounded to 10 bits: for orientation, it solves another problem."""
    left = deadline - time.monotonic()
    if "fastest" not in bench.data or left < 10:
        return
    child = Child(bench.data["fastest"]["form"], folder, *common, "--tf32")
    try:
        said = child.answer(left - 5)
        if "failed" not in said:
            child.go()
            said = {"variants": said["variants"], "times": child.answer(max(5.0, deadline - time.monotonic()))}
        bench.put(tf32={"form": child.form, **said})
    finally:
        child.end()


# -- ahead of time ------------------------------------------------------------------------------------------


def main() -> int:
    parser = argparse.ArgumentParser(description="Compiles PyTorch's forms of the step into the caches.")
    parser.add_argument("--warm", type=float, required=True, metavar="SECONDS", help="at most")
    parser.add_argument("--scale", choices=FORMS, default="full")
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    if find_spec("torch") is None:
        print("torch is not installed")
        return 0
    options.folder.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + options.warm

    def warm(form: str) -> str:
        child = Child(form, options.folder, "--warm", "--scale", options.scale, "--device", options.device)
        begin = time.monotonic()
        said = child.answer(deadline - begin)
        status = child.process.poll()
        child.end()
        return f"{form}: {'compiled' if status == 0 else said['failed']} ({time.monotonic() - begin:.0f} s)"

    with ThreadPoolExecutor(max(2, (os.cpu_count() or 2) - 2)) as pool:
        for line in pool.map(warm, [form for form in FORMS[options.scale] if "," in form]):
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
