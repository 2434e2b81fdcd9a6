"""The command line: ``cppn fit | render | info | neurons | devices``, also ``python -m cppn_native``.

Exit codes: 0 done, 1 failed (a line on standard error says why), 2 usage, 130 interrupted (a fit keeps its best).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import cppn_native as cn

from .coords import CONVENTIONS, Region
from .models.base import check_region

if TYPE_CHECKING:
    from .models.base import Model

__all__ = ["main"]

T = TypeVar("T")
MODELS = (".cppn", ".safetensors")
OURS = {"run", "picture", "output", "side_by_side", "quiet", "json"}
"""What ``cppn fit`` keeps for itself; every other option goes to ``train``, if given."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; ``SystemExit`` for --help, --version and wrong usage."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a file name may hold what the terminal cannot show
    args = argparse.Namespace()
    try:
        try:
            parser = _parser()
            parser.parse_args(argv, args)
            if "run" in args:
                return int(args.run(args))
            parser.print_help(sys.stderr)
            return 2
        finally:
            _flush()
    except BrokenPipeError:  # the reader has seen enough, as head does
        return 1
    except KeyboardInterrupt:
        print("cppn: interrupted", file=sys.stderr)
        return 130
    except (ValueError, OSError, MemoryError, cn.DeviceError, cn.DivergedError) as error:
        return _complain(error, args)


def _flush() -> None:
    """Writes what is still held back while a failure can be met: at exit Python would print its traceback."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def _complain(error: BaseException, args: argparse.Namespace) -> int:
    """One line in the words of a command line: ``max_bytes must be ...`` is about ``--max-bytes``."""
    text = " ".join(str(error).split()) or ("out of memory" if isinstance(error, MemoryError) else repr(error))
    name = re.split(r"\W", text, maxsplit=1)[0]
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        text = f"{os.fsdecode(error.filename)}: {error.strerror}"
    elif name in args:
        text = f"--{name.replace('_', '-')}{text[len(name) :]}"
    print(f"cppn: error: {text}", file=sys.stderr)
    return 1


def _fit(args: argparse.Namespace) -> int:
    from .image import load_image, to_uint8

    outputs: list[str] = args.output or [f"{Path(args.picture).stem}.cppn"]
    given = {name: value for name, value in vars(args).items() if name not in OURS}
    checked = [("-o", path, (*MODELS, *_pictures())) for path in outputs]
    checked += [("--side-by-side", path, _pictures()) for path in args.side_by_side]
    checked += [("--checkpoint", given[name], ()) for name in given if name == "checkpoint"]
    _check_outputs(args.picture, checked)
    original = to_uint8(load_image(args.picture, background=given.get("background", "white")))

    begin = time.monotonic()
    try:
        model: Model = cn.train(args.picture, progress=not args.quiet, **given)
    except cn.DivergedError as error:
        if error.model is not None:
            _write(error.model, outputs)
        raise
    seconds = time.monotonic() - begin
    _write(model, outputs)
    score, psnr = model.score(original), model.psnr(original)
    for path in args.side_by_side:
        _write_side_by_side(path, original, model, psnr)
    if args.json:
        _print_json(
            picture=args.picture, size=model.size, bytes=model.nbytes, weights=model.n_params, score=score,
            psnr=psnr if math.isfinite(psnr) else None, seconds=round(seconds, 3), stopped=model.stopped,
            files=[*outputs, *args.side_by_side],
        )  # fmt: skip
    elif not args.quiet:
        minutes, rest = divmod(round(seconds), 60)
        spent = f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"
        files = ", ".join([*outputs, *args.side_by_side])
        print(f"{model.nbytes} bytes · score {score:.1f} · {psnr:.1f} dB · {spent} · {files}")
    if model.stopped != "interrupt":
        return 0
    print("cppn: interrupted; the best so far is kept", file=sys.stderr)
    return 130


def _render(args: argparse.Namespace) -> int:
    from .image import save_image

    outputs: list[str] = args.output or [f"{Path(args.file).stem}.png"]
    _check_outputs(args.file, [("-o", path, _pictures()) for path in outputs])
    model = _named(args.file, cn.load)
    size = _render_size(model.size, args.region or (0.0, 0.0, 1.0, 1.0), args.size, args.scale)
    pixels = model.render(size, region=args.region, supersample=args.supersample)
    for path in outputs:
        save_image(path, pixels)
    print(f"{size[0]} x {size[1]} pixels · {', '.join(outputs)}")
    return 0


def _render_size(
    fitted: tuple[int, int], region: Region, size: tuple[int, int] | None, scale: float
) -> tuple[int, int]:
    """What is asked for, 0 being free; without a size, the region in its shape, as large as the picture holds it."""
    left, top, right, bottom = region
    across, down = fitted[0] * (right - left), fitted[1] * (bottom - top)
    if size is None:
        width, height = (side * scale / max(right - left, bottom - top) for side in (across, down))
    else:
        width, height = size[0] or size[1] * across / down, size[1] or size[0] * down / across
    return max(1, round(min(1 << 30, width))), max(1, round(min(1 << 30, height)))


def _info(args: argparse.Namespace) -> int:
    code = 0
    for number, path in enumerate(args.files):
        try:
            found = _named(path, cn.info)
        except (ValueError, OSError) as error:
            code = _complain(error, args)
            continue
        if args.json:
            _print_json(file=path, **found)
        else:
            print("\n" * (number > 0) + path)
            _print_table(("  " + name, value) for name, value in _info_rows(found))
    return code


def _info_rows(found: dict[str, Any]) -> list[tuple[str, str]]:
    hidden = found["activation"]
    kinds = hidden if isinstance(hidden, str) else ", ".join(f"{hidden.count(k)} {k}" for k in dict.fromkeys(hidden))
    header, payload, total = found["header_bytes"], found["payload_bytes"], found["file_bytes"]
    return [
        ("size", f"{found['width']} x {found['height']} pixels"),
        ("network", f"{found['kind']}, {found['neurons']} neurons, {found['weights']} weights"),
        ("activation", f"{kinds}; outputs {found['output_activation']}"),
        ("coordinates", found["coords"]),
        ("bytes", f"{total}: header {header}, payload {payload}, checksum {total - header - payload}"),
        ("coder", f"{found['coder']}, format version {found['version']}"),
        ("per weight", f"{found['bits_per_weight']:.2f} bits"),
        ("steps", ", ".join(f"{step:.4g}" for step in found["steps"])),
        ("checksum", f"{found['checksum']:04x}"),
    ]


def _neurons(args: argparse.Namespace) -> int:
    from .image import save_image
    from .sheets import activation_sheet

    output = args.output or f"{Path(args.file).stem}-neurons.png"
    _check_outputs(args.file, [("-o", output, _pictures())])
    sheet = activation_sheet(_named(args.file, cn.load), args.columns)
    save_image(output, sheet)
    print(f"{sheet.shape[1]} x {sheet.shape[0]} pixels · {output}")
    return 0


def _devices(args: argparse.Namespace) -> int:
    rows = [("DEVICE", "INSTRUCTIONS", "THREADS", "STATE")]
    for d in cn.devices():
        state = "ready" if d.available else f"not available: {d.why}"
        rows.append((d.name, d.isa or "-", str(d.threads or "-"), state))
    _print_table(rows)
    return 0


# -- files and lines ---------------------------------------------------------------------------------------------


def _pictures() -> tuple[str, ...]:
    from .image import _FORMATS

    return tuple(_FORMATS)


def _check_outputs(source: str, outputs: Iterable[tuple[str, str, tuple[str, ...]]]) -> None:
    """(option, path, suffixes) of what is going to be written: ``ValueError`` now instead of after the work."""
    taken = [source]
    for option, path, suffixes in outputs:
        folder = os.path.dirname(os.path.realpath(path))
        if suffixes and Path(path).suffix.lower() not in suffixes:
            raise ValueError(f"{option} {path}: must end in one of {', '.join(suffixes)}")
        if os.path.isdir(path):
            raise ValueError(f"{option} {path}: is a folder")
        if not os.path.isdir(folder):
            raise ValueError(f"{option} {path}: its folder does not exist")
        if not os.access(folder, os.W_OK):
            raise ValueError(f"{option} {path}: its folder cannot be written to")
        if any(_same(path, other) for other in taken):
            raise ValueError(f"{option} {path}: would overwrite {'the input' if _same(path, source) else 'another output'}")
        taken.append(path)


def _same(a: str, b: str) -> bool:
    with suppress(OSError):
        return os.path.samefile(a, b)
    return os.path.realpath(a) == os.path.realpath(b)
