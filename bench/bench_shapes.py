"""256 splats on 256 x 256 pixels: an epoch here and in PyTorch, the memory of both, the losses of 1000 epochs.

    python bench/bench_shapes.py [--quick] [--rounds 5] [--epochs 1000] [--torch-epochs 1000] [--picture photo.png]

The notebook's settings: kind "fourier", 8 terms, AdamW of rate 0.01 and decay 0.01, the loss sqrt(mean(e^2)). All begin
with the same raw parameters and the same target, and their losses after three epochs are compared. Memory is the most
that a fresh process held. The picture is Kodak's parrots where ``CPPN_SHARED`` has them, else a flag that is drawn.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cppn_native as cn
import numpy as np
from bench_mysterynet import malaysia
from common import (
    ROOT,
    Spread,
    estimate,
    fixed,
    installed,
    load_average,
    machine,
    relative,
    results_folder,
    rounded,
    table,
    turn,
    write_result,
)
from cppn_native import _core
from cppn_native.coords import axes
from cppn_native.fit.shapes_state import first_parameters
from numpy.typing import NDArray
from PIL import Image, ImageOps
from step_shapes_torch import WAYS, TorchShapes

SIDE, RATE = 256, 0.01
GOAL_RATIO, GOAL_MEGABYTES = 30.0, 200.0
CONFIG = cn.ShapesConfig("fourier")
Floats = NDArray[np.float32]
Work = Callable[[int], Any]


class Ours:
    """``take(n)`` epochs; ``losses`` of all of them."""

    def __init__(self, parameters: dict[str, Floats], target: Floats) -> None:
        params = np.concatenate([a.ravel() for a in parameters.values()])
        zero = np.zeros_like(params)
        cpu = _core.Cpu(_core.isas()[0], _core.hardware_threads())
        x, y = axes("unit", (SIDE, SIDE), (SIDE, SIDE))
        start = (0, params, zero, zero, params, float("inf"))
        self.native = _core.ShapesDescent(
            cpu, CONFIG.native((SIDE, SIDE)), x, y, target, np.ones_like(target), start, "root", 0.01
        )
        self.losses: list[float] = []

    def take(self, epochs: int) -> None:
        self.losses += [loss for loss, _ in self.native.run([RATE] * epochs)]


def picture(path: Path | None) -> NDArray[np.uint8]:
    """(256, 256, 3): the middle square, averaged down."""
    parrots = Path(os.environ.get("CPPN_SHARED") or ROOT.parent / "shared") / "images/kodak/kodim23.png"
    path = path or (parrots if parrots.exists() else None)
    image = Image.fromarray(malaysia()) if path is None else Image.open(path).convert("RGB")
    return np.asarray(ImageOps.fit(image, (SIDE, SIDE), Image.Resampling.LANCZOS))


def problem(path: Path | None) -> tuple[dict[str, Floats], Floats]:
    target = (picture(path).astype(np.float32) + np.float32(0.5)) / np.float32(256)
    return first_parameters(CONFIG, (SIDE, SIDE), 0), target


def make(name: str, path: Path | None) -> Any:
    parameters, target = problem(path)
    return Ours(parameters, target) if name == "ours" else TorchShapes(parameters, target, RATE, name.split()[1])


def main() -> int:
    options = parse()
    if options.memory_of:
        return report_memory(options)
    record: dict[str, Any] = {"benchmark": "shapes", "machine": machine("torch")}
    names = ["ours", *(f"torch {way}" for way in WAYS if not (options.quick and way == "compiled"))]
    record["epoch"] = race(names, options)
    record["memory"] = {name: memory_of(name, options) for name in record["epoch"]["ms"]}
    record["curves"] = curves(options)
    record["machine"]["load_after"] = load_average()
    report(record)
    folder = results_folder(options.out, options.quick)
    if folder is not None:
        print(f"\nwritten to {write_result('shapes', record, folder)}")
        plot(record["curves"], folder / "shapes.png")
    return 0


# -- an epoch ------------------------------------------------------------------------------------------------


def race(names: list[str], options: argparse.Namespace) -> dict[str, Any]:
    """Milliseconds an epoch of everyone, in rotating order; those that are missing say why."""
    runners: dict[str, Work] = {}
    losses: dict[str, float] = {}
    missing: dict[str, str] = {}
    for name in names:
        try:
            made = make(name, options.picture)
            made.take(3)
        except Exception as error:
            missing[name] = f"{type(error).__name__}: {error}"[:200]
            continue
        losses[name], runners[name] = made.losses[-1], made.take
    seconds = 0.2 if options.quick else 2.0
    ones = {name: estimate(work) for name, work in runners.items()}
    times: dict[str, list[float]] = {name: [] for name in runners}
    for n in range(1 if options.quick else options.rounds):
        order = list(runners)
        for name in order[n % len(order) :] + order[: n % len(order)]:
            times[name].append(turn(runners[name], seconds, ones[name])[0])
    ratio = {name: [b / a for a, b in zip(times["ours"], spread, strict=True)] for name, spread in times.items()}
    return {
        "pixels": SIDE * SIDE,
        "shapes": CONFIG.count,
        "ms": {name: Spread.of(spread).record() for name, spread in times.items()},
        "ratio": {name: Spread.of(spread).record() for name, spread in ratio.items()},
        "loss_after_3": losses,
        "largest_difference": max(relative(loss, losses["ours"]) for loss in losses.values()),
        "missing": missing,
    }


# -- memory ------------------------------------------------------------------------------------------------


def memory_of(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Megabytes that a fresh process held at most: before the first epoch, imports included, and after three."""
    command = [sys.executable, __file__, "--memory-of", name]
    if options.picture is not None:
        command += ["--picture", str(options.picture)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        return {"failed": done.stderr.strip().splitlines()[-1][:200] if done.stderr.strip() else str(done.returncode)}
    return dict(json.loads(done.stdout))


def report_memory(options: argparse.Namespace) -> int:
    made = make(options.memory_of, options.picture)
    before = _megabytes()
    made.take(3)
    print(json.dumps({"before": rounded(before), "peak": rounded(_megabytes())}))
    return 0


def _megabytes() -> float:
    """Of this process, at most, so far. Linux's ``ru_maxrss`` remembers what the process that started this one held."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / (1 << 10)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1 << 20 if sys.platform == "darwin" else 1 << 10)


# -- curves --------------------------------------------------------------------------------------------------


def curves(options: argparse.Namespace) -> dict[str, Any]:
    """The losses of many epochs from the same raw parameters; PyTorch's in its fastest way, where it is there."""
    epochs = min(options.epochs, 20) if options.quick else options.epochs
    theirs = min(options.torch_epochs, 5) if options.quick else options.torch_epochs
    found: dict[str, Any] = {"ours": _curve("ours", epochs, options)}
    if theirs and installed("torch") != "not installed":
        found["torch"] = _curve(f"torch {options.torch_way}", theirs, options)
        both = min(epochs, theirs)
        found["after"] = both
        found["difference"] = rounded(relative(found["torch"]["loss"][both - 1], found["ours"]["loss"][both - 1]))
    return found


def _curve(name: str, epochs: int, options: argparse.Namespace) -> dict[str, Any]:
    made = make(name, options.picture)
    begun = time.perf_counter()
    made.take(epochs)
    seconds = time.perf_counter() - begun
    return {"way": name, "seconds": rounded(seconds), "loss": [rounded(loss, 6) for loss in made.losses]}


def plot(found: dict[str, Any], path: Path) -> None:
    """Both curves, where matplotlib is there."""
    if installed("matplotlib") == "not installed":
        print("no plot: matplotlib is not installed")
        return
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (by_epoch, by_time) = plt.subplots(1, 2, figsize=(10, 4), sharey=True)
    for name in ("torch", "ours"):
        if name in found:
            losses, seconds = np.array(found[name]["loss"]), found[name]["seconds"]
            epochs = np.arange(1, len(losses) + 1)
            label = "cppn_native" if name == "ours" else f"PyTorch, {found[name]['way'].split()[1]}"
            style = {"lw": 3, "alpha": 0.5} if name == "torch" else {"lw": 1.2}
            by_epoch.plot(epochs, losses, label=label, **style)
            by_time.plot(epochs * seconds / len(losses), losses, label=label, **style)
    by_epoch.set(xlabel="epoch", ylabel="sqrt(mean(e²))", yscale="log")
    by_time.set(xlabel="seconds", xscale="log")
    for axis in (by_epoch, by_time):
        axis.grid(alpha=0.3, which="both")
    by_epoch.legend()
    figure.suptitle(f"{CONFIG.count} splats of 8 terms, {SIDE} x {SIDE} pixels, from the same initial values")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    print(f"plotted to {path}")


def report(record: dict[str, Any]) -> None:
    epoch, memory, found = record["epoch"], record["memory"], record["curves"]
    rows = []
    for name in epoch["ms"]:
        peak = memory[name].get("peak")
        cells = [*fixed(epoch["ms"][name], 1), *fixed(epoch["ratio"][name], 1)]
        rows.append([name, *cells, "?" if peak is None else f"{peak:.0f}", f"{epoch['loss_after_3'][name]:.6f}"])
    print(table(["", "ms/epoch", "min", "max", "x ours", "min", "max", "MB", "loss after 3"], rows))
    for name, why in epoch["missing"].items():
        print(f"{name}: {why}")
    print(f"goals: {GOAL_RATIO:.0f} x, {GOAL_MEGABYTES:.0f} MB\n")
    rows = [
        [
            name,
            str(len(curve["loss"])),
            f"{curve['seconds']:.1f}",
            f"{curve['loss'][0]:.4f}",
            f"{curve['loss'][-1]:.4f}",
        ]
        for name, curve in found.items()
        if isinstance(curve, dict)
    ]
    print(table(["losses", "epochs", "s", "first", "last"], rows))
    if "difference" in found:
        print(f"after {found['after']} epochs they differ by {found['difference']:.2%}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="a minute, to see that it works; writes nothing")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=1000, help="of our curve")
    parser.add_argument("--torch-epochs", type=int, default=1000, help="of PyTorch's curve; 0: none")
    parser.add_argument("--torch-way", choices=WAYS, default="compiled", help="of PyTorch's curve")
    parser.add_argument("--picture", type=Path, help="another picture")
    parser.add_argument("--out", type=Path, help="folder for the results")
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
