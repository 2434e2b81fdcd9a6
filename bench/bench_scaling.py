"""How the time of a training step grows with neurons, pixels, threads, and which instruction set takes it.

    python bench/bench_scaling.py [--quick] [--rounds 9]

One of the four is varied, the others stay at the 1020-byte program's 45 neurons, 386 x 320 pixels, all
threads and the best instruction set. Beside every time stands the ceiling of multiply-adds on the same
threads and instructions.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from problem import Problem, generated_problem, value_and_gradient
from step_ours import Ours

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = (386, 320)
NEURONS = (8, 12, 16, 24, 32, 45, 64, 96, 128)
SIZES = ((64, 64), (128, 128), (256, 256), SIZE, (640, 480), (1280, 720), (1920, 1080), (3840, 2160))
REFERENCE_PIXELS = 200_000  # up to here the NumPy float64 reference answers in a second or two
TOLERANCE = 1e-4


@dataclass
class Row:
    """One setting, checked, with its times (ms) and ceilings (GFLOP/s), one per round."""

    axis: str
    value: str
    at: float
    ours: Ours
    check: dict[str, Any]
    one: float
    wall: list[float] = field(default_factory=list)
    tops: list[float] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        problem = self.ours.problem
        rates = [problem.gflop / (ms / 1e3) for ms in self.wall]
        return {
            "axis": self.axis,
            "value": self.value,
            "at": self.at,
            "neurons": problem.neurons,
            "weights": problem.weights,
            "width": problem.size[0],
            "height": problem.size[1],
            "pixels": problem.pixels,
            "threads": self.ours.backend.threads,
            "isa": self.ours.backend.name.split("/")[-1],
            "gflop_counted": rounded(problem.gflop, 6),
            "ms": Spread.of(self.wall).record(),
            "gflops": rounded(Spread.of(rates).median),
            "ceiling_gflops": rounded(Spread.of(self.tops).median),
            "fraction_of_ceiling": Spread.of([r / t for r, t in zip(rates, self.tops, strict=True)]).record(),
            "check": self.check,
        }


def main() -> int:
    options = parse()
    facts = machine("matplotlib")
    rows = list(settings(options.quick, options.threads))
    take_turns(rows, options.rounds, options.seconds)
    record = {
        "benchmark": "cascade step, scaling",
        "machine": facts | {"load_after": load_average()},
        "tolerance": TOLERANCE,
        "rows": [row.record() for row in rows],
    }
    report(record["rows"])
    folder = results_folder(options.out, options.quick)
    if folder is not None:
        print(f"\nwritten to {write_result('scaling', record, folder).name}")
        plot(record["rows"], folder / "scaling.png")
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time of a step over neurons, pixels, threads, instruction sets.")
    parser.add_argument("--quick", action="store_true", help="few settings, two short rounds: does it work?")
    parser.add_argument("--rounds", type=int, help="turns of every setting (default 9)")
    parser.add_argument("--seconds", type=float, help="length of a turn (default 0.2)")
    parser.add_argument("--threads", type=int, default=_core.hardware_threads(), help="default: all")
    parser.add_argument("--out", type=Path, help="folder for the results; default bench/results for a full run")
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else 9)
    options.seconds = options.seconds or (0.02 if options.quick else 0.2)
    return options


def settings(quick: bool, threads: int) -> Sequence[Row]:
    isas = _core.isas()
    counts = sorted({1, *(n for n in (2, 4, 8, 16, 32, 64, 128) if n < threads), threads})
    neurons, sizes = ((8, 45), SIZES[:4]) if quick else (NEURONS, SIZES)
    if quick:
        counts = sorted({1, threads})
    rows = []
    for n in neurons:
        rows.append(prepare("neurons", str(n), n, generated_problem(n, SIZE), isas[0], threads))
    for size in sizes:
        label, problem = f"{size[0]} x {size[1]}", generated_problem(45, size)
        rows.append(prepare("pixels", label, problem.pixels, problem, isas[0], threads))
    seed = generated_problem(45, SIZE)
    for count in counts:
        rows.append(prepare("threads", str(count), count, seed, isas[0], count))
    for place, isa in enumerate(isas):
        rows.append(prepare("isa", isa, place, seed, isa, threads))
    return rows


def prepare(axis: str, value: str, at: float, problem: Problem, isa: str, threads: int) -> Row:
    ours = Ours(problem, isa, threads)
    found = check(ours)
    if not max(found["loss"], found["gradient"]) <= TOLERANCE:
        raise SystemExit(f"wrong answer at {axis} {value}: relative errors {found}")
    return Row(axis, value, at, ours, found, estimate(ours.run))


def check(ours: Ours) -> dict[str, Any]:
    """Relative errors against float64; for the largest pictures, against the plainest kernels."""
    problem = ours.problem
    loss, gradient = ours.gradient()
    if problem.pixels <= REFERENCE_PIXELS:
        against = "numpy float64"
        want, slope = value_and_gradient(problem, problem.u.astype("float64"))
    else:
        against = f"{_core.isas()[-1]}, 1 thread"
        want, slope = Ours(problem, _core.isas()[-1], 1).gradient()
    return {
        "against": against,
        "loss": rounded(relative(loss, want), 2),
        "gradient": rounded(relative_norm(gradient, slope), 2),
    }


def take_turns(rows: Sequence[Row], rounds: int, seconds: float) -> None:
    for number in range(rounds):
        print(f"\r  round {number + 1} of {rounds}", end="", file=sys.stderr, flush=True)
        for row in rows:
            before = ceiling(row.ours.backend, seconds / 4)
            row.wall.append(turn(row.ours.run, seconds, row.one)[0])
            row.tops.append(max(before, ceiling(row.ours.backend, seconds / 4)))
    print("\r", end="", file=sys.stderr)


def report(rows: Sequence[dict[str, Any]]) -> None:
    header = ["", "ms/step", "min", "max", "ns/pixel", "GFLOP/s", "ceiling", "of it", "error"]
    for axis in ("neurons", "pixels", "threads", "isa"):
        lines = []
        for row in (row for row in rows if row["axis"] == axis):
            ms = row["ms"]
            lines.append([
                row["value"], *fixed(ms, 3),
                f"{1e6 * ms['median'] / row['pixels']:.1f}", f"{row['gflops']:.0f}",
                f"{row['ceiling_gflops']:.0f}",
                f"{row['fraction_of_ceiling']['median']:.0%}",
                f"{max(row['check']['loss'], row['check']['gradient']):.0e}",
            ])  # fmt: skip
        print(f"\n{table([axis, *header[1:]], lines)}")


# -- the picture ------------------------------------------------------------------------------------------


def plot(rows: Sequence[dict[str, Any]], path: Path) -> None:
    try:
        import matplotlib
    except ImportError:
        print("matplotlib is not installed: no plot")
        return
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(10, 7.6), layout="constrained")
    panels = (("neurons", curve), ("pixels", curve), ("threads", curve), ("isa", bars))
    for place, (axis, draw) in zip(axes.flat, panels, strict=True):
        draw(place, axis, [row for row in rows if row["axis"] == axis])
    figure.suptitle("One training step: value, gradient and Adam (median and spread)")
    figure.savefig(path, dpi=120)
    plt.close(figure)
    print(f"drawn to {path.name}")


LABELS = {
    "neurons": "sigmoid neurons, at 386 × 320",
    "pixels": "pixels, at 45 neurons",
    "threads": "threads, at 45 neurons and 386 × 320",
}
INK, LIGHT = "#1f4e79", "#c9d8e6"


def curve(axes: Axes, axis: str, rows: Sequence[dict[str, Any]]) -> None:
    """Time over one quantity, both logarithmic, and below it what the ceiling alone would take."""
    from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

    at = [row["at"] for row in rows]
    ms = [row["ms"]["median"] for row in rows]
    spread = [[abs(row["ms"][end] - row["ms"]["median"]) for row in rows] for end in ("min", "max")]
    floor = [1e3 * row["gflop_counted"] / row["ceiling_gflops"] for row in rows]
    axes.errorbar(at, ms, yerr=spread, fmt="o-", color=INK, capsize=3, markersize=4, label="measured")
    axes.plot(at, floor, "--", color="0.5", label="multiply-adds at the measured ceiling")
    axes.set(xscale="log", yscale="log", xlabel=LABELS[axis], ylabel="ms per step")
    if axis != "pixels":
        axes.xaxis.set_major_locator(FixedLocator(at))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticklabels([f"{value:g}" for value in at])
    axes.xaxis.set_minor_formatter(NullFormatter())
    _plain_ticks(axes, [*floor, *ms])
    axes.grid(True, which="major", color="0.9")
    axes.legend(frameon=False, fontsize=8)


def _plain_ticks(axes: Axes, values: Sequence[float]) -> None:
    """1, 2, 5, 10 on the logarithmic axis of ms, rather than powers, where the values span little."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    subs = (1.0, 2.0, 5.0) if max(values) / min(values) < 300 else (1.0,)
    axes.yaxis.set_major_locator(LogLocator(subs=subs))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def bars(axes: Axes, axis: str, rows: Sequence[dict[str, Any]]) -> None:
    """Rates by instruction set: measured, before the ceiling."""
    names = [row["isa"] for row in rows]
    axes.bar(names, [row["ceiling_gflops"] for row in rows], color=LIGHT, width=0.6, label="ceiling")
    axes.bar(names, [row["gflops"] for row in rows], color=INK, width=0.4, label="measured")
    for place, row in enumerate(rows):
        text = f"{row['fraction_of_ceiling']['median']:.0%}"
        axes.annotate(text, (place, row["gflops"]), (0, 3), textcoords="offset points", ha="center", fontsize=8)
    axes.set(xlabel="instruction set, at 45 neurons and 386 × 320", ylabel="GFLOP/s")
    axes.grid(True, axis="y", color="0.9")
    axes.set_axisbelow(True)
    axes.legend(frameon=False, fontsize=8)


if __name__ == "__main__":
    sys.exit(main())
