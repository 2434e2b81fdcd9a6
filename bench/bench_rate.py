"""Score against bytes: our models of a byte budget beside the image codecs of the package index, in one run.

    python bench/bench_rate.py [--pictures painting,kodak] [--bytes 512,1024,2048,4096] [--minutes 10] [--seed 0]
                               [--only ours|codecs] [--ours waves,ellipses,cascade] [--keep FOLDER] [--plot] [--quick]

Ours is encoded through ``cn.train`` and saved; a fresh process that knows nothing but the file reads it back. Its
length, and the score of what that process shows, are what counts, and the time it takes to decode. A codec's file is
looked for over qualities and scales (image_codecs.py). Every (picture, bytes, codec) has one entry in
results/rate.json, which a repeated run replaces; of ours the best is kept. Ours are waves, which "best" means,
and for comparison ellipses painted by a genetic search, and cascades.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cppn_native as cn
import numpy as np
from common import (
    RESULTS,
    load_average,
    machine,
    painting,
    read_result,
    results_folder,
    rounded,
    table,
    write_result,
)
from image_codecs import best, codecs, score_of
from numpy.typing import NDArray
from PIL import Image

GOALS = {512: 4527.9, 1024: 3950.2, 2048: 3490.4, 4096: 2922.6}
"""The best of VVC, AV1, BPG, HEVC, WebP, AVIF, JPEG 2000, JPEG XL and mozjpeg on the painting, searched by hand; raw
streams without a container for the first four."""
OURS: dict[str, dict[str, Any]] = {
    "our waves": {"model": "best"},
    "our ellipses": {"model": "shapes", "kind": "genetic"},
    "our cascade": {"model": "cascade"},
}
READ_BACK = """
import json, sys, time
import numpy as np
import cppn_native as cn
model = cn.load(sys.argv[1])
seconds = []
for _ in range(9):
    begin = time.perf_counter()
    shown = cn.load(sys.argv[1]).render()
    seconds.append(time.perf_counter() - begin)
np.save(sys.argv[2], shown)
print(json.dumps(sorted(seconds)[len(seconds) // 2]))
"""


def main() -> int:
    options = parse()
    folder = results_folder(options.out, options.quick)
    if options.plot:
        plot(read_result("rate") or {}, RESULTS)
        return 0
    record = (read_result("rate", folder) if folder else None) or {"benchmark": "rate", "entries": {}}
    facts = machine("pillow", "pillow-jxl-plugin")
    pictures = find_pictures(options.pictures)
    if not pictures:
        print("no picture is there: set CPPN_SHARED to the folder that holds images/", file=sys.stderr)
        return 2
    for name, path in pictures.items():
        picture = np.asarray(Image.open(path).convert("RGB"))
        for entry in measure(name, path, picture, options):
            keep(record, entry | {"machine": facts | {"load_after": load_average()}})
            if folder is not None:  # a long campaign keeps what it has
                write_result("rate", record, folder)
    report(record)
    if folder is not None:
        plot(record, folder)
    return 0


def find_pictures(names: list[str]) -> dict[str, Path]:
    found = painting()
    if found is None:
        return {}
    kodak = sorted((found.parent / "kodak").glob("*.png")) if "kodak" in names else []
    return ({"painting": found} if "painting" in names else {}) | {path.stem: path for path in kodak}


def measure(name: str, path: Path, picture: NDArray[np.uint8], options: argparse.Namespace) -> Any:
    """Entries, one after the other."""
    budgets = [b for b in options.bytes if name == "painting" or b >= 1024]
    if options.only != "ours":
        for codec in codecs(large=name != "painting"):
            if codec.missing:
                print(f"{codec.name}: {codec.missing}")
                continue
            for budget, found in best(codec, picture, budgets).items():
                yield entry_of(name, budget, codec.name, found.score, found.nbytes, picture) | {
                    "quality": found.quality,
                    "scale": found.scale,
                }
    if options.only != "codecs":
        for codec in (name for name in OURS if name.removeprefix("our ") in options.ours):
            for budget in budgets:
                yield ours(codec, name, path, picture, budget, options)


def entry_of(
    name: str, budget: int, codec: str, score: float, nbytes: int, picture: NDArray[np.uint8]
) -> dict[str, Any]:
    psnr = 10 * np.log10(picture.size / score)
    print(f"{name}, {budget} B, {codec}: {score:.1f} ({psnr:.2f} dB) in {nbytes} bytes", flush=True)
    return {
        "picture": name, "budget": budget, "codec": codec, "score": rounded(score, 6), "psnr": rounded(psnr),
        "bytes": nbytes, "fits": nbytes <= budget,
    }  # fmt: skip


def ours(
    codec: str, name: str, path: Path, picture: NDArray[np.uint8], budget: int, options: argparse.Namespace
) -> dict[str, Any]:
    curve: list[cn.Progress] = []
    given = OURS[codec] | ({"minutes": 0.1} if options.quick else {"minutes": options.minutes})
    begin = time.perf_counter()
    model = cn.train(path, max_bytes=budget, seed=options.seed, progress=False, callback=curve.append, **given)
    seconds = time.perf_counter() - begin
    with tempfile.TemporaryDirectory() as temporary:
        file = (options.keep or Path(temporary)) / f"{name}_{codec.split()[-1]}_{budget}.cppn"
        file.parent.mkdir(parents=True, exist_ok=True)
        model.save(file)
        shown, decoding = read_back(file, Path(temporary) / "shown.npy")
        nbytes = file.stat().st_size
    points = [(p.elapsed, p.best) for p in curve if p.best is not None]
    return entry_of(name, budget, codec, score_of(shown, picture), nbytes, picture) | {
        "minutes": options.minutes, "seed": options.seed, "seconds": rounded(seconds), "parameters": model.n_params,
        "steps": curve[-1].step, "decode_ms": rounded(1e3 * decoding),
        "curve": [[rounded(s, 3), rounded(v, 6)] for s, v in points[:: max(1, len(points) // 60)]],
    }  # fmt: skip


def read_back(file: Path, shown: Path) -> tuple[NDArray[np.uint8], float]:
    """The picture as a fresh process sees it, and the seconds that reading and decoding take there."""
    command = [sys.executable, "-c", READ_BACK, str(file), str(shown)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return np.load(shown), float(json.loads(said))


def keep(record: dict[str, Any], entry: dict[str, Any]) -> None:
    """In place of its predecessor, unless that is ours and better."""
    key = f"{entry['picture']}, {entry['budget']} bytes, {entry['codec']}"
    before = record["entries"].get(key)
    if before is None or entry["codec"] not in OURS or entry["score"] < before["score"]:
        record["entries"][key] = entry


def report(record: dict[str, Any]) -> None:
    entries = list(record["entries"].values())
    for name in dict.fromkeys(entry["picture"] for entry in entries):
        mine = [entry for entry in entries if entry["picture"] == name]
        budgets = sorted({entry["budget"] for entry in mine})
        score = {(entry["codec"], entry["budget"]): entry["score"] for entry in mine}
        names = sorted(dict.fromkeys(entry["codec"] for entry in mine), key=lambda codec: (codec not in OURS, codec))
        rows = [[codec, *(cell(score.get((codec, b))) for b in budgets)] for codec in names]
        if name == "painting":
            rows.append(["goal", *(cell(GOALS.get(b)) for b in budgets)])
        print(f"\n{name}: score, lower is better\n" + table(["", *(f"{b} B" for b in budgets)], rows))


def cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def plot(record: dict[str, Any], folder: Path) -> None:
    """Score over bytes of all codecs on the painting, our score over minutes, and Kodak pictures beside the codecs."""
    try:
        import matplotlib
    except ImportError:
        print("matplotlib is not installed: no plot")
        return
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    entries = list(record["entries"].values())
    figure, (rate, pace, kodak) = plt.subplots(1, 3, figsize=(16, 4.6), layout="constrained")
    plot_rate(rate, [entry for entry in entries if entry["picture"] == "painting"])
    plot_pace(pace, [entry for entry in entries if entry["picture"] == "painting"])
    plot_kodak(kodak, [entry for entry in entries if entry["picture"] != "painting"])
    for axes in (rate, pace, kodak):
        axes.grid(True, color="0.9")
        if axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False, fontsize=8)
    figure.savefig(folder / "rate.png", dpi=120)
    plt.close(figure)
    print("drawn to rate.png")


def plot_rate(axes: Any, entries: list[dict[str, Any]]) -> None:
    for codec in dict.fromkeys(entry["codec"] for entry in entries):
        points = sorted((e["bytes"], e["score"]) for e in entries if e["codec"] == codec)
        axes.plot(*zip(*points, strict=True), "o-", linewidth=2.5 if codec in OURS else 1, markersize=4, label=codec)
    axes.plot(list(GOALS), list(GOALS.values()), "k--", linewidth=1, label="best of ten codecs, raw streams")
    axes.set(
        title="Starry Night, 386 × 320", xlabel="bytes, the whole file", ylabel="score, lower is better", xscale="log"
    )
    axes.set_xticks(list(GOALS), [str(b) for b in GOALS])
    axes.minorticks_off()


def plot_pace(axes: Any, entries: list[dict[str, Any]]) -> None:
    """How much above its last score a search still is."""
    for entry in (e for e in entries if e["codec"] in OURS and len(e.get("curve", ())) > 1):
        seconds, scores = zip(*entry["curve"], strict=True)
        above = [100 * (score / scores[-1] - 1) for score in scores]
        axes.step(seconds, above, where="post", label=f"{entry['codec']}, {entry['budget']} bytes: {scores[-1]:.0f}")
    axes.set(
        title="best legal file so far", xlabel="seconds", ylabel="% above the last score", xscale="log", ylim=(0, 5)
    )


def plot_kodak(axes: Any, entries: list[dict[str, Any]]) -> None:
    """Our score as a part of a codec's, for each picture and size."""
    score = {(e["picture"], e["budget"], e["codec"]): e["score"] for e in entries}
    pictures, budgets = (sorted({e[key] for e in entries}) for key in ("picture", "budget"))
    for codec, mark in (("WebP", "o"), ("AVIF", "x")):
        for budget, colour in zip(budgets, ("C0", "C1", "C2"), strict=False):
            keys = [(k, (p, budget, codec), (p, budget, "our waves")) for k, p in enumerate(pictures)]
            points = [(k, score[ours] / score[its]) for k, its, ours in keys if its in score and ours in score]
            if points:
                axes.plot(*zip(*points, strict=True), mark, color=colour, label=f"{budget} bytes, beside {codec}")
    axes.axhline(1, color="k", linewidth=1)
    axes.set_xticks(range(len(pictures)), pictures, fontsize=8)
    axes.set(title="Kodak, 768 × 512", ylabel="our score / the codec's")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--pictures", type=lambda text: text.split(","), default=["painting"], help="painting,kodak")
    parser.add_argument("--bytes", type=lambda text: [int(b) for b in text.split(",")], default=list(GOALS))
    parser.add_argument("--minutes", type=float, default=10.0, help="for each of our files")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=("ours", "codecs"))
    parser.add_argument("--ours", type=lambda text: text.split(","), default=["waves"], help="waves,ellipses,cascade")
    parser.add_argument("--keep", type=Path, help="folder for our files; default: not kept")
    parser.add_argument("--plot", action="store_true", help="draw the results that are there")
    parser.add_argument("--quick", action="store_true", help="a few steps, to see that it works; writes nothing")
    parser.add_argument("--out", type=Path, help="folder for the results")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
