"""Random pictures: ours against the same network in NumPy float64, and an 8K poster with the memory it takes.

    python bench/bench_paint.py [--quick] [--rounds 5]

NumPy computes the picture of Neural Painter as the package's float64 way does, tile by tile on all cores of its BLAS;
ours is ``Painter.render``, thread start, scaling and bytes included. They take turns. Every nonlinearity is timed, and
the README's command of the original, whose layers are drawn.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cppn_native as cn
import numpy as np
from common import Spread, ceiling, fixed, load_average, machine, results_folder, table, write_result
from cppn_native import _core
from cppn_native.art.nonlinearities import TABLE

GOAL = 10.0
POSTER = (7680, 4320)
WILD = {"nonlin": "random_every_time", "nr_channel": 3, "coord_bias": True, "hidden_size": 100, "nr_hidden": 4}
CASES = {"the README's": {**WILD, "seed": 42}} | {
    name: {**WILD, "nonlin": name, "batch_norm": True, "batch_norm_position": "after_nonlin"} for name in TABLE
}
"""Normalized where all layers are alike: squares of squares would leave the range of any float."""


def main() -> int:
    options = parse()
    if options.poster:
        print(json.dumps(poster(POSTER if not options.quick else (960, 540))))
        return 0
    side, cases = (200, list(CASES)[:4]) if options.quick else (800, list(CASES))
    record: dict[str, Any] = {"benchmark": "paint", "machine": machine(), "side": side, "goal": GOAL}
    record["cases"] = {name: race(CASES[name], side, options.rounds) for name in cases}
    record["poster"] = in_a_fresh_process(options.quick)
    record["peak_gflops"] = ceiling(_core.Cpu(_core.isas()[0], _core.hardware_threads()), 0.3)
    record["machine"]["load_after"] = load_average()
    report(record)
    folder = results_folder(options.out, options.quick)
    if folder is not None:
        print(f"\nwritten to {write_result('paint', record, folder)}")
    return 0


def race(arguments: dict[str, Any], side: int, rounds: int) -> dict[str, Any]:
    painter = cn.Painter((side, side), **arguments)
    ours, theirs, same = [], [], 0.0
    for _ in range(rounds):
        begin = time.perf_counter()
        picture = painter.render()
        middle = time.perf_counter()
        exact = painter.render(orientation="compat")
        ours.append(1e3 * (middle - begin))
        theirs.append(1e3 * (time.perf_counter() - middle))
        same = float((np.abs(picture.transpose(1, 0, 2).astype(int) - exact) <= 1).mean())
    products = sum(layer.weights.size for layer in painter.layers())
    return {
        "ours_ms": Spread.of(ours).record(),
        "numpy_ms": Spread.of(theirs).record(),
        "ratio": Spread.of([b / a for a, b in zip(ours, theirs, strict=True)]).record(),
        "gflops": 2e-6 * products * side * side / Spread.of(ours).median,
        "bytes_within_1": same,
    }


def poster(size: tuple[int, int]) -> dict[str, Any]:
    painter = cn.Painter(size, **WILD, seed=42)
    painter.render((64, 64))
    before, begin = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    picture = painter.render()
    seconds = time.perf_counter() - begin
    more = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    return {"size": list(size), "seconds": seconds, "picture_mb": picture.nbytes / 1e6, "peak_more_mb": more / 1e6}


def in_a_fresh_process(quick: bool) -> dict[str, Any]:
    command = [sys.executable, __file__, "--poster", *(["--quick"] if quick else [])]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def report(record: dict[str, Any]) -> None:
    rows: list[Sequence[str]] = []
    for name, case in record["cases"].items():
        cells = [*fixed(case["ours_ms"], 1), f"{case['numpy_ms']['median']:.0f}", *fixed(case["ratio"], 1)]
        rows.append([name, *cells, f"{case['gflops']:.0f}", f"{100 * case['bytes_within_1']:.2f}"])
    header = ["", "ours ms", "min", "max", "numpy ms", "ratio", "min", "max", "GFLOP/s", "bytes within 1, %"]
    print(table(header, rows))
    print(f"\nmultiply-adds from registers reach {record['peak_gflops']:.0f} GFLOP/s; goal: a ratio of {GOAL:.0f}")
    p = record["poster"]
    print(
        f"{p['size'][0]} x {p['size'][1]}: {p['seconds']:.1f} s, {p['peak_more_mb']:.0f} MB more than before, of which"
        f" the picture is {p['picture_mb']:.0f}"
    )


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="a minute, to see that it works; writes nothing")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, help="folder for the results")
    parser.add_argument("--poster", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
