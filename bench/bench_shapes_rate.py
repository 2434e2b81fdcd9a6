"""Shapes in so many bytes: what a picture of fourier shapes, depth shapes and of painted ellipses is worth.

    python bench/bench_shapes_rate.py [--quick] [--bytes 512,1024,2048,4096] [--kinds genetic,fourier,depth]

Each is ``cn.train(picture, model="shapes", kind=..., max_bytes=...)`` on the challenge's Starry Night, 386 x 320. Every
file is loaded again and has to show the same bytes. The score is the sum of squared differences / 255^2: lower is
better; examples/starry_night.cppn, a cascade fitted for longer, stands beside.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import cppn_native as cn
import numpy as np
from common import machine, painting, results_folder, table, write_result

CASCADE = Path(__file__).parents[1] / "examples" / "starry_night.cppn"
# Steps until another thousand wins less than a percent; depth's cost three times as much.
OPTIONS: dict[str, dict[str, Any]] = {
    "genetic": {"rounds": 4},
    "fourier": {"steps": 1500, "rate": 0.02},
    "depth": {"steps": 400, "rate": 0.02},
}
QUICK: dict[str, dict[str, Any]] = {"genetic": {"rounds": 0}, "fourier": {"steps": 60}, "depth": {"steps": 20}}


def main() -> int:
    options = parse()
    picture = painting()
    if picture is None:
        print("no Starry Night: set CPPN_SHARED")
        return 1
    record: dict[str, Any] = {"benchmark": "shapes_rate", "machine": machine(), "runs": []}
    for kind in options.kinds:
        for count in options.bytes:
            run = measure(picture, kind, count, (QUICK if options.quick else OPTIONS)[kind])
            record["runs"].append(run)
            print(
                f"{kind} {count}: {run['n']} in {run['bytes']} bytes, score {run['score']:.1f}, {run['seconds']:.0f} s"
            )
    cascade = cn.load(CASCADE)
    record["cascade"] = {"bytes": cascade.nbytes, "score": cascade.score(picture), "psnr": cascade.psnr(picture)}
    print(text(record))
    folder = results_folder(options.out, options.quick)
    if folder is not None:
        print(write_result("shapes_rate", record, folder))
    return 0


def measure(picture: Path, kind: str, count: int, options: dict[str, Any]) -> dict[str, Any]:
    begun = time.monotonic()
    model = cn.train(picture, model="shapes", kind=kind, max_bytes=count, progress=False, **options)
    seconds, data = time.monotonic() - begun, model.to_bytes()
    again = cn.load(data)
    if len(data) > count or not np.array_equal(again.render(), model.render()):
        raise SystemExit(f"{kind}, {count} bytes: the file is too large or shows something else")
    n = cn.info(data)["n"]
    return {
        "kind": kind, "max_bytes": count, "bytes": len(data), "n": n, "bits_per_shape": round(8 * len(data) / n, 1),
        "score": round(model.score(picture), 1), "psnr": round(model.psnr(picture), 2), "seconds": round(seconds, 1),
        "options": options,
    }  # fmt: skip


def text(record: dict[str, Any]) -> str:
    header = ["kind", "bytes", "shapes", "bits each", "score", "dB", "s"]
    rows = [
        [r["kind"], str(r["bytes"]), str(r["n"]), f"{r['bits_per_shape']:.1f}", f"{r['score']:.1f}", f"{r['psnr']:.2f}",
         f"{r['seconds']:.0f}"]
        for r in record["runs"]
    ]  # fmt: skip
    c = record["cascade"]
    return table(header, [*rows, ["cascade", str(c["bytes"]), "", "", f"{c['score']:.1f}", f"{c['psnr']:.2f}", ""]])


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--bytes", type=lambda t: [int(n) for n in t.split(",")], default=[512, 1024, 2048, 4096])
    parser.add_argument("--kinds", type=lambda t: t.split(","), default=list(OPTIONS))
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
