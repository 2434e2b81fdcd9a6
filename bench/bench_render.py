"""Rendering: how long, how close to the ceiling, the same bytes everywhere; and the memory of a fit in 4K.

    python bench/bench_render.py [--quick] [--rounds 15]

The model has 53 neurons, 50 of them sines, and random weights. Two things are timed: "native", the
kernels on an open backend, floats out; and "public", ``model.render(size)``, which opens a backend,
starts its threads and makes bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cppn_native as cn
import numpy as np
from common import (
    Spread,
    ceiling,
    estimate,
    fixed,
    load_average,
    machine,
    results_folder,
    rounded,
    table,
    turn,
    write_result,
)
from cppn_native import _core
from cppn_native.coords import axes

SEED_SIZE, FOUR_K = (386, 320), (3840, 2160)
SIZES = ((64, 64), (128, 128), (256, 256), SEED_SIZE, (640, 480), (1280, 720), (1920, 1080), FOUR_K)
GOALS_MS = {SEED_SIZE: 10.0, FOUR_K: 300.0}
GOAL_GIB = 1.0
TOLERANCE = 1e-3
"""Of an activation in [0, 1], against float64: float32 rounds the arguments of sines, some tens."""


def main() -> int:
    options = parse()
    if options.fit_memory:
        print(json.dumps(fit_memory(FOUR_K if not options.quick else (960, 540))))
        return 0
    facts = machine()
    model = random_model()
    bits = bit_exactness(model, SIZES[:4] if options.quick else (*SIZES[:4], SIZES[-1]))
    rows = [Row(model, size, options.threads) for size in (SIZES[:5] if options.quick else SIZES)]
    take_turns(rows, options.rounds, options.seconds)
    record = {
        "benchmark": "render",
        "machine": facts | {"load_after": load_average()},
        "threads": options.threads,
        "isa": rows[0].backend.name.split("/")[-1],
        "model": {"neurons": model.config.neurons, "weights": model.n_params, "activation": "sine"},
        "error_against_float64": float64_error(model),
        "bit_exactness": bits,
        "sizes": [row.record() for row in rows],
        "fit_memory": memory_of_a_fit(options.quick),
    }
    report(record)
    folder = results_folder(options.out, options.quick)
    if folder is not None:
        print(f"\nwritten to {write_result('render', record, folder).name}")
    return 0 if bits["equal"] and record["error_against_float64"] <= TOLERANCE else 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time, rate and bytes of rendering; memory of a 4K fit.")
    parser.add_argument("--quick", action="store_true", help="small sizes, two short rounds: does it work?")
    parser.add_argument("--rounds", type=int, help="turns of every size (default 15)")
    parser.add_argument("--seconds", type=float, help="length of a turn (default 0.2)")
    parser.add_argument("--threads", type=int, default=_core.hardware_threads(), help="default: all")
    parser.add_argument("--out", type=Path, help="folder for the results; default bench/results for a full run")
    parser.add_argument("--fit-memory", action="store_true", help=argparse.SUPPRESS)  # what the child process does
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else 15)
    options.seconds = options.seconds or (0.02 if options.quick else 0.2)
    return options


def random_model() -> cn.Cascade:
    config = cn.CascadeConfig()  # 53 neurons, sine
    levels = np.random.default_rng(0).integers(-12, 13, config.weights, dtype=np.int32)
    return cn.Cascade(config, SEED_SIZE, levels)


# -- the answer ------------------------------------------------------------------------------------------


def float64_error(model: cn.Cascade) -> float:
    """The largest difference of an output from NumPy float64, over the seed's picture."""
    x, y = (axis.astype(np.float64) for axis in axes(model.config.coords, model.size, model.size))
    grid_x, grid_y = np.meshgrid(x, y)
    a = [np.ones_like(grid_x), grid_x, grid_y]
    w, at = model.weights.astype(np.float64), 0
    for name in model.config.activation_names:
        z = sum(weight * node for weight, node in zip(w[at : at + len(a)], a, strict=True))
        at += len(a)
        a.append(0.5 + 0.5 * np.sin(z) if name == "sine" else 1 / (1 + np.exp(-z)))
    want = np.stack(a[-model.config.channels :], axis=2)
    return rounded(float(np.abs(model.render_float() - want).max()), 2)


def bit_exactness(model: cn.Cascade, sizes: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """sha256 of the float32 outputs over every instruction set and several numbers of threads."""
    digests: dict[str, str] = {}
    equal = True
    runs = [(isa, threads) for isa in _core.isas() for threads in sorted({1, 2, 3, _core.hardware_threads()})]
    for size in sizes:
        found = {sha256(model, size, _core.Cpu(isa, threads)) for isa, threads in runs}
        equal &= len(found) == 1
        digests[f"{size[0]} x {size[1]}"] = min(found)
    return {
        "equal": equal,
        "isa_and_threads": [f"{isa}/{threads}" for isa, threads in runs],
        "sha256": digests,
    }


def sha256(model: cn.Cascade, size: tuple[int, int], backend: _core.Cpu) -> str:
    x, y = axes(model.config.coords, model.size, size)
    return hashlib.sha256(backend.render(model.config.shape(), model.weights, x, y, True)).hexdigest()


# -- the times ------------------------------------------------------------------------------------------


@dataclass
class Row:
    """One size, with milliseconds of both ways and the ceiling, one each per round."""

    model: cn.Cascade
    size: tuple[int, int]
    threads: int
    native: list[float] = field(default_factory=list)
    public: list[float] = field(default_factory=list)
    tops: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.backend = _core.Cpu(_core.isas()[0], self.threads)
        self.shape, self.weights = self.model.config.shape(), self.model.weights
        self.at = axes(self.model.config.coords, self.model.size, self.size)
        self.ones = (estimate(self.run_native), estimate(self.run_public))

    @property
    def pixels(self) -> int:
        return self.size[0] * self.size[1]

    @property
    def gflop(self) -> float:
        """Multiply-adds of the weights; the sines are not counted."""
        return 2 * self.model.n_params * self.pixels / 1e9

    def run_native(self, count: int) -> None:
        for _ in range(count):
            self.backend.render(self.shape, self.weights, *self.at, True)

    def run_public(self, count: int) -> None:
        for _ in range(count):
            self.model.render(self.size, threads=self.threads)

    def take_turn(self, seconds: float) -> None:
        before = ceiling(self.backend, seconds / 4)
        self.native.append(turn(self.run_native, seconds, self.ones[0])[0])
        self.tops.append(max(before, ceiling(self.backend, seconds / 4)))
        self.public.append(turn(self.run_public, seconds, self.ones[1])[0])

    def record(self) -> dict[str, Any]:
        native = Spread.of(self.native)
        rates = [self.gflop / (ms / 1e3) for ms in self.native]
        return {
            "width": self.size[0],
            "height": self.size[1],
            "pixels": self.pixels,
            "gflop_counted": rounded(self.gflop, 6),
            "native_ms": native.record(),
            "public_ms": Spread.of(self.public).record(),
            "native_ns_per_pixel": rounded(1e6 * native.median / self.pixels),
            "native_megapixels_per_second": rounded(self.pixels / native.median / 1e3),
            "gflops": rounded(Spread.of(rates).median),
            "ceiling_gflops": rounded(Spread.of(self.tops).median),
            "fraction_of_ceiling": Spread.of([r / t for r, t in zip(rates, self.tops, strict=True)]).record(),
            "goal_ms": GOALS_MS.get(self.size),
        }


def take_turns(rows: Sequence[Row], rounds: int, seconds: float) -> None:
    for number in range(rounds):
        print(f"\r  round {number + 1} of {rounds}", end="", file=sys.stderr, flush=True)
        for row in rows:
            row.take_turn(seconds)
    print("\r", end="", file=sys.stderr)


# -- the memory ------------------------------------------------------------------------------------------


def memory_of_a_fit(quick: bool) -> dict[str, Any]:
    """In a process of its own, for a peak never falls again."""
    command = [sys.executable, __file__, "--fit-memory", *(["--quick"] if quick else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def fit_memory(size: tuple[int, int]) -> dict[str, Any]:
    """Every stage of a fit at full resolution, each cut short: the memory does not depend on how often."""
    width, height = size
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    before = peak_mib()
    model = cn.train(image, steps=3, rounds=2, polish=2, fit_pixels=None, progress=False)
    return {
        "width": width,
        "height": height,
        "peak_mib": rounded(peak_mib()),
        "before_the_fit_mib": rounded(before),
        "picture_mib": rounded(image.nbytes / 2**20),
        "file_bytes": model.nbytes,
        "goal_mib": 1024 * GOAL_GIB,
    }


def peak_mib() -> float:
    """The most memory this process ever held, its interpreter and the picture included.

    Linux hands ``ru_maxrss`` down from the process that started this one, ``VmHWM`` it does not.
    """
    status = Path("/proc/self/status")
    if status.exists():
        peaks = [line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        if peaks:
            return int(peaks[0]) / 1024
    import resource

    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


# -- the report ------------------------------------------------------------------------------------------


def report(record: dict[str, Any]) -> None:
    header = [
        "",
        "native ms",
        "min",
        "max",
        "public ms",
        "ns/pixel",
        "Mpixel/s",
        "GFLOP/s",
        "ceiling",
        "of it",
        "goal",
    ]
    rows = []
    for row in record["sizes"]:
        ms = row["native_ms"]
        rows.append([
            f"{row['width']} x {row['height']}", *fixed(ms, 3),
            f"{row['public_ms']['median']:.3f}", f"{row['native_ns_per_pixel']:.1f}",
            f"{row['native_megapixels_per_second']:.0f}", f"{row['gflops']:.0f}",
            f"{row['ceiling_gflops']:.0f}", f"{row['fraction_of_ceiling']['median']:.0%}",
            "" if row["goal_ms"] is None else f"{row['goal_ms']:g} ms",
        ])  # fmt: skip
    print(table(header, rows))
    bits, memory = record["bit_exactness"], record["fit_memory"]
    verdict = "the same" if bits["equal"] else "NOT THE SAME"
    print(f"\n{verdict} floats with {', '.join(bits['isa_and_threads'])}")
    print(f"largest difference from float64: {record['error_against_float64']:g}")
    size = f"{memory['width']} x {memory['height']}"
    print(f"a fit of {size} in full peaks at {memory['peak_mib']:.0f} MiB", end="")
    print(f" ({memory['before_the_fit_mib']:.0f} MiB before it); goal {memory['goal_mib']:.0f} MiB")


if __name__ == "__main__":
    sys.exit(main())
