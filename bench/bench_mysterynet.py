"""MysteryNet: a training step here and in PyTorch, and the author's recipe against plain training.

    python bench/bench_mysterynet.py [--quick] [--rounds 5] [--minutes 3] [--flag flag.png]

The step is full batch at 320 x 160, MSE, Adam: ours is ``PerceptronDescent.run``, PyTorch's an eager and a compiled
module. All begin with the same weights, and their losses after three steps are compared with each other. The recipe and
plain training get the same minutes on the Malaysian flag, 320 x 160, which is drawn here.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cppn_native as cn
import numpy as np
from common import (
    Spread,
    ceiling,
    estimate,
    fixed,
    installed,
    load_average,
    machine,
    relative,
    results_folder,
    table,
    turn,
    write_result,
)
from cppn_native import _core
from cppn_native.coords import axes
from cppn_native.fit.perceptron_state import first_params, unpack
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from step_mysterynet_torch import TorchNet

SIZE, RATE = (320, 160), 0.01
GOAL_RATIO, GOAL_PSNR = 10.0, 30.0
CONFIG = cn.PerceptronConfig()


def malaysia(width: int = 320) -> NDArray[np.uint8]:
    """Fourteen stripes, a blue canton, a crescent and a star of fourteen points; drawn large and averaged down."""
    scale = 8
    w, h = width * scale, width * scale // 2
    image = Image.new("RGB", (w, h), "white")
    draw = ImageDraw.Draw(image)
    for n in range(0, 14, 2):
        draw.rectangle((0, n * h // 14, w, (n + 1) * h // 14 - 1), fill=(204, 0, 0))
    draw.rectangle((0, 0, w // 2, 8 * h // 14 - 1), fill=(0, 0, 102))
    x, y, r = 0.19 * w, 8 * h / 28, 0.2 * h
    draw.ellipse((x - r, y - r, x + r, y + r), fill=(255, 204, 0))
    draw.ellipse((x - 0.72 * r, y - 0.86 * r, x + 1.0 * r, y + 0.86 * r), fill=(0, 0, 102))
    angles = np.pi * np.arange(28) / 14
    radius = np.where(np.arange(28) % 2 == 0, 0.82 * r, 0.46 * r)
    points = np.stack([0.32 * w + radius * np.sin(angles), y - radius * np.cos(angles)], axis=1)
    draw.polygon([tuple(point) for point in points], fill=(255, 204, 0))
    return np.asarray(image.resize((width, width // 2), Image.Resampling.BOX))


def main() -> int:
    options = parse()
    picture = malaysia() if options.flag is None else np.asarray(Image.open(options.flag).convert("RGB"))
    record: dict[str, Any] = {"benchmark": "mysterynet", "machine": machine("torch")}
    record["step"] = race(picture, options.rounds, 0.2 if options.quick else 1.0, options.quick)
    minutes = 0.1 if options.quick else options.minutes
    record["recipes"] = {name: learn(picture, make(), minutes) for name, make in recipes().items()}
    record["machine"]["load_after"] = load_average()
    report(record)
    folder = results_folder(options.out, options.quick)
    if folder is not None:
        print(f"\nwritten to {write_result('mysterynet', record, folder)}")
    return 0


def recipes() -> dict[str, Callable[[], cn.Recipe]]:
    return {"mysterynet": cn.recipes.mysterynet, "plain": cn.recipes.plain}


def learn(picture: NDArray[np.uint8], recipe: cn.Recipe, minutes: float) -> dict[str, Any]:
    model = cn.train(picture, "mysterynet", recipe=recipe, minutes=minutes, progress=False)
    return {"minutes": minutes, "steps": model.history[-1][0], "psnr": model.psnr(picture), "stopped": model.stopped}


def race(picture: NDArray[np.uint8], rounds: int, seconds: float, quick: bool) -> dict[str, Any]:
    """Milliseconds a step of everyone, in rotating order; those that are missing say why."""
    width, height = picture.shape[1::-1]
    ax, ay = axes("centered", (width, height), (width, height))
    x = np.stack([np.tile(ax, height), np.repeat(ay, width)], axis=1).astype(np.float32)
    y = (picture.reshape(-1, 3).astype(np.float32) + np.float32(0.5)) / np.float32(256)
    params = first_params(CONFIG, 0)
    runners, missing, losses = entrants(x, y, params, quick)
    ones = {name: estimate(work) for name, work in runners.items()}
    times: dict[str, list[float]] = {name: [] for name in runners}
    for round_number in range(rounds):
        order = list(runners)
        for name in order[round_number % len(order) :] + order[: round_number % len(order)]:
            times[name].append(turn(runners[name], seconds, ones[name])[0])
    flops = 2e-6 * 3 * sum(i * o for i, o, _, _ in CONFIG.layers) * len(x)
    peak = ceiling(_core.Cpu(_core.isas()[0], _core.hardware_threads()), 0.3)
    return {
        "pixels": len(x),
        "ms": {name: Spread.of(spread).record() for name, spread in times.items()},
        "ratio": {
            name: Spread.of([b / a for a, b in zip(times["ours"], spread, strict=True)]).record()
            for name, spread in times.items()
        },
        "loss_after_3": losses,
        "largest_difference": max(relative(loss, losses["ours"]) for loss in losses.values()),
        "gflops": flops / Spread.of(times["ours"]).median,
        "peak_gflops": peak,
        "missing": missing,
    }


Work = Callable[[int], Any]


def entrants(
    x: NDArray[np.float32], y: NDArray[np.float32], params: NDArray[np.float32], quick: bool
) -> tuple[dict[str, Work], dict[str, str], dict[str, float]]:
    running = np.concatenate([np.repeat((0.0, 1.0), o) for _, o, _, norm in CONFIG.layers if norm])
    start = (0, params, np.zeros_like(params), np.zeros_like(params), running)
    cpu = _core.Cpu(_core.isas()[0], _core.hardware_threads())
    ours = _core.PerceptronDescent(cpu, 2, CONFIG.native(), x, y, start)
    ours.run([RATE, RATE])
    losses = {"ours": ours.run([RATE])}
    runners: dict[str, Work] = {"ours": lambda n: ours.run([RATE] * n)}
    missing: dict[str, str] = {}
    state = unpack(CONFIG, SIZE, params, running, 0).state_dict()
    for name, compiled in (("torch eager", False), ("torch compiled", True)):
        if installed("torch") == "not installed" or (compiled and quick):
            missing[name] = "not installed" if not quick else "left out of --quick"
            continue
        try:
            net = TorchNet(state, x, y, RATE, compiled)
            net.take(3)
        except Exception as error:
            missing[name] = f"{type(error).__name__}: {error}"[:200]
            continue
        losses[name] = net.loss
        runners[name] = net.take
    return runners, missing, losses


def report(record: dict[str, Any]) -> None:
    step = record["step"]
    rows = [
        [name, *fixed(step["ms"][name], 2), *fixed(step["ratio"][name], 1), f"{step['loss_after_3'][name]:.6f}"]
        for name in step["ms"]
    ]
    print(table(["", "ms/step", "min", "max", "x ours", "min", "max", "loss after 3"], rows))
    for name, why in step["missing"].items():
        print(f"{name}: {why}")
    print(f"{step['gflops']:.0f} GFLOP/s of {step['peak_gflops']:.0f}; goal: {GOAL_RATIO:.0f} x\n")
    rows = [[name, f"{r['minutes']:g}", str(r["steps"]), f"{r['psnr']:.2f}"] for name, r in record["recipes"].items()]
    print(table(["recipe", "minutes", "steps", "dB"], rows) + f"\ngoal: {GOAL_PSNR:.0f} dB within 10 minutes")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="a minute, to see that it works; writes nothing")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=3.0, help="for each recipe")
    parser.add_argument("--flag", type=Path, help="another picture")
    parser.add_argument("--out", type=Path, help="folder for the results")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
