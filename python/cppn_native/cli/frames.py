"""What commands that write moving pictures share: their options, and frames on the way to files."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..progress import counted
from ..video import check_video, write_video

__all__ = ["grid", "motion_arguments", "size", "write_frames"]

Frame = NDArray[np.uint8]


def motion_arguments(add: Callable[..., Any], frames: str) -> None:
    """Options of ``write_frames`` and of how a frame looks; ``frames`` is their usual number, in words."""
    add("--frames", metavar="N", type=int, help=f"how many (default: {frames})")
    add("--fps", metavar="X", type=float, default=24, help="frames a second (default: 24)")
    add("--quality", metavar="N", type=int, default=90, help="of .webp (100: lossless) and .mp4 (default: 90)")
    add("--supersample", metavar="N", type=int, default=1, help="average N x N points a pixel (default: 1)")
    add("--quiet", action="store_true", help="show no progress")
    add("--json", action="store_true", help="end with one JSON object on standard output")


def write_frames(args: argparse.Namespace, outputs: list[str], frames: Iterable[Frame], count: int) -> None:
    """Rendered once, and held only if they go to several files."""
    for path in outputs:
        check_video(path, args.fps, args.quality)
    shown = frames if args.quiet else counted(frames, count, "frames")
    held = list(shown) if len(outputs) > 1 else None
    for path in outputs:
        write_video(path, shown if held is None else held, args.fps, quality=args.quality)


def size(text: str) -> tuple[int, int]:
    """640x480, or 640x and x640 for a square."""
    found = re.fullmatch(r"(\d{1,9})?x(\d{1,9})?", text.lower())
    width, height = (int(found[1] or found[2] or 0), int(found[2] or found[1] or 0)) if found else (0, 0)
    if not (width and height):
        raise argparse.ArgumentTypeError(f"must be like 640x480, or 640x for a square, got {text!r}")
    return width, height


def grid(text: str) -> tuple[int, int]:
    """6x4."""
    found = re.fullmatch(r"(\d{1,4})x(\d{1,4})", text.lower())
    if not found or not (int(found[1]) and int(found[2])):
        raise argparse.ArgumentTypeError(f"must be like 6x4, got {text!r}")
    return int(found[1]), int(found[2])
