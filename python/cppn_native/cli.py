"""The command line: ``cppn fit | render | info | neurons | devices``, also ``python -m cppn_native``.

Exit codes: 0 done, 1 failed (a line on standard error says why), 2 usage, 130 interrupted (keeping the best).
"""

from __future__ import annotations

import argparse
import inspect
import json
import math
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import cppn_native as cn

from .coords import CONVENTIONS, Region
from .fit.plan import Plan
from .models.base import check_region

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .models.base import Model

__all__ = ["main"]

T = TypeVar("T")
Output: TypeAlias = tuple[str, str, tuple[str, ...]]
"""Option, path, and the suffixes it may have (none: any)."""
MODELS = (".cppn", ".safetensors")
METHODS = ("noise", "stochastic")
EPILOG = """\
examples:
  cppn fit photo.jpg --minutes 2
  cppn render photo.cppn --size 3840x
  cppn COMMAND --help

Exit codes: 0 done, 1 failed, 2 usage, 130 interrupted (a fit keeps its best)."""
USUAL = {name: parameter.default for name, parameter in inspect.signature(cn.train).parameters.items()}
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
    text = " ".join(str(error).split()) or type(error).__name__
    name = re.split(r"\W", text, maxsplit=1)[0]
    if isinstance(error, MemoryError):
        text = "not enough memory"
    elif isinstance(error, OSError) and error.filename is not None and error.strerror:
        text = f"{os.fsdecode(error.filename)}: {error.strerror}"
    elif getattr(args, name, None) is not None:
        text = f"--{name.replace('_', '-')}{text[len(name) :]}"
    print(f"cppn: error: {text}", file=sys.stderr)
    return 1


def _fit(args: argparse.Namespace) -> int:
    """Fit a network to a picture and write what it became.

    examples:
      cppn fit photo.jpg
      cppn fit photo.jpg -o photo.cppn -o decoded.png --minutes 2
      cppn fit photo.jpg --max-bytes 512 --side-by-side compare.png
      cppn fit photo.jpg --minutes 600 --checkpoint photo.npz

    Ctrl-C stops early, writes the best so far and exits with 130.
    """
    from .image import load_image, to_uint8

    outputs: list[str] = args.output or [f"{Path(args.picture).stem}.cppn"]
    given = {name: value for name, value in vars(args).items() if name not in OURS}
    checked: list[Output] = [("-o", path, (*MODELS, *_pictures())) for path in outputs]
    checked += [("--side-by-side", path, _pictures()) for path in args.side_by_side]
    if "checkpoint" in given:
        checked.append(("--checkpoint", given["checkpoint"], ()))
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
    psnr = model.psnr(original)
    for path in args.side_by_side:
        _write_side_by_side(path, original, model, psnr)
    _report(args, model, model.score(original), psnr, seconds, [*outputs, *args.side_by_side])
    return 130 if model.stopped == "interrupt" else 0


def _report(
    args: argparse.Namespace, model: Model, score: float, psnr: float, seconds: float, files: list[str]
) -> None:
    if args.json:
        _print_json(
            picture=args.picture, size=model.size, bytes=model.nbytes, weights=model.n_params, score=score,
            psnr=psnr if math.isfinite(psnr) else None, seconds=round(seconds, 3), stopped=model.stopped,
            files=files,
        )  # fmt: skip
    elif not args.quiet:
        minutes, rest = divmod(round(seconds), 60)
        spent = f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"
        print(f"{model.nbytes} bytes · score {score:.1f} · {_decibel(psnr)} · {spent} · {', '.join(files)}")
    if model.stopped == "interrupt":
        print("cppn: interrupted; the best so far is kept", file=sys.stderr)


def _render(args: argparse.Namespace) -> int:
    """Render a model at any size.

    examples:
      cppn render photo.cppn
      cppn render photo.cppn --size 3840x -o big.png
      cppn render photo.cppn --region 0.25,0.25,0.75,0.75 --scale 4
    """
    from .image import save_image

    if args.size and args.scale:
        raise ValueError("--size and --scale exclude each other: give one of them")
    outputs: list[str] = args.output or [f"{Path(args.file).stem}.png"]
    model = _named(args.file, cn.load)
    _check_outputs(args.file, [("-o", path, _pictures()) for path in outputs])
    size = _render_size(model.size, args.region or (0.0, 0.0, 1.0, 1.0), args.size, args.scale or 1.0)
    pixels = model.render(size, region=args.region, supersample=args.supersample)
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


def _info(args: argparse.Namespace) -> int:
    """Say what .cppn files hold.

    examples:
      cppn info photo.cppn
      cppn info --json *.cppn
    """
    code, gap = 0, ""
    for path in args.files:
        try:
            found = _named(path, cn.info)
        except (ValueError, OSError) as error:
            code = _complain(error, args)
            continue
        if args.json:
            _print_json(file=path, **found)
        else:
            print(gap + path)
            gap = "\n"
            _print_table(("  " + name, value) for name, value in _info_rows(found))
    return code


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


def _neurons(args: argparse.Namespace) -> int:
    """Draw what every neuron sees of the picture, outputs last.

    examples:
      cppn neurons photo.cppn
      cppn neurons photo.cppn -o neurons.png --columns 9
    """
    from .image import save_image
    from .sheets import activation_sheet

    output = args.output or f"{Path(args.file).stem}-neurons.png"
    model = _named(args.file, cn.load)
    _check_outputs(args.file, [("-o", output, _pictures())])
    sheet = activation_sheet(model, args.columns)
    save_image(output, sheet)
    print(f"{sheet.shape[1]} x {sheet.shape[0]} pixels · {output}")
    return 0


def _devices(args: argparse.Namespace) -> int:
    """List what this machine can compute on.

    examples:
      cppn devices
    """
    rows = [("DEVICE", "INSTRUCTIONS", "THREADS", "STATE")]
    for d in cn.devices():
        state = "ready" if d.available else f"not available: {d.why}"
        rows.append((d.name, d.isa or "-", str(d.threads or "-"), state))
    _print_table(rows)
    return 0


# -- files and lines -----------------------------------------------------------------------------------------


def _pictures() -> tuple[str, ...]:
    from .image import _FORMATS

    return tuple(_FORMATS)


def _check_outputs(source: str, outputs: Iterable[Output]) -> None:
    """``ValueError`` now, not after the work, for what cannot be written or would overwrite the input."""
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
        for other in taken:
            if _same(path, other):
                what = "the input" if other == source else "another output,"
                raise ValueError(f"{option} {path}: would overwrite {what} {other}")
        taken.append(path)


def _same(a: str, b: str) -> bool:
    with suppress(OSError):
        return os.path.samefile(a, b)
    return os.path.realpath(a) == os.path.realpath(b)


def _write(model: Model, outputs: Sequence[str]) -> None:
    """Models first: they are what the time went into. What fails is reported when the others are written."""
    from .image import save_image

    failures: list[OSError | ValueError] = []
    for path in sorted(outputs, key=lambda path: Path(path).suffix.lower() not in MODELS):
        try:
            if Path(path).suffix.lower() in MODELS:
                model.save(path)
            else:
                save_image(path, model.render())
        except (OSError, ValueError) as error:
            failures.append(error)
    if failures:
        raise failures[0]


def _write_side_by_side(path: str, original: NDArray[np.uint8], model: Model, psnr: float) -> None:
    from .image import save_image
    from .sheets import side_by_side

    captions = (f"original {model.size[0]} x {model.size[1]}", f"{model.nbytes} bytes · {_decibel(psnr)}")
    save_image(path, side_by_side(original, model.render(), captions))


def _decibel(psnr: float) -> str:
    return f"{psnr:.1f} dB" if math.isfinite(psnr) else "exact"


def _named(path: str, read: Callable[[str], T]) -> T:
    """``read(path)``, with the path in the message of a ``FormatError``."""
    try:
        return read(path)
    except cn.FormatError as error:
        raise error if path in str(error) else cn.FormatError(f"{path}: {error}") from None


def _print_json(**record: Any) -> None:
    print(json.dumps(record))


def _print_table(rows: Iterable[Sequence[str]]) -> None:
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


# -- the parser ----------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    """One subcommand for each function, whose docstring is its help."""
    layout: dict[str, Any] = {"formatter_class": argparse.RawDescriptionHelpFormatter, "allow_abbrev": False}
    text = "Fit a tiny network to a picture and keep the picture in a kilobyte."
    parser = argparse.ArgumentParser(prog="cppn", description=text, epilog=EPILOG, **layout)
    parser.add_argument("--version", action="version", version=f"cppn {cn.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for run, arguments in (
        (_fit, _fit_arguments),
        (_render, _render_arguments),
        (_info, _info_arguments),
        (_neurons, _neurons_arguments),
        (_devices, None),
    ):
        text, _, examples = inspect.cleandoc(run.__doc__ or "").partition("\n\n")
        short = text[:1].lower() + text[1:].rstrip(".")
        command = commands.add_parser(
            run.__name__[1:], help=short, description=text, epilog=examples, **layout
        )
        command.set_defaults(run=run)
        command._negative_number_matcher = re.compile(r"-[\d.]")  # so that a region may begin with a minus
        if arguments is not None:
            arguments(command.add_argument)
    return parser


def _fit_arguments(add: Callable[..., Any]) -> None:
    add("picture", help="the picture to fit: PNG, JPEG, WebP, TIFF, ...")
    files: dict[str, Any] = {"metavar": "FILE", "action": "append", "default": []}
    add("-o", "--output", **files, help="write .cppn, .safetensors or a picture, by suffix; may be repeated "
        "(default: the picture's name with .cppn, in the current folder)")  # fmt: skip
    add("--side-by-side", **files, help="write the original and the result in one picture")

    add = partial(add, default=argparse.SUPPRESS)  # what is not given is left to train()
    net = cn.CascadeConfig
    names = tuple(cn.ACTIVATIONS)
    known = f"{', '.join(names)} (default: {net.activation})"
    whole: dict[str, Any] = {"metavar": "N", "type": int}
    add("--max-bytes", **whole, help=f"size of the .cppn file (default: {USUAL['max_bytes']})")
    add("--minutes", metavar="M", type=float, help="time for all; with --steps, whichever ends first")
    add("--steps", **whole, help=f"steps of descent (default without --minutes: {Plan.steps})")
    add("--seed", **whole, help=f"same seed, same result (default: {USUAL['seed']})")
    add("--neurons", **whole, help="outputs included (default: what fits into --max-bytes)")
    add("--activation", metavar="NAME", choices=names, help=f"of hidden neurons: {known}")
    add("--output-activation", metavar="NAME", choices=names, help=f"(default: {net.output_activation})")
    add("--coords", choices=CONVENTIONS, help=f"coordinate convention (default: {net.coords})")
    add("--radius", action="store_true", help="a further input: the distance from the origin")
    add("--octaves", **whole, help=f"further inputs: waves of N octaves (default: {net.octaves})")
    add("--method", choices=METHODS, help=f"how weights become integers (default: {Plan.method})")
    add("--threads", **whole, help="processor threads (default: all there are)")
    add("--device", metavar="NAME", help=f"auto, cpu or cuda (default: {USUAL['device']})")
    add("--checkpoint", metavar="FILE", help="saved every few seconds; an existing one is continued")
    add("--background", metavar="COLOUR", help="under transparency: a name or '#336699' (default: white)")
    add("--quiet", action="store_true", default=False, help="say nothing but errors")
    add("--json", action="store_true", default=False, help="end with one JSON object on standard output")


def _render_arguments(add: Callable[..., Any]) -> None:
    add("file", help="a .cppn or .safetensors file")
    add("-o", "--output", metavar="FILE", action="append", help="a picture by suffix; may be repeated "
        "(default: the model's name with .png, in the current folder)")  # fmt: skip
    add("--size", metavar="WxH", type=_size, help="as 3840x3183; 3840x or x3183 keep the aspect")
    add("--scale", metavar="X", type=_scale, help="instead of --size: times the fitted size (default: 1)")
    add("--region", metavar="L,T,R,B", type=_region, help="left, top, right and bottom of the part to "
        "show, in fractions of the picture; may reach beyond it")  # fmt: skip
    add("--supersample", metavar="N", type=int, default=1, help="average N x N points a pixel (N to 16)")


def _info_arguments(add: Callable[..., Any]) -> None:
    add("files", nargs="+", metavar="file", help="a .cppn file")
    add("--json", action="store_true", help="one JSON object on a line for each file")


def _neurons_arguments(add: Callable[..., Any]) -> None:
    add("file", help="a .cppn or .safetensors file")
    add("-o", "--output", metavar="FILE", help="a picture by suffix (default: NAME-neurons.png of NAME.cppn)")
    add("--columns", metavar="N", type=int, help="tiles in a row (default: what looks best)")


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(0*[1-9]\d*)?[x×](0*[1-9]\d*)?", text.lower())
    size = (int(found[1] or 0), int(found[2] or 0)) if found else (0, 0)
    if not any(size):
        raise argparse.ArgumentTypeError(f"must be like 3840x3183, 3840x or x3183, got {text!r}")
    return size


def _scale(text: str) -> float:
    with suppress(ValueError):
        if 0 < float(text) < math.inf:
            return float(text)
    raise argparse.ArgumentTypeError(f"must be a positive number, got {text!r}")


def _region(text: str) -> Region:
    try:
        return check_region(text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be left,top,right,bottom with left < right and top < bottom, got {text!r}"
        ) from None
