"""``cppn sample``: random pictures of so many bits of sophistication and of noise."""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Callable
from typing import Any

from .files import check_outputs, print_json, print_table

__all__ = ["arguments", "sample"]

SHAPE = ("size", "channels", "head")
LOOK = ("normalize", "levels", "colours", "threads")


def sample(args: argparse.Namespace) -> int:
    """Draw a random network of so many bits, and a picture it makes of noise.

    examples:
      cppn sample --soph 49149 --noise 16383 -o picture.png
      cppn sample --soph 49149 --noise 16383 --sheet -o six.png
      cppn sample --soph 262144 --noise 0 --head all --levels 16 --account
      cppn sample --atlas 16 -o atlas.pdf -o atlas.png

    The bits of both together are at most 4 for every channel of every pixel: 262144
    unless --size or --channels say otherwise.
    """
    from ..sophistication.atlas import SUFFIXES, save

    _check(args)
    outputs: list[str] = args.output or ([] if args.account else [_usual(args)])
    check_outputs("", [("-o", path, SUFFIXES) for path in outputs])
    begun = time.perf_counter()
    page: Any = _drawn(args) if outputs else None
    for path in outputs:
        save(path, page)
    seconds = time.perf_counter() - begun
    bits = _bits(args)
    if args.json:
        size = None if page is None else [page.shape[1], page.shape[0]]
        print_json(size=size, seed=args.seed, seconds=round(seconds, 3), files=outputs, **bits)
        return 0
    if args.account:
        rows = [(name.replace("_", " "), f"{value}") for name, value in bits["account"].items()]
        print_table([*rows, ("network", _words(bits["network"]))], shutil.get_terminal_size().columns)
    if page is not None:
        print(f"{page.shape[1]} x {page.shape[0]} pixels · {seconds:.1f} s · {', '.join(outputs)}")
    return 0


def _check(args: argparse.Namespace) -> None:
    """``ValueError`` for options that do not go together."""
    if args.atlas is None:
        for name in ("soph", "noise"):
            if getattr(args, name) is None:
                raise ValueError(f"--{name} is needed, a number of bits; or --atlas N")
        if args.cell is not None:
            raise ValueError("--cell is for an atlas: give --atlas N too")
        return
    for name in ("soph", "noise", "sheet", "account"):
        if getattr(args, name) not in (None, False):
            raise ValueError(f"--atlas and --{name} exclude each other")


def _usual(args: argparse.Namespace) -> str:
    return "sample.png" if args.atlas is None else "atlas.pdf"


def _drawn(args: argparse.Namespace) -> Any:
    from .. import sophistication

    given = {name: getattr(args, name) for name in (*SHAPE, *LOOK)}
    if args.atlas is not None:
        return sophistication.atlas(args.atlas, seed=args.seed, cell=args.cell, progress=not args.quiet, **given)
    draw = sophistication.sheet if args.sheet else sophistication.sample
    return draw(args.soph, args.noise, args.seed, **given)


def _bits(args: argparse.Namespace) -> dict[str, Any]:
    """What the picture costs, and the network it comes from."""
    from ..sophistication.account import account_of
    from ..sophistication.parameters import params

    if args.atlas is not None:
        return {}
    p = params(args.soph, args.noise, **{name: getattr(args, name) for name in SHAPE})
    network = {
        "depth": p.depth, "blocks": p.blocks, "side": p.side, "input_depth": p.input_depth, "filters": p.filters,
    }  # fmt: skip
    return {"account": account_of(p).record(), "network": network}


def _words(network: dict[str, Any]) -> str:
    side, depth, filters = network["side"], network["input_depth"], network["filters"]
    middle = f"filters {' '.join(map(str, filters))}" if filters else "no convolution"
    return f"input {side} x {side} x {depth}, {middle}, {network['blocks'] - 1} doublings"


def arguments(add: Callable[..., Any]) -> None:
    whole: dict[str, Any] = {"metavar": "N", "type": int}
    add("--soph", **whole, help="bits of sophistication: of the network's weights")
    add("--noise", **whole, help="bits of noise: of its input")
    add("--seed", **whole, default=0, help="same seed, same picture (default: 0)")
    add("--sheet", action="store_true", help="six pictures of one network")
    add("--atlas", **whole, help="N (N - 1) / 2 pictures, noise to the right, sophistication downward; 16 as "
        "in the notebook")  # fmt: skip
    add("--cell", **whole, help="side of an atlas's pictures on the page (default: --size)")
    add("--account", action="store_true", help="say where the bits go; without -o, nothing else")
    add("-o", "--output", metavar="FILE", action="append", default=[], help="a picture or .pdf by suffix; may be "
        "repeated (default: sample.png, or atlas.pdf)")  # fmt: skip
    add("--head", metavar="H", type=_head, default="none", help="constants among the input: none, least, half, "
        "all or how many (default: none)")  # fmt: skip
    add("--size", **whole, default=256, help="side in pixels, a power of two (default: 256)")
    add("--channels", type=int, choices=(1, 3), default=1, help="one in a colour map, or red, green and blue")
    add("--levels", **whole, help="cut values to so many; 16 are 4 bits")
    add("--colours", choices=("viridis", "grey"), default="viridis", help="of one channel (default: viridis)")
    add("--no-normalize", dest="normalize", action="store_false", help="show values as they are, not stretched")
    add("--threads", **whole, help="processor threads (default: all there are)")
    add("--quiet", action="store_true", help="no progress of an atlas")
    add("--json", action="store_true", help="end with one JSON object on standard output")


def _head(text: str) -> str | int:
    return int(text) if text.isdecimal() and len(text) < 10 else text
