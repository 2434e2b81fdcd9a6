"""PSNR over seconds of everything that fits a picture: perceptrons, the dense cascade, splats, a genetic search.

    python bench/bench_families.py [--quick] [--minutes 1] [--seed 0] [--plot]

All have about MysteryNet's 6675 parameters and the same minutes on all threads; each has its presets' learning rate and
schedule, and, of the perceptrons, the presets' batch. A point of a perceptron's curve is the picture that the network
paints at that step, rendered and compared with the original as bytes; the others report the score of all pixels
themselves, and the last point of all is measured. The pictures are the Malaysian flag, drawn here, and the painting,
where ``$CPPN_SHARED`` has it.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import cppn_native as cn
import numpy as np
from bench_mysterynet import malaysia
from common import RESULTS, load_average, machine, painting, read_result, results_folder, rounded, table, write_result
from numpy.typing import NDArray
from PIL import Image

POINTS = 24
Config = cn.PerceptronConfig | cn.CascadeConfig | cn.ShapesConfig | cn.GeneticConfig
FAMILIES: dict[str, tuple[Config, dict[str, Any]]] = {
    "MysteryNet, recipe": (cn.PerceptronConfig(), {"recipe": cn.recipes.mysterynet()}),
    "MysteryNet, plain": (cn.PerceptronConfig(), {"recipe": cn.recipes.plain()}),
    "tanh": (cn.PerceptronConfig((46, 46, 46, 46), "tanh", 0, "sigmoid"), {}),
    "SIREN": (cn.PerceptronConfig((46, 46, 46, 46), "sin", 0, omega=30.0), {}),
    "Fourier features": (cn.PerceptronConfig((44, 44, 40), "relu", 0, "sigmoid", fourier=32), {}),
    "dense cascade": (cn.CascadeConfig(neurons=113), {"max_bytes": None}),
    "256 fourier shapes": (cn.ShapesConfig("fourier", 256), {}),
    "742 ellipses, genetic search": (cn.GeneticConfig(742), {}),
}


def main() -> int:
    options = parse()
    if options.plot:
        plot(read_result("families") or {}, RESULTS / "families.png")
        return 0
    minutes = 0.05 if options.quick else options.minutes
    record: dict[str, Any] = {"benchmark": "families", "machine": machine(), "minutes": minutes, "seed": options.seed}
    record["pictures"] = {
        name: {family: learn(picture, family, minutes, options.seed) for family in FAMILIES}
        for name, picture in pictures(options.quick).items()
    }
    record["machine"]["load_after"] = load_average()
    report(record)
    folder = results_folder(options.out, options.quick)
    if folder is not None:
        print(f"\nwritten to {write_result('families', record, folder)}")
        plot(record, folder / "families.png")
    return 0


def pictures(quick: bool) -> dict[str, NDArray[np.uint8]]:
    """(H, W, 3) by name."""
    found = {"the Malaysian flag, 320 x 160": malaysia()}
    path = painting()
    if path is not None and not quick:
        found["Starry Night, 386 x 320"] = np.asarray(Image.open(path).convert("RGB"))
    return found


def learn(picture: NDArray[np.uint8], family: str, minutes: float, seed: int) -> dict[str, Any]:
    config, options = FAMILIES[family]
    told: list[tuple[int, float, float]] = []  # step, seconds, score
    snapped = isinstance(config, cn.PerceptronConfig)
    begun = time.monotonic()
    if snapped:
        options = options | {"snapshots": POINTS}
    model = cn.train(
        picture, config, minutes=minutes, seed=seed, progress=False, **options,
        callback=lambda report: told.append((report.step, time.monotonic() - begun, report.score)),
    )  # fmt: skip
    seconds = time.monotonic() - begun
    steps, times, scores = zip(*told, strict=True)
    if snapped:  # what they report is a batch's
        at = [round((n + 1) * steps[-1] / POINTS) for n in range(len(model.snapshots))]
        drawn = [
            (float(np.interp(step, steps, times)), s.psnr(picture)) for step, s in zip(at, model.snapshots, strict=True)
        ]
    else:
        thin = np.unique(np.geomspace(1, len(told), 2 * POINTS).astype(int)) - 1
        drawn = [(times[n], psnr(picture, scores[n])) for n in thin]
    drawn.append((times[-1], model.psnr(picture)))
    return {
        "weights": model.n_params,
        "steps": steps[-1],
        "seconds": rounded(seconds),
        "psnr": rounded(model.psnr(picture)),
        "curve": [[rounded(at, 3), rounded(value)] for at, value in drawn],
    }


def psnr(picture: NDArray[np.uint8], score: float) -> float:
    return float(10 * np.log10(picture.size / score))


def report(record: dict[str, Any]) -> None:
    for name, families in record["pictures"].items():
        rows = [
            [family, str(r["weights"]), str(r["steps"]), f"{at(r, 0.25):.1f}", f"{at(r, 0.5):.1f}", f"{r['psnr']:.2f}"]
            for family, r in families.items()
        ]
        print(f"\n{name}, {record['minutes']:g} min each")
        print(table(["", "parameters", "steps", "dB after 1/4", "1/2", "the end"], rows))


def at(result: dict[str, Any], share: float) -> float:
    seconds, values = zip(*result["curve"], strict=True)
    return float(np.interp(share * seconds[-1], seconds, values))


def plot(record: dict[str, Any], path: Path) -> None:
    try:
        import matplotlib
    except ImportError:
        print("matplotlib is not installed: no plot")
        return
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    names = list(record["pictures"])
    figure, panels = plt.subplots(1, len(names), figsize=(5.6 * len(names), 4.4), layout="constrained", squeeze=False)
    for axes, name in zip(panels[0], names, strict=True):
        for family, result in record["pictures"][name].items():
            seconds, values = zip(*result["curve"], strict=True)
            axes.plot(seconds, values, ".-", markersize=4, label=f"{family} ({result['psnr']:.1f} dB)")
        axes.set(title=name, xlabel="seconds", ylabel="PSNR, dB", xscale="log")
        axes.grid(True, which="major", color="0.9")
        axes.legend(frameon=False, fontsize=8)
    figure.suptitle("About 6675 parameters each, on " + record["machine"]["cpu"])
    figure.savefig(path, dpi=120)
    plt.close(figure)
    print(f"drawn to {path.name}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="seconds, to see that it works; writes nothing")
    parser.add_argument("--minutes", type=float, default=1.0, help="for each network")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plot", action="store_true", help="draw the results that are there")
    parser.add_argument("--out", type=Path, help="folder for the results")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
