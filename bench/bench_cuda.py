"""The CUDA backend: steps, many pictures, long runs, rendering, scaling; right answers; and PyTorch on the same GPU.

    python bench/bench_cuda.py [--quick] [--only check,step,...] [--seconds 400]

Every section of cuda_sections.py runs in a process of its own, with a time limit, and hands over its rows as it goes:
a crash, a hang or the end of the time costs one section, not the others. Sections come in the order of their
worth. ``--device cpu --tiny`` takes the CPU for the GPU, in a few seconds: it shows that the benchmark works.
Exits 1 if an answer is wrong or a section failed, 3 if there is no GPU that the library can use.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import cuda_report
from common import RESULTS, ROOT, load_average, machine
from cppn_native import _core
from cuda_sections import SCALES, SECTIONS, Bench
from gpu_record import finite, read_json, write_json

NO_GPU = 3
LIMITS = {"check": 60, "step": 50, "many": 60, "torch": 200, "long": 40, "scaling": 60, "render": 30}
KEPT, KEPT_QUICK = 70, 15  # seconds that the torch section leaves to those after it
LEAST = 5  # seconds below which a section is not begun


def main() -> int:
    options = parse()
    if options.section:
        return run_section(options)
    name = device_name(options.device)
    if name is None:
        return NO_GPU
    signal.signal(signal.SIGTERM, interrupted)
    target = target_of(options, name)
    record = measure(options, name, target)
    print("\n".join(["", *cuda_report.lines(record)]))
    met = sum(goal["met"] is True for goal in record["goals"])
    print(f"\n{met} of {len(record['goals'])} goals met{f'; written to {target.name}' if target else ''}")
    failed = any(section["status"] != "done" for section in record["sections"].values())
    return 1 if failed or wrong(record["goals"]) else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The CUDA backend, measured and compared.")
    parser.add_argument("--quick", action="store_true", help="few settings, short: does it work?")
    parser.add_argument("--only", type=names_of, default=tuple(SECTIONS), help=f"of {','.join(SECTIONS)}")
    parser.add_argument("--seconds", type=float, default=400.0, help="for everything (default 400)")
    parser.add_argument("--json", type=Path, help="the results file; default bench/results/GPU.json for a full run")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="cpu: stands in for a GPU")
    parser.add_argument("--tiny", action="store_true", help="pictures of some hundred pixels")
    parser.add_argument("--section", choices=SECTIONS, help=argparse.SUPPRESS)  # of the processes it starts
    return parser.parse_args()


def names_of(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if unknown := set(names) - set(SECTIONS):
        raise argparse.ArgumentTypeError(f"must be among {', '.join(SECTIONS)}; got {', '.join(sorted(unknown))}")
    return tuple(name for name in SECTIONS if name in names)


def device_name(device: str) -> str | None:
    if device == "cpu":
        return "cpu"
    gpu = _core.cuda_devices()[0]
    if gpu.why:
        print(f"bench_cuda: no GPU to measure: {gpu.why}", file=sys.stderr)
        return None
    return gpu.name


def target_of(options: argparse.Namespace, name: str) -> Path | None:
    """The results file: only a whole run replaces the committed one."""
    if options.json is not None:
        return Path(options.json)
    whole = not (options.quick or options.tiny) and options.device == "cuda" and options.only == tuple(SECTIONS)
    return RESULTS / f"{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}.json" if whole else None


def wrong(goals: Sequence[dict[str, Any]]) -> bool:
    """Whether an answer is wrong; being slow is no failure of the benchmark."""
    return any(goal["met"] is False for goal in goals if goal["goal"] == "yes" or "error" in goal["what"])


# -- one section after the other ------------------------------------------------------------------------------------


def measure(options: argparse.Namespace, name: str, target: Path | None) -> dict[str, Any]:
    begin = time.monotonic()
    record: dict[str, Any] = {
        "benchmark": "cuda",
        "device": name,
        "quick": options.quick,
        "machine": machine("torch", "triton"),
        "sections": {},
    }
    with tempfile.TemporaryDirectory() as folder:
        for section in options.only:
            kept = (KEPT_QUICK if options.quick else KEPT) if section == "torch" else 0
            left = options.seconds - (time.monotonic() - begin) - kept
            limit = min(LIMITS[section], left)
            record["sections"][section] = run(options, section, limit, Path(folder) / f"{section}.json")
            record["goals"] = cuda_report.goals(record["sections"])
            record["machine"]["load_after"] = load_average()
            save(record, target)
    return record


def save(record: dict[str, Any], target: Path | None) -> None:
    """Into the results file, beside what gpu_check.sh may have written there."""
    if target is not None:
        write_json(target, (read_json(target) or {}) | {"benchmark": record})


def run(options: argparse.Namespace, section: str, limit: float, path: Path) -> dict[str, Any]:
    if limit < LEAST:
        return {"status": "skipped", "error": "no time left", "seconds": 0.0}
    print(f"{section} (at most {limit:.0f} s) ...", end="", flush=True)
    command = [sys.executable, __file__, "--section", section, "--json", str(path), "--device", options.device,
               "--seconds", f"{limit - 2:.1f}"]  # fmt: skip
    command += ["--quick"] * options.quick + ["--tiny"] * options.tiny
    begin = time.monotonic()
    status, said = supervised(command, limit)
    seconds = round(time.monotonic() - begin, 1)
    found = read_json(path) or {}
    done: dict[str, Any] = {"status": "done", "seconds": seconds, "data": found}
    if status != 0:
        done |= {"status": "timed out" if status is None else "failed", "error": said}
    print(f" {done['status']} in {seconds} s {done.get('error', '')}", flush=True)
    return done


running: subprocess.Popen[bytes] | None = None


def supervised(command: Sequence[str], limit: float) -> tuple[int | None, str]:
    """(exit status, None if the time ran out; last line of standard error) of a process and all that it starts."""
    global running
    with tempfile.TemporaryFile() as errors:
        running = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=errors, start_new_session=True)
        try:
            status: int | None = running.wait(limit)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            kill_running()
        errors.seek(0)
        text = errors.read().decode(errors="replace")
    if status:
        print(f"\n{text[-3000:]}", file=sys.stderr, flush=True)
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return status, lines[-1][:300] if status and lines else "" if status == 0 else f"status {status}"


def kill_running() -> None:
    """A section with all its children, whether or not it has ended by itself."""
    if running is not None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def interrupted(number: int, frame: FrameType | None) -> None:
    kill_running()
    sys.exit(128 + number)


# -- in the process of a section ------------------------------------------------------------------------------------


def run_section(options: argparse.Namespace) -> int:
    cpu = _core.Cpu("", 2 if options.tiny else _core.hardware_threads())
    backend = cpu if options.device == "cpu" else _core.open_cuda(0)
    scale = SCALES["tiny" if options.tiny else "quick" if options.quick else "full"]

    def keep(data: dict[str, Any]) -> None:
        json.dumps(data)  # a row that is no JSON fails here, in its own section
        write_json(options.json, finite(data))

    bench = Bench(backend, cpu, scale, keep, options.device, options.seconds, options.quick)
    SECTIONS[options.section](bench)
    return 0


if __name__ == "__main__":
    os.environ.setdefault("CPPN_BENCH_WORK", str(ROOT / "build" / "gpu"))
    sys.exit(main())
