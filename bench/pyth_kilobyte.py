"""Starry Night as a Pyth program of at most 1024 bytes: fitted, written by ``kaseorg.encode``, checked (docs/pyth.md).

    python bench/pyth_kilobyte.py [--model fitted.cppn] [--output night.pyth]

Pyth itself is not run here: the tests' evaluator of the language paints some pixels, which have to be those of
``kaseorg.render``, whose picture is scored.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cppn_native as cn
import numpy as np
from common import machine, painting, write_result
from cppn_native import kaseorg
from cppn_native.image import load_image

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
BYTES, NEURONS, STEPS = 904, 50, 40_000


def snapped(model):
    """With a whole divisor of the sums, which takes fewer bytes; the picture hardly changes."""
    ratio = 256 / round(256 / model.steps[2]) / model.steps[2]
    return cn.Cascade(model.config, model.size, model.levels, tuple(ratio * step for step in model.steps))


def agrees(program, picture):
    """Whether the evaluator paints nine pixels of a program as they are in its picture."""
    import pyth_evaluator

    height, width = picture.shape[:2]
    rows, columns = [0, height // 2, height - 1], [0, width // 2, width - 1]
    pixels = pyth_evaluator.run(program, {height: rows, width: columns})
    return bool(np.array_equal(pixels, picture[np.ix_(rows, columns)]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", help="a fitted model, .cppn or .pyth, instead of fitting one (three minutes)")
    parser.add_argument("--output", default="night.pyth")
    arguments = parser.parse_args()
    target = painting()
    if target is None:
        parser.error("set CPPN_SHARED to the folder that has the painting")
    if arguments.model is None:
        model = cn.train(target, coords="seed", neurons=NEURONS, max_bytes=BYTES, steps=STEPS)
    elif arguments.model.endswith(".pyth"):
        model = kaseorg.decode(arguments.model)
    else:
        model = cn.load(arguments.model)
    model = snapped(model)
    program = kaseorg.encode(model)
    Path(arguments.output).write_bytes(program)
    picture = kaseorg.render(program)
    if not agrees(program, picture):
        raise SystemExit("the evaluator of Pyth paints other pixels than kaseorg.render")
    score = float((((picture - load_image(target).astype(np.float64)) / 255) ** 2).sum())
    sizes = {form: len(kaseorg.encode(model, form=form)) for form in ("digits", "entropy")}
    record = {"bytes": len(program), "bytes_by_form": sizes, "score": round(score, 2)}
    record |= {"model_bytes": model.nbytes, "neurons": model.config.neurons}
    record["command"] = " ".join(["python bench/pyth_kilobyte.py", *sys.argv[1:]])
    write_result("pyth", {**machine("numpy"), **record})
    print(f"{len(program)} bytes, score {score:.2f}, of a model of {model.nbytes} bytes; the evaluator agrees")


if __name__ == "__main__":
    main()
