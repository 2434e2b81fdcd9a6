"""Paintings and quantized shapes as ``.cppn`` files: lists of rows of integers (docs/format.md, kind 2)."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _core
from .errors import FormatError
from .models.genetic import SHAPES, Genetic, GeneticConfig
from .models.quantized import QuantizedShapes
from .models.shapes import FORMULAS, KINDS, ShapesConfig

__all__ = ["decode_list", "encode_painting", "encode_shapes", "list_info"]

CHOICES = dict(zip(SHAPES, (1, 2, 4, 7), strict=True))
TYPES = (Genetic.KIND, *KINDS)
"""In the order of their numbers in a file."""


def encode_painting(model: Genetic, *, quick: bool = False) -> bytes:
    """``ValueError`` for a grid finer than a file's: 8192 points, 1024 colours and alphas."""
    c, r = model.config, _core.ListRecord()
    r.type, (r.width, r.height), r.channels = 0, model.size, c.channels
    r.choices, r.vertices = CHOICES[c.shape], c.vertices
    r.points, r.colours, r.alphas = c.points, c.colours, c.alphas
    r.background = model.background.tolist()
    r.levels = model.entities
    return _core.encode_list(r, quick)


def encode_shapes(model: QuantizedShapes, *, quick: bool = False) -> bytes:
    c, r = model.config, _core.ListRecord()
    r.type, (r.width, r.height), r.channels = TYPES.index(c.kind), model.size, c.channels
    r.formula, r.terms = FORMULAS.index(c.formula), c.terms
    r.resolution = int(c.native(model.size)[-1])
    r.steps = list(model.codes)
    r.levels = model.levels
    return _core.encode_list(r, quick)


def decode_list(data: bytes) -> Genetic | QuantizedShapes:
    """``FormatError`` naming the offset and the reason."""
    r = _core.decode_list(data)
    size = (r.width, r.height)
    try:
        if r.type == 0:
            shape = next((name for name, choices in CHOICES.items() if choices == r.choices), str(r.choices))
            config = GeneticConfig(max(1, len(r.levels)), shape, r.vertices, r.channels, r.points, r.colours, r.alphas)
            return Genetic(config, size, np.array(r.background, np.int32), r.levels)
        kind = TYPES[r.type]
        more = {"resolution": r.resolution} if kind == "point" else {}
        shapes = ShapesConfig(kind, len(r.levels), r.terms or 8, r.channels, FORMULAS[r.formula], **more)
        return QuantizedShapes(shapes, size, r.levels, r.steps)
    except ValueError as error:
        raise FormatError(str(error)) from error


def list_info(data: bytes) -> dict[str, Any]:
    """As ``cn.info`` gives it."""
    found: dict[str, Any] = dict(_core.list_info(data))
    model = decode_list(data)
    kind = "genetic" if isinstance(model, Genetic) else model.config.kind
    found.update(kind=kind, config=model.config, parameters=model.n_params)
    found["bits_per_shape"] = 8 * len(data) / max(1, found["n"])
    return found
