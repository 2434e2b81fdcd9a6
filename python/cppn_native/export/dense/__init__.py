"""Random pictures (dense layers over the plane) as programs."""

from collections.abc import Callable

from . import c, glsl, html, js, onnx, python
from .program import DenseProgram, Layered, dense_program, is_layered

__all__ = ["TARGETS", "DenseProgram", "Layered", "dense_program", "is_layered"]

TARGETS: dict[str, Callable[[DenseProgram], str | bytes]] = {
    "py": python.source,
    "js": js.source,
    "c": c.source,
    "glsl": glsl.source,
    "html": html.source,
    "onnx": onnx.source,
}
"""The printers by target."""
