"""``cppn morph``: one model turning into another, as a moving picture."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from typing import Any

import cppn_native as cn

from ..motion import EASES, morph_frames
from ..video import MOVING
from .files import check_outputs, named, print_json
from .frames import motion_arguments, size, write_frames

__all__ = ["arguments", "morph"]


def morph(args: argparse.Namespace) -> int:
    """Turn one model into another of the same shape, as a moving picture.

    examples:
      cppn morph a.cppn b.cppn -o morph.gif
      cppn morph a.cppn b.cppn --frames 96 --fps 30 --one-way -o morph.mp4

    Two models have one shape if they were fitted with the same options: as many
    neurons, the same activations. What lies between is no photograph.
    """
    begun = time.perf_counter()
    outputs: list[str] = args.output or ["morph.gif"]
    for source in (args.a, args.b):
        check_outputs(source, [("-o", path, tuple(MOVING)) for path in outputs])
    a, b = named(args.a, cn.load), named(args.b, cn.load)
    shape = a.size if args.size is None else args.size
    look: dict[str, Any] = {"size": shape, "ease": args.ease, "loop": not args.one_way, "supersample": args.supersample}
    frames = 48 if args.frames is None else args.frames
    write_frames(args, outputs, _frames(args, a, b, frames, look), frames)
    seconds = time.perf_counter() - begun
    if args.json:
        print_json(size=shape, frames=frames, fps=args.fps, seconds=round(seconds, 3), files=outputs)
    else:
        print(f"{shape[0]} x {shape[1]} pixels · {frames} frames · {seconds:.1f} s · {', '.join(outputs)}")
    return 0


def _frames(args: argparse.Namespace, a: Any, b: Any, frames: int, look: dict[str, Any]) -> Iterator[Any]:
    """With the file in the message for a model that does not go with the first."""
    try:
        a.blend(b, 0.5)
    except ValueError as error:
        raise ValueError(f"{args.b}: {str(error).removeprefix('other ')}") from None
    return morph_frames(a, b, frames, **look)


def arguments(add: Callable[..., Any]) -> None:
    add("a", help="a .cppn or .safetensors file")
    add("b", help="another of the same shape")
    add("-o", "--output", metavar="FILE", action="append", help=f"{', '.join(MOVING)}; may be repeated (default: "
        "morph.gif)")  # fmt: skip
    add("--size", metavar="WxH", type=size, help="(default: that of the first model)")
    add("--ease", choices=tuple(EASES), default="smooth", help="smooth: slow at both ends (default: smooth)")
    add("--one-way", action="store_true", help="end at the second model (default: there and back)")
    motion_arguments(add, "48")
