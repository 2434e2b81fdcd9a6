"""Differentiable shapes as programs: curves in an SVG, a shader, a page."""

from collections.abc import Callable

from ...models.shapes import Shapes
from . import glsl, html, js, svg
from .program import FigureProgram, figure_program

__all__ = ["TARGETS", "FigureProgram", "figure_program"]

Printer = Callable[[FigureProgram], str]


def _of(printer: Printer) -> Callable[[Shapes, tuple[int, int] | None], str]:
    return lambda model, size: printer(figure_program(model, size))


TARGETS: dict[str, Callable[[Shapes, tuple[int, int] | None], str]] = {
    "js": _of(js.source),
    "glsl": _of(glsl.source),
    "html": _of(html.source),
    "svg": svg.source,
}
"""The printers by target, of a model and a size."""
