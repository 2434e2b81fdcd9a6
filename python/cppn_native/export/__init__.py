"""A model as a program that needs none of this library: Python, JavaScript, C, a shader, a page (docs/exporting.md)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from ..image import write_atomic
from ..models.base import Model
from ..models.genetic import Genetic
from ..models.shapes import Shapes
from ..models.waves import Waves
from . import c, dense, figures, glsl, html, js, onnx, painting, pyth, python
from .dense import DenseProgram, Layered
from .expression import Program, program
from .verify import Verified, run_and_compare

__all__ = ["KNOWN", "TARGETS", "DenseProgram", "Program", "Verified", "export", "program", "run_and_compare", "sizes"]

T = TypeVar("T")
Exporter = Callable[[Program], "str | bytes"]

TARGETS: dict[str, Exporter] = {
    "py": python.source,
    "js": js.source,
    "c": c.source,
    "glsl": glsl.source,
    "html": html.source,
    "onnx": onnx.source,
    "pyth": pyth.source,
}
"""The exporters of cascades by target, which is also the suffix of their files; ``dense.TARGETS`` are those of random
pictures, ``painting.TARGETS`` those of paintings. Others enter themselves here."""

KNOWN = tuple(dict.fromkeys((*TARGETS, *painting.TARGETS)))


def export(
    model: Model | Layered,
    path: str | os.PathLike[str] | None = None,
    target: str | None = None,
    *,
    verify: bool = True,
    size: tuple[int, int] | None = None,
) -> str | bytes:
    """The model as a self-contained program; written to ``path`` atomically, if there is one, and returned.

    model   a cascade, or a random picture (``Painter``, ``Latent``), which every target has but "pyth" and "svg", or
            a painting (``Genetic``), which has "svg" and "html"
    path    where it goes; its suffix is the target, unless that is given
    target  one of ``KNOWN``: "py", "js", "c", "glsl", "html", "onnx", "pyth", "svg"
    verify  run the program and compare it with the model first, where this machine can
    size    (width, height) that the program renders when it is not told; None is the size fitted to

    Raises ``ValueError`` for an unknown target, one that the model cannot reach or a size that is none; ``ExportError``
    for a program that differs from the model, before anything is written; ``ImportError`` naming the extra that a
    target needs; ``OSError`` for what the disk refuses.
    """
    name = _target(path, target)
    text = _made(model, name, size)
    if verify:
        run_and_compare(model, name, text, size)
    if path is not None:
        write_atomic(path, _encoded(text))
    return text


def sizes(model: Model | Layered) -> dict[str, int]:
    """Bytes of every export of the model, by target; without those that it cannot reach or whose extra is not
    installed."""
    found = {}
    for name in KNOWN:
        with suppress(ImportError, ValueError):
            found[name] = len(_encoded(_made(model, name, None)))
    return found


def _made(model: Model | Layered, target: str, size: tuple[int, int] | None) -> str | bytes:
    if isinstance(model, Waves):
        raise ValueError("a Waves has no program yet: save it as .cppn or render it")
    if isinstance(model, Genetic):
        return _of(painting.TARGETS, target, model)(painting.painting(model, size))
    if isinstance(model, Shapes):
        return _of(figures.TARGETS, target, model)(model, size)
    if not dense.is_layered(model):
        form = program(model, size)
        return _of(TARGETS, target, model)(form)
    return _of(dense.TARGETS, target, model)(dense.dense_program(model, size))


def _of(table: Mapping[str, T], target: str, model: object) -> T:
    if target not in table:
        raise ValueError(f"a {type(model).__name__} cannot become {target!r}; it can {', '.join(table)}")
    return table[target]


def _encoded(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _target(path: str | os.PathLike[str] | None, target: str | None) -> str:
    known = ", ".join(KNOWN)
    if target is None and path is None:
        raise ValueError(f"export needs a path or a target: one of {known}")
    name = (Path(path).suffix if target is None and path is not None else str(target)).lower().removeprefix(".")
    if name not in KNOWN:
        if target is None:
            raise ValueError(f"path must end in one of .{known.replace(', ', ', .')}, got {os.fspath(path or '')!r}")
        raise ValueError(f"target must be one of {known}, got {target!r}")
    return name
