"""How many bytes each coder needs for the levels of a network, against their entropy, and how long it takes.

    python bench/bench_codec.py [picture.cppn ...]

Prints a table and writes bench/results/codec.json. Synthetic levels are those of 53 neurons (K = 1537),
fixed seed; .cppn files given on the command line are added as rows. Columns, all in bytes:

    source   -log2 of the probabilities the levels were drawn with, scales known: the least on average
    entropy  of the histogram of the levels, the histogram itself not counted
    others   a whole file: header, payload, checksum
"""

from __future__ import annotations

import json
import math
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from cppn_native import _core

NEURONS = 53
ROOT = Path(__file__).resolve().parents[1]
REPEATS = 9

Array = np.ndarray[Any, np.dtype[Any]]


def columns(neurons: int) -> Array:
    return np.concatenate([np.arange(3 + n) for n in range(neurons)])


def rows(neurons: int) -> Array:
    return np.concatenate([np.full(3 + n, n) for n in range(neurons)])


def normal_cdf(x: Array) -> Array:
    return np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in x])


def laplace_cdf(x: Array) -> Array:
    tail: Array = 0.5 * np.exp(-abs(x))
    return np.where(x < 0, tail, 1 - tail)


def source_bytes(levels: Array, scale: Array, cdf: Callable[[Array], Array]) -> float:
    low, high = -(abs(levels) + 0.5) / scale, -(abs(levels) - 0.5) / scale  # the lower tail: no cancellation
    return float(-np.log2(cdf(high) - cdf(low)).sum() / 8)


def cases() -> dict[str, tuple[Array, float]]:
    """Name -> (levels, source entropy in bytes)."""
    rng = np.random.default_rng(0)
    column, row = columns(NEURONS), rows(NEURONS)
    ones = np.ones(column.size)
    by_column = np.exp(rng.normal(0, 0.5, NEURONS + 3))[column]
    by_row = np.exp(rng.normal(0, 0.5, NEURONS))[row]
    made = {}
    for name, scale, draw, cdf in [
        ("normal, sigma 9.6", 9.6 * ones, rng.normal, normal_cdf),
        ("Laplace, sigma 9.6", 9.6 / math.sqrt(2) * ones, rng.laplace, laplace_cdf),
        ("normal, a scale per column", 9.6 * by_column, rng.normal, normal_cdf),
        ("Laplace, a scale per column", 9.6 / math.sqrt(2) * by_column, rng.laplace, laplace_cdf),
        ("normal, a scale per column and row", 9.6 * by_column * by_row, rng.normal, normal_cdf),
    ]:
        levels = np.rint(draw(0, scale)).astype(np.int32)
        made[name] = levels, source_bytes(levels, scale, cdf)
    uniform = rng.integers(-31, 32, column.size).astype(np.int32)
    made["uniform, -31..31"] = uniform, uniform.size * math.log2(63) / 8
    return made


def record_of(levels: Array) -> _core.CascadeRecord:
    r = _core.CascadeRecord()
    r.width, r.height, r.neurons, r.channels, r.coords = 386, 320, NEURONS, 3, 1
    r.activations = [1] * (NEURONS - 3) + [0] * 3
    r.steps = [_core.step_grid(100)] * 3
    r.levels = levels
    return r


def entropy_bytes(levels: Array) -> float:
    _, count = np.unique(levels, return_counts=True)
    return float(-(count * np.log2(count / levels.size)).sum() / 8)


def milliseconds(work: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def measure(record: _core.CascadeRecord, source: float | None) -> dict[str, Any]:
    result: dict[str, Any] = {"weights": len(record.levels), "source": source}
    result["entropy"] = entropy_bytes(record.levels)
    for number, name in enumerate(_core.CODERS):
        file = _core.encode(record, number)
        assert _core.decode(file) == record, name
        result[name] = {
            "file_bytes": len(file),
            "header_bytes": _core.decode_info(file)["header_bytes"],
            "encode_ms": milliseconds(partial(_core.encode, record, number)),
            "decode_ms": milliseconds(partial(_core.decode, file)),
        }
    return result


def machine() -> dict[str, Any]:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")
    except OSError:
        cpu = platform.processor()
    git = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    return {"cpu": cpu, "system": platform.system(), "threads": 1, "commit": git.stdout.strip(), **versions}


def main(paths: list[str]) -> None:
    table = {name: measure(record_of(levels), source) for name, (levels, source) in cases().items()}
    for path in paths:
        table[Path(path).name] = measure(_core.decode(Path(path).read_bytes()), None)
    print(f"{'levels':36}{'source':>8}{'entropy':>8}" + "".join(f"{name:>13}" for name in _core.CODERS))
    for name, row in table.items():
        source = f"{row['source']:8.0f}" if row["source"] is not None else f"{'':8}"
        sizes = "".join(f"{row[coder]['file_bytes']:13}" for coder in _core.CODERS)
        print(f"{name:36}{source}{row['entropy']:8.0f}{sizes}")
    for coder in _core.CODERS:
        for verb in ("encode", "decode"):
            times = [row[coder][f"{verb}_ms"] for row in table.values()]
            print(f"{verb} {coder}: {statistics.median(times):.2f} ms, {max(times):.2f} ms the slowest row")
    out = ROOT / "bench/results/codec.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    report = {"machine": machine(), "repeats": REPEATS, "unit": "bytes of a file", "rows": table}
    out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
