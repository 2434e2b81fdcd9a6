"""``cppn export``: a model as programs in other languages."""

from __future__ import annotations

import argparse
from pathlib import Path

import cppn_native as cn

from .files import check_outputs, named, pictures

__all__ = ["export"]


def export(args: argparse.Namespace) -> int:
    """Write a model as a program in another language, which needs nothing else.

    examples:
      cppn export photo.cppn -o photo.html
      cppn export photo.cppn -o photo.py -o photo.c -o photo.js -o photo.glsl
      cppn export photo.cppn -o neurons.png

    A picture shows what every neuron sees. Programs are run first, where this
    machine can, and compared with the model.
    """
    from ..export import TARGETS
    from ..image import save_image
    from ..sheets import activation_sheet

    programs = tuple(f".{target}" for target in TARGETS)
    outputs: list[str] = args.output or [f"{Path(args.file).stem}.html"]
    model = named(args.file, cn.load)
    check_outputs(args.file, [("-o", path, (*programs, *pictures())) for path in outputs])
    for path in outputs:
        if Path(path).suffix.lower() in programs:
            model.export(path, verify=not args.no_verify)
        else:
            save_image(path, activation_sheet(model))
        print(f"{Path(path).stat().st_size} bytes · {path}")
    return 0
