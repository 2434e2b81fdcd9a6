"""``cppn latent``: random pictures with a latent vector, still, as a sheet, or walking."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ..art.latent import VARIANTS, Latent
from ..motion import frames_of_walk, walk_frames
from ..video import MOVING
from .files import check_outputs, pictures, print_json, programs
from .frames import grid, motion_arguments, size, write_frames

__all__ = ["arguments", "latent"]

NETWORK = ("seed", "variant", "z", "z_dim", "net_size", "depth", "scale", "contrast", "channels", "tile")
STILL, WALKING, TILE = (512, 512), (256, 256), (200, 200)
STOPS = 6


def latent(args: argparse.Namespace) -> int:
    """Paint a random picture, or walk through the pictures of one network.

    examples:
      cppn latent --seed 6 --contrast 0.3 --size 1920x1080 -o wallpaper.png
      cppn latent --variant sine --contrast 0.1 --tile -o tile.png
      cppn latent --sheet 6x4 --contrast 0.3 -o sheet.png
      cppn latent --seed 3 --contrast 0.3 --walk 6 --supersample 2 -o walk.gif

    A network of random weights sees x, y, the distance from the middle and the
    numbers z. The same seed gives the same picture at every size.
    """
    begun = time.perf_counter()
    given = {name: value for name, value in vars(args).items() if name in NETWORK}
    outputs: list[str] = args.output or [f"latent-{given.get('seed', 0)}.{'png' if args.walk is None else 'gif'}"]
    walks = args.walk is not None or any(Path(path).suffix.lower() in (".gif", ".apng", ".mp4") for path in outputs)
    if walks and args.sheet:
        raise ValueError("--sheet is a still picture: leave out --walk, and give -o a suffix such as .png")
    kinds = tuple(MOVING) if walks else pictures() if args.sheet else (*pictures(), *programs())
    check_outputs("", [("-o", path, kinds) for path in outputs])
    picture = Latent(**{"z_dim": len(given["z"])} | given if "z" in given else given)
    shape = args.size or (WALKING if walks else TILE if args.sheet else STILL)
    count = _walk(args, picture, shape, outputs) if walks else _still(args, picture, given, shape, outputs)
    seconds = time.perf_counter() - begun
    if args.json:
        z = [] if args.sheet else picture.z.tolist()
        print_json(size=shape, seed=picture.seed, z=z, frames=count, seconds=round(seconds, 3), files=outputs)
    else:
        what = f" · {count} frames" if walks else f" · {count} pictures" if args.sheet else ""
        print(f"{shape[0]} x {shape[1]} pixels{what} · {seconds:.1f} s · {', '.join(outputs)}")
    return 0


def _walk(args: argparse.Namespace, picture: Latent, shape: tuple[int, int], outputs: list[str]) -> int:
    stops = STOPS if args.walk is None else args.walk
    frames: int = frames_of_walk(stops, loop=True) if args.frames is None else args.frames
    look: dict[str, Any] = {"reach": args.reach, "size": shape, "supersample": args.supersample}
    walk = walk_frames(picture, stops, frames, args.walk_seed, **look)
    write_frames(args, outputs, walk, frames)
    return frames


def _still(
    args: argparse.Namespace, picture: Latent, given: dict[str, Any], shape: tuple[int, int], outputs: list[str]
) -> int:
    from ..art.contact import contact_sheet
    from ..image import save_image

    look = partial(Latent.render, size=shape, supersample=args.supersample)
    if args.sheet is None:
        pixels, count = look(picture), 1
    else:
        columns, count = args.sheet[0], args.sheet[0] * args.sheet[1]
        seeds = range(picture.seed, picture.seed + count)
        shown = (look(Latent(**given | {"seed": seed})) for seed in seeds)
        pixels = contact_sheet(shown, [f"seed {seed}" for seed in seeds], columns, shape)
    for path in outputs:
        if Path(path).suffix.lower() in programs():
            picture.export(path, size=shape)
        else:
            save_image(path, pixels)
    return count


def arguments(add: Callable[..., Any]) -> None:
    add("-o", "--output", metavar="FILE", action="append", help="a picture or a program by suffix, or a walk: .gif, "
        ".webp, .apng, .png, .mp4; may be repeated (default: latent-SEED.png, walking .gif)")  # fmt: skip
    add("--size", metavar="WxH", type=size, help="(default: 512x512, walking 256x256, in a sheet 200x200)")
    add("--sheet", metavar="CxR", type=grid, help="a contact sheet of C x R pictures, a seed each from --seed on")
    add("--walk", metavar="N", type=int, nargs="?", const=STOPS, help="a closed walk through N random z (default, "
        f"and for .gif, .apng and .mp4: {STOPS})")  # fmt: skip
    add("--walk-seed", metavar="N", type=int, default=0, help="of the other z of a walk (default: 0)")
    add("--reach", metavar="X", type=float, default=0.2, help="how far a walk goes: 1 is as far as random z are, and "
        "hurried (default: 0.2)")  # fmt: skip
    motion_arguments(add, "24 for each z")

    add = partial(add, default=argparse.SUPPRESS)  # what is not given is left to Latent
    whole: dict[str, Any] = {"metavar": "N", "type": int}
    add("--seed", **whole, help="same seed, same picture (default: 0)")
    add("--variant", choices=tuple(VARIANTS), help="nonlinearities (default: tanh)")
    add("--contrast", metavar="X", type=float, help="1 is loud, 0.3 has softer colours (default: 1)")
    add("--scale", metavar="X", type=float, help="how much of the plane is seen (default: 8)")
    add("--channels", type=int, choices=(1, 3), help="grey or colour (default: 3)")
    add("--tile", action="store_true", help="a picture that can be laid side by side without a seam")
    add("--net-size", **whole, help="neurons of a layer (default: 32)")
    add("--depth", **whole, help="layers between the first and the output (default: 3)")
    add("--z-dim", **whole, help="how many numbers z has (default: 8)")
    add("--z", metavar="Z,Z,...", type=_numbers, help="the numbers z (default: random)")


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be like 0.5,-0.25,1, got {text!r}") from None
