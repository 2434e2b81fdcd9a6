"""``cppn collage``: a perceptron for every picture, and all of them on one sheet."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import cppn_native as cn

from .files import check_outputs, pictures, print_json, print_table

__all__ = ["arguments", "collage"]

STEPS, BATCH = 20_000, 512  # each network is alone on its thread: nothing to wait for, so batches may be small


def collage(args: argparse.Namespace) -> int:
    """Train a MysteryNet for every picture and draw all of them on one sheet.

    examples:
      cppn collage flags/*.png -o collage.png
      cppn collage flags/*.png --minutes 30 --models nets/ -o collage.png

    Every network is saved as soon as it is trained, as .safetensors in --models.
    The same command again goes on where it was stopped.
    """
    begun = time.monotonic()
    output = args.output or "collage.png"
    check_outputs("", [("-o", output, pictures())])
    folder = Path(args.models or f"{Path(output).stem}-nets")
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{Path(picture).stem}.safetensors" for picture in args.picture]
    doubled = sorted({path.stem for path in paths if paths.count(path) > 1})
    if doubled:
        raise ValueError(f"two pictures are called {doubled[0]}")
    _train(args, [n for n, path in enumerate(paths) if not path.exists()], paths)
    models = [cn.load(path) for path in paths]
    quality = [model.psnr(_read(picture)) for model, picture in zip(models, args.picture, strict=True)]
    from ..image import save_image

    save_image(output, cn.collage(models, args.columns, names=[path.stem for path in paths], width=args.width))
    _say(args, paths, quality, time.monotonic() - begun, output)
    return 0


def _train(args: argparse.Namespace, missing: Sequence[int], paths: Sequence[Path]) -> None:
    from .. import _core
    from ..devices import check_threads, open_cpu
    from ..fit.order import check_budget
    from ..fit.perceptron_crew import train_crew
    from ..fit.perceptron_state import PerceptronPlan
    from ..progress import Reporter

    check_budget(None, args.steps, args.minutes, args.seed)
    check_threads(args.threads)
    threads = args.threads or min(_core.hardware_threads(), 1024)
    plan = PerceptronPlan(
        cn.recipes.mysterynet(), steps=args.steps or STEPS, batch=BATCH, seed=args.seed, minutes=args.minutes
    )
    if args.steps is not None:
        plan = replace(plan, minutes=None)
    reporter = Reporter(not args.quiet, None)
    if len(missing) < len(paths):
        reporter.announce(f"{len(paths) - len(missing)} of {len(paths)} are there already")
    load = [partial(_floats, args.picture[n]) for n in missing]
    for number, model in train_crew(load, cn.PerceptronConfig(), plan, open_cpu(threads), threads, reporter):
        model.save(paths[missing[number]])


def _read(path: str) -> Any:
    """(H, W, 3) uint8 without the transparent margins, at most 320 pixels wide, as the author's flags were."""
    from PIL import Image

    from ..image import load_image, to_uint8

    image = np.asarray(to_uint8(load_image(path, channels=4)))
    solid = image[:, :, 3] > 127
    if solid.any():
        rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
        image = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    flat = Image.new("RGBA", image.shape[1::-1], "white")
    flat.alpha_composite(Image.fromarray(np.ascontiguousarray(image)))
    shown = flat.convert("RGB")
    if shown.width > 320:
        shown = shown.resize((320, max(1, round(320 * shown.height / shown.width))), Image.Resampling.LANCZOS)
    return np.asarray(shown)


def _floats(path: str) -> Any:
    return _read(path).astype(np.float32)


def _say(
    args: argparse.Namespace, paths: Sequence[Path], quality: Sequence[float], seconds: float, output: str
) -> None:
    order = np.argsort(quality)
    names = [path.stem for path in paths]
    mean, worst = float(np.mean(quality)), float(np.min(quality))
    if args.json:
        table = {names[n]: round(quality[n], 3) for n in order}
        print_json(
            pictures=len(paths), mean_psnr=mean, worst_psnr=worst, psnr=table, seconds=round(seconds, 1), files=[output]
        )
        return
    if args.quiet:
        return
    print(f"{len(paths)} pictures · mean {mean:.1f} dB · worst {worst:.1f} dB · {seconds:.0f} s · {output}")
    if len(paths) >= 6:
        ends = (("easiest", order[::-1][:5]), ("hardest", order[:5]))
        print_table((name, ", ".join(f"{names[n]} {quality[n]:.1f}" for n in some)) for name, some in ends)
    sys.stdout.flush()


def arguments(add: Callable[..., Any]) -> None:
    add("picture", nargs="+", help="PNG, JPEG, WebP, ...; transparent margins are cut off")
    add("-o", "--output", metavar="FILE", help="the sheet, a picture by suffix (default: collage.png)")
    add("--models", metavar="FOLDER", help="for the networks (default: NAME-nets of the sheet's NAME)")
    add("--steps", metavar="N", type=int, help=f"of every network (default: {STEPS})")
    add("--minutes", metavar="M", type=float, help="for all of them together, instead of --steps")
    add("--seed", metavar="N", type=int, default=0, help="same seed, same networks (default: 0)")
    add("--columns", metavar="N", type=int, help="pictures in a row (default: what looks best)")
    add("--width", metavar="N", type=int, default=160, help="of a picture on the sheet, in pixels (default: 160)")
    add("--threads", metavar="N", type=int, help="processor threads (default: all there are)")
    add("--quiet", action="store_true", help="say nothing but errors")
    add("--json", action="store_true", help="end with one JSON object on standard output")
