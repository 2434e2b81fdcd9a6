"""``cppn classify``: learn labelled points of a table, and draw what was learned."""

from __future__ import annotations

import argparse
import csv
import io
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import cppn_native as cn

from ..classify import random_points
from .files import check_outputs, pictures, print_json
from .frames import size

__all__ = ["arguments", "classify"]

Point: TypeAlias = tuple[float, float, str]

MOVES = (".gif", ".apng", ".mp4")
LARGEST_FILE, MOST_POINTS = 16 << 20, 1 << 18
USUAL = cn.PointClassifier().get_params()


def classify(args: argparse.Namespace) -> int:
    """Learn which points of a table belong together, and draw the plane.

    examples:
      cppn classify points.csv -o boundary.png -o timelapse.gif
      cppn classify points.csv --batch 16 --epochs 1000 --size 512x
      cppn classify --demo --seed 3 -o timelapse.gif

    The table has the columns x, y, label, with or without a line of names. --demo
    learns 32 random points of random labels. Of two labels red is the second in
    order, whose points are white; a .gif, .apng or .mp4 shows the training.
    """
    begun = time.perf_counter()
    if (args.points is None) != args.demo:
        raise ValueError("a table of points or --demo is needed, not both")
    source = args.points or "demo"
    outputs: list[str] = args.output or [f"{Path(source).stem}-boundary.png"]
    check_outputs(args.points or "", [("-o", path, (*pictures(), *MOVES)) for path in outputs])
    _check_moving(outputs, args.fps)
    if not 0 <= args.seed < 1 << 32:
        raise ValueError(f"seed must be an integer from 0 to {(1 << 32) - 1}, got {args.seed}")
    given = {name: value for name, value in vars(args).items() if name in USUAL}
    points, labels = random_points(random_state=args.seed) if args.demo else read_points(source)
    classifier = cn.PointClassifier(random_state=args.seed, verbose=not args.quiet, **given).fit(points, labels)
    _write(classifier, outputs, args)
    found: dict[str, Any] = {"points": len(points), "classes": classifier.classes_.tolist()}
    found |= {"epochs": classifier.n_iter_, "loss": classifier.loss_curve_[-1]}
    found |= {"score": classifier.score(points, labels), "seconds": round(time.perf_counter() - begun, 3)}
    if args.json:
        print_json(**found, files=outputs)
    else:
        print(
            f"{found['points']} points · {len(found['classes'])} classes · loss {found['loss']:.4f} · "
            f"{found['score']:.1%} right · {found['seconds']:.1f} s · {', '.join(outputs)}"
        )
    return 0


def _check_moving(outputs: list[str], fps: float) -> None:
    from ..video import check_video

    for path in outputs:
        if Path(path).suffix.lower() in MOVES:
            check_video(path, fps, 90)


def _write(classifier: cn.PointClassifier, outputs: list[str], args: argparse.Namespace) -> None:
    from ..image import save_image

    for path in outputs:
        if Path(path).suffix.lower() in MOVES:
            classifier.timelapse(path, args.fps, args.size)
        else:
            save_image(path, classifier.boundary(args.size))


def read_points(path: str) -> tuple[list[tuple[float, float]], list[int] | list[str]]:
    """(x, y) and label of every line of a table x,y,label; labels are integers if all of them are.

    A first line without numbers is a heading, empty lines are passed over. Raises ``ValueError`` naming file and line
    for what is no such table, for more than 16 MB or 2^18 points, and for labels that are all the same.
    """
    with open(path, "rb") as file:
        data = file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise ValueError(f"{path}: is larger than {LARGEST_FILE >> 20} MB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path}: is no text in UTF-8") from None
    found: list[Point] = []
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                point = _point(row)
                if point is None and (found or reader.line_num > 1 or len(row) != 3 or _number(row[0]) is not None):
                    raise ValueError(f"{path}: line {reader.line_num} must be x,y,label, got {','.join(row)[:60]!r}")
                found += [point] if point else []
            if len(found) > MOST_POINTS:
                raise ValueError(f"{path}: has more than {MOST_POINTS} points")
    except csv.Error as error:
        raise ValueError(f"{path}: line {reader.line_num}: {error}") from None
    labels: Any = [label for _, _, label in found]
    if len(set(labels)) < 2:
        raise ValueError(f"{path}: must have points of at least two labels, got {len(set(labels))} label(s)")
    with suppress(ValueError):
        labels = [int(label) for label in labels]
    return [(x, y) for x, y, _ in found], labels


def _point(row: list[str]) -> Point | None:
    if len(row) != 3 or not row[2].strip():
        return None
    x, y = _number(row[0]), _number(row[1])
    return None if x is None or y is None else (x, y, row[2].strip())


def _number(text: str) -> float | None:
    with suppress(ValueError):
        if abs(value := float(text)) <= 1e30:  # false for NaN
            return value
    return None


def arguments(add: Callable[..., Any]) -> None:
    add("points", nargs="?", help="a table (CSV) of x, y, label")
    add("--demo", action="store_true", help="instead of a table: 32 random points")
    add("-o", "--output", metavar="FILE", action="append", help="a picture by suffix, or .gif, .apng, .mp4: the "
        "training; may be repeated (default: NAME-boundary.png, in the current folder)")  # fmt: skip
    add("--size", metavar="WxH", type=size, default=(256, 256), help="(default: 256x256)")
    add("--fps", metavar="X", type=float, default=24, help="frames a second (default: 24)")
    add("--seed", metavar="N", type=int, default=0, help="same seed, same result (default: 0)")
    add("--quiet", action="store_true", help="show no progress")
    add("--json", action="store_true", help="end with one JSON object on standard output")

    add = partial(add, default=argparse.SUPPRESS)  # what is not given is left to PointClassifier
    add("--epochs", metavar="N", type=int, help=f"how often each point is seen (default: {USUAL['epochs']})")
    add("--batch", metavar="N", type=int, help="points a step, drawn (default: one after the other)")
    add("--hidden-layer-sizes", metavar="N,N,...", type=_widths, help="neurons of each hidden layer "
        f"(default: {','.join(map(str, USUAL['hidden_layer_sizes']))})")  # fmt: skip
    add("--learning-rate", metavar="X", type=float, help=f"(default: {USUAL['learning_rate']})")
    add("--decay", metavar="X", type=float, help=f"of the weights (default: {USUAL['decay']})")


def _widths(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be like 16,16,16, got {text!r}") from None
