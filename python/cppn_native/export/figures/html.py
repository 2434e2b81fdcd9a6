"""Shapes as a page: WebGL 2 with the shapes in a texture, or a 2-D canvas; one file, no request."""

from __future__ import annotations

from .. import html
from . import glsl, js
from .program import FigureProgram

__all__ = ["source"]

WORK = 12
"""Multiplications for a shape that is not there, a term of one that is included: what bands are measured in."""


def source(program: FigureProgram) -> str:
    """The page's text."""
    network = html.texture(glsl.network(program), "const d=L;")
    count, stride = program.rows.shape
    draw, options = html.banded(count * WORK)
    return html.shell(
        program, js.core(program), network, count=count * stride, draw=draw, options=options, heavy=count > 64
    )
