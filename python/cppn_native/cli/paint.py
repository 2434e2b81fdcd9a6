"""``cppn paint``: random pictures, with every argument of the original Neural Painter and some more."""

from __future__ import annotations

import argparse
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..art.drawing import RANDOM, PainterConfig
from ..art.nonlinearities import TABLE
from ..art.painter import Painter
from .files import check_outputs, pictures, print_json, programs

__all__ = ["arguments", "paint"]

NAMES = tuple(PainterConfig.__dataclass_fields__)
TILE = 200


def paint(args: argparse.Namespace) -> int:
    """Paint a random picture with a random network, as Neural Painter does.

    examples:
      cppn paint --image_size 800x800 --hidden_size 100 --nr_hidden 4 \\
        --nonlin random_every_time --nr_channel 3 --coord_bias --seed 42 -o 42.png
      cppn paint --natural --image_size 7680x4320 --nonlin random_every_time \\
        --nr_channel 3 --coord_bias -o poster.png
      cppn paint --sheet 6x4 --seeds 0-23 --nonlin random_every_time \\
        --nr_channel 3 --coord_bias -o sheet.png

    Without --natural the picture is the original's to the bit: computed in float64,
    x running down, so that WxH gives W rows of H columns. With it x runs to the
    right, and all cores compute in float32.
    """
    begun = time.perf_counter()
    if args.sheet is not None or args.seeds is not None:
        size, painter, picture = _sheet(args)
    else:
        size, painter = args.image_size, Painter(args.image_size, **_config(args))
        picture = painter.render(**_look(args))
    seconds = time.perf_counter() - begun
    outputs = _written(args, picture, painter, size)
    height, width = picture.shape[:2]
    if args.json:
        picks = [] if painter is None else list(painter.picks)
        print_json(size=[width, height], picks=picks, seconds=round(seconds, 3), files=outputs)
    else:
        what = [] if painter is None else [" ".join(dict.fromkeys(painter.picks))]
        print(" · ".join([f"{width} x {height} pixels", *what, f"{seconds:.1f} s", ", ".join(outputs) or "shown"]))
    return 0


def _config(args: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(args, name) for name in NAMES}


def _look(args: argparse.Namespace) -> dict[str, Any]:
    natural = args.natural or args.supersample > 1
    return {
        "orientation": "natural" if natural else "compat",
        "supersample": args.supersample,
        "threads": args.threads,
    }


def _sheet(args: argparse.Namespace) -> tuple[tuple[int, int], None, Any]:
    from ..art.contact import contact_sheet

    size = args.image_size if args.image_size != (100, 100) else (TILE, TILE)
    seeds = args.seeds or range(args.seed, args.seed + args.sheet[0] * args.sheet[1])
    columns, rows = args.sheet or (min(6, len(seeds)), -(-len(seeds) // 6))
    if len(seeds) > columns * rows:
        raise ValueError(f"sheet of {columns}x{rows} has no room for {len(seeds)} seeds")

    def painted() -> Iterator[Any]:
        for seed in seeds:
            yield Painter(size, **_config(args) | {"seed": seed}).render(**_look(args))

    tile = size if _look(args)["orientation"] == "natural" else size[::-1]
    return size, None, contact_sheet(painted(), [f"seed {seed}" for seed in seeds], columns, tile)


def _written(args: argparse.Namespace, picture: Any, painter: Painter | None, size: tuple[int, int]) -> list[str]:
    from ..image import save_image

    outputs = [_named(path, args, size) for path in args.output]
    kinds = pictures() if painter is None else (*pictures(), *programs())
    check_outputs("", [("-o", path, kinds) for path in outputs])
    for path in outputs:
        if painter is not None and Path(path).suffix.lower() in programs():
            painter.export(path)
        else:
            save_image(path, picture)
    if not outputs:
        _show(picture)
    return outputs


def _named(path: str, args: argparse.Namespace, size: tuple[int, int]) -> str:
    if not args.auto_name:
        return path
    name = PainterConfig(**_config(args)).auto_name(size, ":" if args.auto_name == "original" else "=")
    stem, suffix = os.path.splitext(path)
    return f"{stem}-{name}{suffix}"


def _show(picture: Any) -> None:
    """In the desktop's viewer, as the original's window."""
    from PIL import Image, ImageShow

    if not ImageShow.show(Image.fromarray(picture)):
        raise ValueError("output is needed: this machine has no viewer to show a picture in; give -o FILE")


def arguments(add: Callable[..., Any]) -> None:
    """The original's flags, verbatim, then ours."""
    usual = PainterConfig()
    whole: dict[str, Any] = {"metavar": "N", "type": int}
    known = ", ".join((*TABLE, *RANDOM))
    add("--seed", "-s", **whole, default=usual.seed, help=f"same seed, same picture (default: {usual.seed})")
    add("--image_size", metavar="WxH", type=_size, default=(100, 100), help="(default: 100x100)")
    add("--hidden_size", **whole, default=usual.hidden_size, help=f"width (default: {usual.hidden_size})")
    add("--nr_hidden", **whole, default=usual.nr_hidden, help="layers from hidden to hidden (default: "
        f"{usual.nr_hidden})")  # fmt: skip
    add("--recurrent", action="store_true", help="hidden layers share their weights")
    add("--coord_bias", action="store_true", help="a third input that is 1")
    add("--nr_channel", type=int, choices=(1, 3), default=usual.nr_channel, help="grey or colour (default: 1)")
    add("--nonlin", metavar="NAME", choices=(*TABLE, *RANDOM), default=usual.nonlin, help=f"{known} (default: tanh)")
    add("--output_nonlin", metavar="NAME", choices=tuple(TABLE), default=usual.output_nonlin,
        help="one of the same, but random ones (default: identity)")  # fmt: skip
    add("--batch_norm", action="store_true", help="each pixel's features to mean 0 and deviation 1")
    add("--use_bias", action="store_true", help="random biases")
    positions = ("before_nonlin", "after_nonlin")
    add("--batch_norm_position", choices=positions, default=usual.batch_norm_position, help="(default: before_nonlin)")
    add("--output", "-o", metavar="FILE", action="append", default=[], help="a picture or a program (.html, .py, .js, "
        ".c, .glsl, .onnx) by suffix; may be repeated (default: show it)")  # fmt: skip
    add("--auto_name", nargs="?", choices=("original", "safe"), const="safe" if os.name == "nt" else "original",
        help="append the arguments to the name of the output; safe: with = for :, which Windows "
        "does not allow")  # fmt: skip
    add("--natural", action="store_true", help="x to the right, float32, all cores: the fast way")
    add("--supersample", metavar="N", type=int, default=1, help="average N x N points a pixel; implies --natural")
    add("--sheet", metavar="CxR", type=_size, help="a contact sheet of C x R pictures, a seed each")
    add("--seeds", metavar="A-B", type=_seeds, help="of the sheet, as 0-23 or 3,5,8 (default: from --seed on)")
    add("--threads", **whole, help="processor threads (default: all there are)")
    add("--json", action="store_true", help="end with one JSON object on standard output")


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,9})x(\d{1,9})", text.lower())
    if not found or not (int(found[1]) and int(found[2])):
        raise argparse.ArgumentTypeError(f"must be like 800x600, got {text!r}")
    return int(found[1]), int(found[2])


def _seeds(text: str) -> list[int]:
    seeds: list[int] = []
    for part in text.split(","):
        found = re.fullmatch(r"(\d{1,10})(?:-(\d{1,10}))?", part.strip())
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if not first <= last < first + 10_000 or len(seeds) > 10_000:
            raise argparse.ArgumentTypeError(f"must be like 0-23 or 3,5,8 and at most 10000, got {text!r}")
        seeds += range(first, last + 1)
    return seeds
