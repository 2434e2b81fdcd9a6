"""A Pyth program after the 1020-byte Starry Night (docs/pyth.md): ``kaseorg`` writes it."""

from __future__ import annotations

from .. import kaseorg
from .expression import Program

__all__ = ["source"]


def source(program: Program) -> bytes:
    """Pixel indices are its coordinates, so it paints at the size fitted to; ``ValueError`` for any other."""
    model = program.model
    if program.size != model.size:
        raise ValueError(f"a Pyth program paints at the model's size {model.size}, got size={program.size}")
    return kaseorg.encode(model)
