"""The atlas of random pictures, 120 networks of 7 x 7 convolutions: here and in PyTorch.

    python bench/bench_sophistication.py [--quick] [--rounds 15] [--threads N] [--isa NAME] [--out FOLDER]

All run the same networks on the same bits: seed 0, n = 16, one picture each. Every competitor is first held to a NumPy
float64 reference on a few of the networks; then all take turns. Multiply-adds are counted as the definition has them,
49 inputs filters for every pixel, those with the zeros outside included. The whole atlas (numbers drawn, convolutions,
colours, the page; then the PDF and the PNG) is timed as a user would call it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from common import (
    ROOT,
    Spread,
    ceiling,
    estimate,
    load_average,
    machine,
    relative_norm,
    results_folder,
    rounded,
    table,
    turn,
    write_result,
)
from cppn_native import _core, sophistication
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Network = tuple[Floats, list[tuple[Floats, bool]]]
"""Input (1, C, S, S), and layers (weights, whether pixels are doubled after it)."""

PARTS = 16
CHECKED = ((1, 15), (2, 2), (14, 1))
TOLERANCE = 5e-5
"""Of the sums of a network against float64, relative in the Euclidean norm. Twenty layers of float32 that take
differences of nearly equal sums reach 1e-5, ours and PyTorch's alike."""
GOAL_SECONDS = 60.0
FORMS = ("eager", "channels last")


def networks() -> dict[tuple[int, int], Network]:
    step = (sophistication.uncompressed() - 2) // PARTS
    found = {}
    for place in ((row, column) for row in range(1, PARTS) for column in range(1, PARTS - row + 1)):
        p = sophistication.params(place[0] * step, place[1] * step)
        bits = sophistication.random_bits(p).astype(np.float32).reshape(1, p.input_depth, p.side, p.side)
        weights = sophistication.random_model(p).weights
        found[place] = bits, [(w, layer.upsample) for w, layer in zip(weights, p.layers, strict=True)]
    return found


def gflop(network: Network) -> float:
    side, total = network[0].shape[2], 0
    for w, doubled in network[1]:
        total += 2 * w.size * side * side
        side *= 1 + doubled
    return total / 1e9


def ours(all_of_them: list[Network], cpu: _core.Cpu) -> Callable[[], list[Floats]]:
    return lambda: [_core.convolve(cpu, bits, layers) for bits, layers in all_of_them]


def in_torch(all_of_them: list[Network], threads: int, form: str) -> Callable[[], list[Floats]]:
    import torch
    from torch.nn import functional as F

    torch.set_num_threads(threads)
    memory = torch.channels_last if form == "channels last" else torch.contiguous_format

    def held(a: Floats) -> Any:
        return torch.from_numpy(a).contiguous(memory_format=memory)

    copies = [(held(bits), [(held(w), doubled) for w, doubled in layers]) for bits, layers in all_of_them]

    def run() -> list[Floats]:
        found = []
        with torch.inference_mode():
            for x, layers in copies:
                for w, doubled in layers:
                    x = F.relu_(F.conv2d(x, w, padding=3))
                    if doubled:
                        x = F.interpolate(x, scale_factor=2, mode="nearest")
                found.append(x.numpy())
        return found

    return run


def errors(run: Callable[[], list[Floats]], places: list[tuple[int, int]], right: dict[Any, Any]) -> float:
    found = dict(zip(places, run(), strict=True))
    return max(relative_norm(found[place], want) for place, want in right.items())


def main() -> int:
    options = parse()
    facts = machine("torch", "pillow")
    cells = networks()
    places, all_of_them = list(cells), list(cells.values())
    total = sum(map(gflop, all_of_them))
    print(f"{len(cells)} networks, {total:.2f} GFLOP")
    sys.path.insert(0, str(ROOT / "tests"))
    from reference import convolution

    right = {place: convolution.convolve(*cells[place]) for place in CHECKED}
    cpu = _core.Cpu(options.isa, options.threads)
    runs: dict[str, Callable[[], list[Floats]]] = {f"ours, {options.isa}": ours(all_of_them, cpu)}
    failed = {}
    for form in FORMS:
        try:
            runs[f"torch, {form}"] = in_torch(all_of_them, options.threads, form)
        except ImportError:
            failed[f"torch, {form}"] = "not installed"
    error = {name: errors(run, places, right) for name, run in runs.items()}
    if error[next(iter(runs))] > TOLERANCE:
        print(f"our own networks are wrong: {error}", file=sys.stderr)
        return 1
    failed |= {name: f"wrong answer: {error[name]:.1e}" for name in runs if error[name] > TOLERANCE}
    runs = {name: run for name, run in runs.items() if name not in failed}
    times, ceilings = race(runs, cpu, options.rounds, options.seconds)
    record = summary(times, ceilings, total, error) | {
        "benchmark": "atlas of random pictures",
        "threads": options.threads,
        "networks": len(cells),
        "gflop_counted": rounded(total),
        "atlas_seconds": {name: s.record() for name, s in whole(options).items()},
        "goal_atlas_seconds": GOAL_SECONDS,
        "tolerance": TOLERANCE,
        "failed": failed,
        "machine": facts | {"load_after": load_average()},
    }
    report(record)
    folder = results_folder(options.out, options.quick)
    if folder is not None:
        print(f"\nwritten to {write_result('sophistication', record, folder).name}")
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The atlas of random pictures, here and in PyTorch.")
    parser.add_argument("--quick", action="store_true", help="two rounds: does it work?")
    parser.add_argument("--rounds", type=int, help="turns of every competitor (default 15)")
    parser.add_argument("--seconds", type=float, default=0.5, help="length of a turn (default 0.5)")
    parser.add_argument("--threads", type=int, default=_core.hardware_threads(), help="default: all")
    parser.add_argument("--isa", default=_core.isas()[0], choices=_core.isas())
    parser.add_argument("--out", type=Path, help="folder for the results; default bench/results for a full run")
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else 15)
    return options


def race(
    runs: dict[str, Callable[[], Any]], cpu: _core.Cpu, rounds: int, seconds: float
) -> tuple[dict[str, list[float]], list[float]]:
    """Milliseconds for all networks, once a round, each round begun by another; the ceiling before our own turn."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    ceilings, names = [], list(runs)
    repeated = {name: lambda count, run=run: [run() for _ in range(count)] for name, run in runs.items()}
    one = {name: estimate(work) for name, work in repeated.items()}
    for number in range(rounds):
        begin = number % len(names)
        for name in (*names[begin:], *names[:begin]):
            if name == names[0]:
                ceilings.append(ceiling(cpu))
            times[name].append(turn(repeated[name], seconds, one[name])[0])
    return times, ceilings


def summary(times: dict[str, list[float]], ceilings: list[float], total: float, error: dict[str, float]) -> Any:
    mine = next(iter(times))
    rates = {name: [total / (ms / 1e3) for ms in each] for name, each in times.items()}
    share = [rate / top for rate, top in zip(rates[mine], ceilings, strict=True)]
    return {
        "convolutions": {
            name: {
                "ms": Spread.of(each).record(),
                "gflops": Spread.of(rates[name]).record(),
                "times_ours": Spread.of([a / b for a, b in zip(each, times[mine], strict=True)]).record(),
                "relative_error": rounded(error[name], 2),
            }
            for name, each in times.items()
        },
        "ceiling_gflops": Spread.of(ceilings).record(),
        "fraction_of_ceiling": Spread.of(share).record(),
    }


def whole(options: argparse.Namespace) -> dict[str, Spread]:
    """Seconds of ``atlas(16)``, and of the same with its files."""

    def seconds(paths: list[str]) -> float:
        begin = time.perf_counter()
        sophistication.atlas(PARTS, paths, threads=options.threads, progress=False)
        return time.perf_counter() - begin

    with tempfile.TemporaryDirectory() as folder:
        files = [f"{folder}/atlas.pdf", f"{folder}/atlas.png"]
        count = max(2, options.rounds // 3)
        return {
            "the page": Spread.of([seconds([]) for _ in range(count)]),
            "the page, a PDF and a PNG": Spread.of([seconds(files) for _ in range(count)]),
        }


def report(record: dict[str, Any]) -> None:
    rows = []
    for name, row in record["convolutions"].items():
        ms, ratio = row["ms"], row["times_ours"]
        spread = f"({ratio['min']:.1f} - {ratio['max']:.1f})"
        rows.append([
            name, f"{ms['median']:.0f}", f"{ms['min']:.0f}", f"{ms['max']:.0f}", f"{row['gflops']['median']:.0f}",
            f"{ratio['median']:.1f}", spread, f"{row['relative_error']:.0e}",
        ])  # fmt: skip
    print(table(["120 networks", "ms", "min", "max", "GFLOP/s", "x ours", "(min - max)", "error"], rows))
    top, part = record["ceiling_gflops"], record["fraction_of_ceiling"]
    print(f"\nceiling {top['median']:.0f} GFLOP/s;", end="")
    print(f" ours {part['median']:.0%} of it ({part['min']:.0%} - {part['max']:.0%})")
    for name, s in record["atlas_seconds"].items():
        print(f"{name}: {s['median']:.2f} s ({s['min']:.2f} - {s['max']:.2f}), goal {record['goal_atlas_seconds']:g}")
    for name, reason in record["failed"].items():
        print(f"{name}: {reason}")


if __name__ == "__main__":
    sys.exit(main())
