"""``cppn shapes``: a picture out of differentiable shapes."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cppn_native as cn

from ..fit.shapes_state import LOSSES
from ..models.genetic import SHAPES
from ..models.shapes import FORMULAS, KINDS
from .files import (
    MODELS,
    check_outputs,
    decibel,
    pictures,
    print_json,
    say_interrupted,
    warnings_in_a_line,
)

__all__ = ["arguments", "shapes"]

MOVES = (".gif", ".apng", ".mp4")
PROGRAMS = (".svg", ".html", ".js", ".glsl")
OURS = {"run", "picture", "output", "frames", "fps", "scale", "quiet", "json"}
"""What ``cppn shapes`` keeps for itself; every other option goes to ``train``, if given."""
FRAMES = 120
SCALES = 32


def shapes(args: argparse.Namespace) -> int:
    """Build a picture out of shapes whose places, outlines and colours are learned.

    examples:
      cppn shapes photo.jpg
      cppn shapes photo.jpg --kind stroke -o painting.png -o painting.gif
      cppn shapes photo.jpg -n 64 --steps 3000 --scale 4 -o poster.png
      cppn shapes photo.jpg -o photo.safetensors -o photo.svg
      cppn shapes photo.jpg --kind genetic --shape triangle -o photo.svg
      cppn shapes photo.jpg --kind genetic --max-bytes 1024 -o photo.cppn

    Kinds: fourier, splats whose colours add up; depth, splats in front of each
    other; stroke, arcs of a brush; point, ink dots; article, discs; genetic,
    ellipses, triangles and polygons, painted one over the other. A .gif, .apng
    or .mp4 shows the training. Ctrl-C stops early, writes the best so far and
    exits with 130.
    """
    outputs: list[str] = args.output or [f"{Path(args.picture).stem}-{getattr(args, 'kind', 'fourier')}.png"]
    known = (*pictures(), *MOVES, *MODELS, *PROGRAMS)
    checked: list[Any] = [("-o", path, known) for path in outputs]
    if "checkpoint" in args:
        checked.append(("--checkpoint", args.checkpoint, ()))
    check_outputs(args.picture, checked)
    moving = [path for path in outputs if _suffix(path) in MOVES]
    _check_looks(args, moving)
    given = {name: value for name, value in vars(args).items() if name not in OURS}
    if moving and given.get("kind") != "genetic":  # a painting shows its entities one by one
        given["snapshots"] = args.frames
    begun = time.monotonic()
    with warnings_in_a_line():
        model = cn.train(args.picture, "shapes", progress=not args.quiet, **given)
    _write(model, outputs, args)
    _say(args, model, time.monotonic() - begun, outputs)
    return say_interrupted(model.stopped == "interrupt")


def _suffix(path: str) -> str:
    return Path(path).suffix.lower()


def _check_looks(args: argparse.Namespace, moving: Sequence[str]) -> None:
    from ..video import check_video

    if not 0 < args.scale <= SCALES:
        raise ValueError(f"scale must be a number above 0, at most {SCALES}, got {args.scale!r}")
    if not 1 <= args.frames <= 10_000:
        raise ValueError(f"frames must be an integer from 1 to 10000, got {args.frames!r}")
    for path in moving:
        check_video(path, args.fps, 90)


def _write(model: cn.Shapes | cn.Genetic, outputs: Sequence[str], args: argparse.Namespace) -> None:
    """Models first: they are what the time went into. What fails is reported when the others are written."""
    from ..image import save_image

    width, height = (max(1, round(side * args.scale)) for side in model.size)
    failures: list[OSError | ValueError] = []
    for path in sorted(outputs, key=lambda path: _suffix(path) not in MODELS):
        try:
            if _suffix(path) in MODELS:
                model.save(path)
            elif _suffix(path) in PROGRAMS:
                model.export(path)
            elif _suffix(path) in MOVES:
                model.timelapse(path, args.fps, (width, height))
            else:
                save_image(path, model.render((width, height), supersample=2 if args.scale < 1 else 1))
        except (OSError, ValueError) as error:
            failures.append(error)
    if failures:
        raise failures[0]


def _say(args: argparse.Namespace, model: cn.Shapes | cn.Genetic, seconds: float, outputs: list[str]) -> None:
    from ..image import load_image, to_uint8

    background = getattr(args, "background", "white")
    channels = None if model.config.channels == 3 else model.config.channels
    original = to_uint8(load_image(args.picture, background=background, channels=channels))
    psnr = model.psnr(original)
    if isinstance(model, cn.Genetic):
        kind, count = "genetic", len(model)
    else:
        kind, count = model.config.kind, model.config.count
    if args.json:
        print_json(
            picture=args.picture, size=model.size, kind=kind, n=count, bytes=model.nbytes,
            weights=model.n_params, score=model.score(original), psnr=psnr, seconds=round(seconds, 3),
            stopped=model.stopped, files=outputs,
        )  # fmt: skip
    elif not args.quiet:
        what = f"{count} of kind {kind}"
        print(f"{what} · {decibel(psnr)} · {seconds:.1f} s · {', '.join(outputs)}")


def arguments(add: Callable[..., Any]) -> None:
    add("picture", help="PNG, JPEG, WebP, TIFF, ...")
    add("-o", "--output", metavar="FILE", action="append", help="a picture, .safetensors, .svg, .html, ... or .gif, "
        ".apng, .mp4 of the training, by suffix; may be repeated (default: NAME-KIND.png, in the current "
        "folder)")  # fmt: skip
    whole: dict[str, Any] = {"metavar": "N", "type": int}
    add("--frames", **whole, default=FRAMES, help=f"of a moving picture (default: {FRAMES})")
    add("--fps", metavar="X", type=float, default=24, help="frames a second (default: 24)")
    add("--scale", metavar="X", type=float, default=1.0, help="times the picture's size: shapes have no pixels "
        "(default: 1)")  # fmt: skip
    add("--quiet", action="store_true", help="say nothing but errors")
    add("--json", action="store_true", help="end with one JSON object on standard output")

    add = partial(add, default=argparse.SUPPRESS)  # what is not given is left to train()
    counts = ", ".join(f"{kind.n} {name}" for name, kind in KINDS.items())
    rates = ", ".join(f"{kind.rate:g} {name}" for name, kind in KINDS.items())
    add("--kind", choices=(*KINDS, "genetic"), help="what the picture is made of (default: fourier)")
    add("-n", **whole, help=f"how many shapes (default: {counts})")
    add("--shape", choices=SHAPES, help="of kind genetic (default: ellipse)")
    add("--vertices", **whole, help="of a polygon, 3 to 8 (default: 5)")
    add("--max-bytes", **whole, help="of a .cppn file, which no other model has")
    add("--terms", **whole, help="of an outline's Fourier series (default: 8)")
    add("--formula", choices=FORMULAS, help="of an outline (default: notebook)")
    add("--channels", choices=(1, 3, 4), type=int, help="grey, colour, colour and alpha (default: 3)")
    add("--steps", **whole, help="of descent, the whole picture each (default without --minutes: 1000)")
    add("--minutes", metavar="M", type=float, help="time for all; with --steps, whichever ends first")
    add("--seed", **whole, help="same seed, same result (default: 0)")
    add("--loss", choices=tuple(LOSSES), help="what is made small (default: rmse)")
    add("--rate", metavar="X", type=float, help=f"of learning (default: {rates})")
    add("--decay", metavar="X", type=float, help="of AdamW (default: 0.01)")
    add("--fit-pixels", **whole, help="average larger pictures down to so many pixels (default: 262144)")
    add("--threads", **whole, help="processor threads (default: all there are)")
    add("--device", metavar="NAME", help="auto or cpu (default: auto)")
    add("--checkpoint", metavar="FILE", help="saved every few seconds; an existing one is continued")
    add("--background", metavar="COLOUR", help="under transparency: a name or '#336699' (default: white)")
