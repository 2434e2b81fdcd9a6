"""The real painting in 1024 bytes: how good, after how long.

    python bench/bench_fit.py [--minutes 5] [--seeds 0,1,2] [--method noise,stochastic] [--keep FOLDER]

Fits through ``cn.train`` and nothing else. The file is then read back by a fresh process, which only
knows the file and writes a PNG; length of the file and score of the PNG are computed here, by NumPy
alone, and are what is reported. Without --minutes: the defaults of ``cn.train``. Every (method, minutes,
seed) has one entry in results/fit.json.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cppn_native as cn
import numpy as np
from common import (
    AUTHOR_BEST,
    SEED_SCORE,
    load_average,
    machine,
    painting,
    read_result,
    relative,
    results_folder,
    rounded,
    table,
    write_result,
)

METHODS = ("noise", "stochastic")
QUICK = {"steps": 200, "rounds": 3, "polish": 3}
CURVE_POINTS = 240
AGREEMENT = 1e-6
"""Both scores are sums of squared integers / 255^2: they may differ in rounding alone."""

READ_BACK = """
import sys
from PIL import Image
import cppn_native as cn
Image.fromarray(cn.load(sys.argv[1]).render()).save(sys.argv[2])
"""


def main() -> int:
    options = parse()
    picture = painting()
    if picture is None:
        print("the painting is not there: set CPPN_SHARED to the folder that holds images/", file=sys.stderr)
        return 2
    folder = results_folder(options.out, options.quick)
    entries: dict[str, Any] = {}
    for method in options.method:
        for seed in options.seeds:
            entry = fit(picture, method, seed, options)
            entries[key(entry)] = entry
            if folder is not None:
                merge({key(entry): entry}, folder)  # a long campaign keeps what it has
    report((read_result("fit", folder) or {})["entries"] if folder is not None else entries)
    return 0 if all(entry["fits"] and entry["agrees"] for entry in entries.values()) else 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The painting in 1024 bytes: score over time.")
    parser.add_argument("--minutes", type=float, help="of training; default: as cn.train decides")
    parser.add_argument("--steps", type=int, help="of descent; default: as cn.train decides")
    parser.add_argument("--seeds", type=lambda text: [int(s) for s in text.split(",")], default=[0])
    parser.add_argument("--method", type=methods_of, default=["noise"], help=f"comma-separated: {','.join(METHODS)}")
    parser.add_argument("--max-bytes", type=int, default=1024)
    parser.add_argument("--threads", type=int, help="default: all")
    parser.add_argument("--keep", type=Path, help="folder for the .cppn and .png files; default: not kept")
    parser.add_argument("--quick", action="store_true", help="a few steps: does it work?")
    parser.add_argument("--out", type=Path, help="folder for the results; default bench/results")
    return parser.parse_args()


def methods_of(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - set(METHODS):
        raise argparse.ArgumentTypeError(f"must be among {', '.join(METHODS)}; got {', '.join(sorted(unknown))}")
    return names


def key(entry: dict[str, Any]) -> str:
    """What identifies a run; a repeated one replaces its predecessor."""
    budget = "default" if entry["minutes"] is None else f"{entry['minutes']:g} min"
    parts = [entry["method"], budget, f"seed {entry['seed']}"]
    parts += [f"{entry['steps_asked']} steps"] if entry["steps_asked"] is not None else []
    parts += [f"{entry['max_bytes']} bytes"] if entry["max_bytes"] != 1024 else []
    return ", ".join(parts)


# -- one run ------------------------------------------------------------------------------------------


def fit(picture: Path, method: str, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    facts = machine("pillow")
    curve: list[cn.Progress] = []
    asked: dict[str, Any] = {"method": method, "seed": seed, "max_bytes": options.max_bytes}
    asked |= {"minutes": options.minutes, "steps": options.steps, "threads": options.threads}
    extra = QUICK if options.quick else {}
    begin, cpu = time.perf_counter(), time.process_time()
    model = cn.train(picture, **(asked | extra), callback=curve.append)  # append returns None: never stops
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{method}_{options.minutes or 'default'}_{seed}.cppn"
        model.save(file)
        nbytes, score = len(file.read_bytes()), independent_score(file, picture)
    return {
        "method": method,
        "minutes": options.minutes,
        "seed": seed,
        "steps_asked": extra.get("steps", options.steps),
        "max_bytes": options.max_bytes,
        "file_bytes": nbytes,
        "fits": nbytes <= options.max_bytes,
        "score": rounded(score, 8),
        "psnr": rounded(10 * float(np.log10(model.size[0] * model.size[1] * 3 / score)), 6),
        "agrees": relative(model.score(picture), score) < AGREEMENT,
        "neurons": model.config.neurons,
        "weights": model.n_params,
        "steps": curve[-1].step,
        "stopped": model.stopped,
        "seconds": rounded(seconds),
        "cpu_seconds": rounded(cpu),
        "curve": thinned(curve),
        "machine": facts | {"load_after": load_average()},
    }


def independent_score(file: Path, picture: Path) -> float:
    """A fresh process turns the file into a PNG; the score is that of its bytes against the picture's."""
    from PIL import Image

    png = file.with_suffix(".png")
    subprocess.run([sys.executable, "-c", READ_BACK, str(file), str(png)], check=True)
    with Image.open(png) as shown, Image.open(picture) as wanted:
        a, b = (np.asarray(image.convert("RGB")).astype(np.int64) for image in (shown, wanted))
    if a.shape != b.shape:
        raise SystemExit(f"{file.name} came back with shape {a.shape}, the picture has {b.shape}")
    return float(((a - b) ** 2).sum()) / 255**2


def thinned(curve: list[cn.Progress]) -> list[list[Any]]:
    """[seconds, stage, score, best or None], evenly in time, the last of each stage included."""
    gap, kept, due = curve[-1].elapsed / CURVE_POINTS, [], -1.0
    for report, after in zip(curve, [*curve[1:], None], strict=True):
        if report.elapsed >= due or after is None or after.stage != report.stage:
            best = None if report.best is None else rounded(report.best, 7)
            kept.append([round(report.elapsed, 2), report.stage, rounded(report.score, 7), best])
            due = report.elapsed + gap
    return kept


# -- all runs ------------------------------------------------------------------------------------------


def merge(entries: dict[str, Any], folder: Path) -> None:
    before = (read_result("fit", folder) or {}).get("entries", {})
    marks = {"seed_program_1020_bytes": SEED_SCORE, "author_best_1023_bytes": AUTHOR_BEST}
    write_result("fit", {"benchmark": "fit", "marks": marks, "entries": before | entries}, folder)


def report(entries: dict[str, Any]) -> None:
    header = ["", "score", "PSNR", "bytes", "steps", "seconds", "cpu s", "of the seed's", "of the author's"]
    rows = [
        ["the 1020-byte program", f"{SEED_SCORE:.2f}", "", "1020", "", "", "", "", ""],
        ["the author's best", f"{AUTHOR_BEST:.2f}", "", "1023", "", "", "", "", ""],
    ]
    for name, entry in sorted(entries.items(), key=lambda item: item[1]["score"]):
        rows.append([
            name + ("" if entry["fits"] and entry["agrees"] else " (INVALID)"), f"{entry['score']:.2f}",
            f"{entry['psnr']:.2f}", str(entry["file_bytes"]), str(entry["steps"]), f"{entry['seconds']:.0f}",
            f"{entry['cpu_seconds']:.0f}", f"{entry['score'] / SEED_SCORE:.3f}",
            f"{entry['score'] / AUTHOR_BEST:.3f}",
        ])  # fmt: skip
    print(table(header, rows))


if __name__ == "__main__":
    sys.exit(main())
