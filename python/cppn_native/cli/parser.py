"""The arguments of every command."""

from __future__ import annotations

import argparse
import inspect
import math
import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import cppn_native as cn

from ..coords import CONVENTIONS, Region
from ..fit.order_perceptron import USUAL_BYTES
from ..fit.plan import Plan
from ..models.base import check_region
from ..models.perceptron import PRESETS
from . import classify as classifying
from . import collage as collages
from . import commands
from . import latent as latents
from . import morph as morphing
from . import paint as painting
from . import sample as sampling
from . import shapes as shaping
from .export import export

__all__ = ["make_parser"]

METHODS = ("noise", "stochastic")
EPILOG = """\
examples:
  cppn fit photo.jpg --minutes 2
  cppn render photo.cppn --size 3840x
  cppn COMMAND --help

Exit codes: 0 done, 1 failed, 2 usage, 130 interrupted (a fit keeps its best)."""
USUAL = {name: parameter.default for name, parameter in inspect.signature(cn.train).parameters.items()}


def make_parser() -> argparse.ArgumentParser:
    """One subcommand for each function, whose docstring is its help."""
    layout: dict[str, Any] = {"formatter_class": argparse.RawDescriptionHelpFormatter, "allow_abbrev": False}
    text = "Fit a tiny network to a picture and keep the picture in a kilobyte."
    parser = argparse.ArgumentParser(prog="cppn", description=text, epilog=EPILOG, **layout)
    parser.add_argument("--version", action="version", version=f"cppn {cn.__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    for run, arguments in (
        (commands.fit, _fit_arguments),
        (commands.render, _render_arguments),
        (commands.info, _info_arguments),
        (commands.neurons, _neurons_arguments),
        (export, _export_arguments),
        (collages.collage, collages.arguments),
        (painting.paint, painting.arguments),
        (latents.latent, latents.arguments),
        (morphing.morph, morphing.arguments),
        (sampling.sample, sampling.arguments),
        (shaping.shapes, shaping.arguments),
        (classifying.classify, classifying.arguments),
        (commands.devices, None),
    ):
        text, _, examples = inspect.cleandoc(run.__doc__ or "").partition("\n\n")
        short = text[:1].lower() + text[1:].rstrip(".")
        command = subparsers.add_parser(run.__name__, help=short, description=text, epilog=examples, **layout)
        command.set_defaults(run=run)
        command._negative_number_matcher = re.compile(r"-[\d.]")  # so that a region may begin with a minus
        if arguments is not None:
            arguments(command.add_argument)
    return parser


def _fit_arguments(add: Callable[..., Any]) -> None:
    add("picture", nargs="+", help="the picture to fit: PNG, JPEG, WebP, TIFF, ...; of several, each")
    files: dict[str, Any] = {"metavar": "FILE", "action": "append", "default": []}
    add("-o", "--output", **files, help="write .cppn, .safetensors or a picture, by suffix; may be repeated "
        "(default: the picture's name with .cppn, in the current folder); of several pictures, the folder")  # fmt: skip
    add("--side-by-side", **files, help="write the original and the result in one picture")

    add = partial(add, default=argparse.SUPPRESS)  # what is not given is left to train()
    net = cn.CascadeConfig
    names = tuple(cn.ACTIVATIONS)
    known = f"{', '.join(names)} (default: {net.activation})"
    whole: dict[str, Any] = {"metavar": "N", "type": int}
    add("--model", choices=("best", "cascade", "waves", *PRESETS), help="what is fitted; cascades and waves have a "
        ".cppn file, perceptrons a .safetensors (default: cascade; with --max-bytes best: waves)")  # fmt: skip
    add("--max-bytes", **whole, help=f"size of the .cppn file (default: {USUAL_BYTES})")
    add("--minutes", metavar="M", type=float, help="time for all; with --steps, whichever ends first")
    add("--steps", **whole, help=f"of descent (default without --minutes: {Plan.steps}); of waves, ways tried")
    add("--seed", **whole, help=f"same seed, same result (default: {USUAL['seed']})")
    add("--neurons", **whole, help="outputs included (default: what fits into --max-bytes)")
    add("--activation", metavar="NAME", choices=names, help=f"of hidden neurons: {known}")
    add("--output-activation", metavar="NAME", choices=names, help=f"(default: {net.output_activation})")
    add("--coords", choices=CONVENTIONS, help=f"coordinate convention (default: {net.coords})")
    add("--radius", action="store_true", help="a further input: the distance from the origin")
    add("--octaves", **whole, help=f"further inputs: waves of N octaves (default: {net.octaves})")
    add("--method", choices=METHODS, help=f"how weights become integers (default: {Plan.method})")
    add("--threads", **whole, help="processor threads (default: all there are)")
    add("--device", metavar="NAME", help=f"auto, cpu, cuda or cuda:N (default: {USUAL['device']}, a "
        "GPU if there is one)")  # fmt: skip
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
    add("--device", metavar="NAME", default="auto", help="auto, cpu, cuda or cuda:N (default: auto, the CPU)")
    add("--supersample", metavar="N", type=int, default=1, help="average N x N points a pixel (N to 16)")


def _info_arguments(add: Callable[..., Any]) -> None:
    add("files", nargs="+", metavar="file", help="a .cppn file")
    add("--json", action="store_true", help="one JSON object on a line for each file")


def _neurons_arguments(add: Callable[..., Any]) -> None:
    add("file", help="a .cppn or .safetensors file")
    add("-o", "--output", metavar="FILE", help="a picture by suffix (default: NAME-neurons.png of NAME.cppn)")
    add("--columns", metavar="N", type=int, help="tiles in a row (default: what looks best)")


def _export_arguments(add: Callable[..., Any]) -> None:
    add("file", help="a .cppn or .safetensors file")
    add("-o", "--output", metavar="FILE", action="append", help="a program (.py, .js, .c, .glsl, .html, .onnx, "
        ".pyth, .svg) or a picture of the neurons, by suffix; may be repeated (default: the model's name with "
        ".html, in the current folder)")  # fmt: skip
    add("--no-verify", action="store_true", help="do not run and compare what can be run here")


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
