"""One function for each command; its docstring is the command's help."""

from __future__ import annotations

import argparse
import shutil
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cppn_native as cn

from ..coords import Region
from .files import (
    MODELS,
    Output,
    check_outputs,
    complain,
    named,
    pictures,
    print_json,
    print_table,
    report_fit,
    say_interrupted,
    warnings_in_a_line,
    write,
    write_side_by_side,
)
from .many import fit_many

if TYPE_CHECKING:
    from ..models.base import Model

__all__ = ["devices", "fit", "info", "neurons", "render"]

OURS = {"run", "picture", "output", "side_by_side", "quiet", "json"}
"""What ``cppn fit`` keeps for itself; every other option goes to ``train``, if given."""
FOR_THE_BEST = {"max_bytes", "minutes", "seed", "threads", "background", "checkpoint"}
"""Whoever gives --max-bytes, and perhaps others of these, but none that only one kind of model has, gets the kind that
scores best for the bytes."""


def fit(args: argparse.Namespace) -> int:
    """Fit a network to a picture, or to each of several, and write what it became.

    examples:
      cppn fit photo.jpg
      cppn fit photo.jpg -o photo.cppn -o decoded.png --minutes 2
      cppn fit photo.jpg --max-bytes 512 --side-by-side compare.png
      cppn fit photo.jpg --minutes 600 --checkpoint photo.npz
      cppn fit *.jpg -o models/
      cppn fit photo.jpg --max-bytes 2048 --minutes 10
      cppn fit flag.png --model mysterynet --minutes 5 -o flag.safetensors

    Ctrl-C stops early, writes the best so far and exits with 130.
    """
    from ..image import load_image, to_uint8

    given = {name: value for name, value in vars(args).items() if name not in OURS}
    if "max_bytes" in given and given.keys() <= FOR_THE_BEST:
        given["model"] = "best"
    if len(args.picture) > 1 or any(path.endswith("/") for path in args.output):
        return fit_many(args, given)
    picture = args.picture[0]
    kinds = MODELS if given.get("model", "cascade") in ("cascade", "waves", "best") else (".safetensors",)
    outputs: list[str] = args.output or [f"{Path(picture).stem}{kinds[0]}"]
    checked: list[Output] = [("-o", path, (*kinds, *pictures())) for path in outputs]
    checked += [("--side-by-side", path, pictures()) for path in args.side_by_side]
    if "checkpoint" in given:
        checked.append(("--checkpoint", given["checkpoint"], ()))
    check_outputs(picture, checked)
    original = to_uint8(load_image(picture, background=given.get("background", "white")))

    begin = time.monotonic()
    try:
        with warnings_in_a_line():
            model: Model = cn.train(picture, progress=not args.quiet, **given)
    except cn.DivergedError as error:
        if error.model is not None:
            write(error.model, outputs)
        raise
    seconds = time.monotonic() - begin
    write(model, outputs)
    psnr = model.psnr(original)
    for path in args.side_by_side:
        write_side_by_side(path, original, model, psnr)
    report_fit(args, picture, model, model.score(original), psnr, seconds, [*outputs, *args.side_by_side])
    return say_interrupted(model.stopped == "interrupt")


def render(args: argparse.Namespace) -> int:
    """Render a model at any size.

    examples:
      cppn render photo.cppn
      cppn render photo.cppn --size 3840x -o big.png
      cppn render photo.cppn --region 0.25,0.25,0.75,0.75 --scale 4
    """
    from ..image import save_image

    if args.size and args.scale:
        raise ValueError("--size and --scale exclude each other: give one of them")
    outputs: list[str] = args.output or [f"{Path(args.file).stem}.png"]
    model = named(args.file, cn.load)
    check_outputs(args.file, [("-o", path, pictures()) for path in outputs])
    size = _render_size(model.size, args.region or (0.0, 0.0, 1.0, 1.0), args.size, args.scale or 1.0)
    pixels = model.render(size, region=args.region, supersample=args.supersample, device=args.device)
    for path in outputs:
        save_image(path, pixels)
    print(f"{size[0]} x {size[1]} pixels · {', '.join(outputs)}")
    return 0


def _render_size(
    fitted: tuple[int, int], region: Region, size: tuple[int, int] | None, scale: float
) -> tuple[int, int]:
    """What is asked for, 0 being free. Without a size the region, undistorted, fills the fitted picture."""
    left, top, right, bottom = region
    across, down = fitted[0] * (right - left), fitted[1] * (bottom - top)
    if size is None:
        width, height = (side * scale / max(right - left, bottom - top) for side in (across, down))
    else:
        width, height = size[0] or size[1] * across / down, size[1] or size[0] * down / across
    return max(1, round(min(1 << 30, width))), max(1, round(min(1 << 30, height)))


def info(args: argparse.Namespace) -> int:
    """Say what .cppn files hold.

    examples:
      cppn info photo.cppn
      cppn info --json *.cppn
    """
    code, gap = 0, ""
    for path in args.files:
        try:
            found = named(path, cn.info)
        except (ValueError, OSError) as error:
            code = complain(error, args)
            continue
        if args.json:
            print_json(file=path, **found | ({"config": asdict(found["config"])} if "config" in found else {}))
        else:
            print(gap + path)
            gap = "\n"
            rows = _list_rows(found) if "config" in found else _info_rows(found)
            print_table(("  " + name, value) for name, value in rows)
    return code


def _list_rows(found: dict[str, Any]) -> list[tuple[str, str]]:
    header, payload, total = found["header_bytes"], found["payload_bytes"], found["file_bytes"]
    if found["kind"] == "waves":
        thing, bits = "wave", found["bits_per_wave"]
        picture = f"{found['parameters']} waves, of the first {found['n']}"
    else:
        thing, bits = "shape", found["bits_per_shape"]
        picture = f"{found['kind']}, {found['n']} shapes, {found['parameters']} numbers"
    rows = [
        ("size", f"{found['width']} x {found['height']} pixels"),
        ("picture", picture),
        ("bytes", f"{total}: header {header}, payload {payload}, checksum {total - header - payload}"),
        (f"per {thing}", f"{bits:.1f} bits"),
        ("checksum", f"{found['checksum']:04x}"),
    ]
    if found.get("filter"):
        rows.insert(2, ("filter", f"{found['strength'] / 64:.2f} times"))
    return rows


def _info_rows(found: dict[str, Any]) -> list[tuple[str, str]]:
    hidden = found["activation"]
    if not isinstance(hidden, str):
        hidden = ", ".join(f"{count} {name}" for name, count in Counter(hidden).items())
    header, payload, total = found["header_bytes"], found["payload_bytes"], found["file_bytes"]
    return [
        ("size", f"{found['width']} x {found['height']} pixels"),
        ("network", f"{found['kind']}, {found['neurons']} neurons, {found['weights']} weights"),
        ("activation", f"{hidden}; outputs {found['output_activation']}"),
        ("coordinates", found["coords"]),
        ("bytes", f"{total}: header {header}, payload {payload}, checksum {total - header - payload}"),
        ("coder", f"{found['coder']}, format version {found['version']}"),
        ("per weight", f"{found['bits_per_weight']:.2f} bits"),
        ("steps", ", ".join(f"{step:.4g}" for step in found["steps"])),
        ("checksum", f"{found['checksum']:04x}"),
    ]


def neurons(args: argparse.Namespace) -> int:
    """Draw what every neuron sees of the picture, outputs last.

    examples:
      cppn neurons photo.cppn
      cppn neurons photo.cppn -o neurons.png --columns 9
    """
    from ..image import save_image
    from ..sheets import activation_sheet

    output = args.output or f"{Path(args.file).stem}-neurons.png"
    model = named(args.file, cn.load)
    check_outputs(args.file, [("-o", output, pictures())])
    sheet = activation_sheet(model, args.columns)
    save_image(output, sheet)
    print(f"{sheet.shape[1]} x {sheet.shape[0]} pixels · {output}")
    return 0


def devices(args: argparse.Namespace) -> int:
    """List what this machine can compute on.

    examples:
      cppn devices
    """
    rows = [("DEVICE", "INSTRUCTIONS", "THREADS", "STATE")]
    for d in cn.devices():
        ready = f"ready: {d.description}" if d.description else "ready"
        state = ready if d.available else f"not available: {d.why}"
        rows.append((d.name, d.isa or "-", str(d.threads or "-"), state))
    print_table(rows, shutil.get_terminal_size().columns)
    return 0
