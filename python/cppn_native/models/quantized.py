"""Shapes whose raw parameters are whole numbers of steps, so that they have a ``.cppn`` file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .base import Model
from .shapes import Shapes, ShapesConfig

__all__ = ["MOST_LEVEL", "QuantizedShapes", "to_rows"]

MOST_LEVEL = 8191
"""Of |level|, csrc/codec/list.h."""

BY_TERM = ("w_sin", "w_cos")
"""Arrays (terms, n); the others have the shapes first."""

Levels = NDArray[np.int32]


class QuantizedShapes(Shapes):
    """Shapes with parameters = levels * step.

    levels  (n, row) int32: of every shape its parameters one after the other, in the order of ``config.shapes()``
    codes   of the step of every parameter, 0 ... 255: ``_core.step_grid``
    """

    def __init__(self, config: ShapesConfig, size: tuple[int, int], levels: Levels, codes: Sequence[int]) -> None:
        self.levels = np.ascontiguousarray(levels, np.int32)
        self.codes = tuple(int(code) for code in codes)
        shapes = config.shapes()
        if len(self.codes) != len(shapes) or not all(0 <= code < 256 for code in self.codes):
            raise ValueError(f"codes must be {len(shapes)} integers from 0 to 255, got {codes!r}")
        each = [int(np.prod(shape)) // config.count for shape in shapes.values()]
        if self.levels.shape != (config.count, sum(each)) or np.abs(self.levels).max(initial=0) > MOST_LEVEL:
            raise ValueError(
                f"levels must be within {MOST_LEVEL} and of the shape {(config.count, sum(each))}, got {levels.shape}"
            )
        parameters, at = {}, 0
        for (name, shape), count, code in zip(shapes.items(), each, self.codes, strict=True):
            part = self.levels[:, at : at + count].astype(np.float32) * np.float32(_core.step_grid(code))
            parameters[name] = (part.T if name in BY_TERM else part).reshape(shape)
            at += count
        super().__init__(config, size, parameters)

    def load_state_dict(self, state: dict[str, NDArray[Any]]) -> None:
        """Only while it is made: other parameters would not be those of the levels."""
        if hasattr(self, "parameters"):
            raise ValueError("quantized shapes keep their levels: make Shapes of the parameters instead")
        super().load_state_dict(state)

    def to_bytes(self) -> bytes:
        """The ``.cppn`` file (docs/format.md)."""
        from ..listing import encode_shapes

        return encode_shapes(self)

    def save(self, path: Any) -> None:
        """Writes the model atomically: ``.cppn`` or, as float parameters, ``.safetensors``."""
        if Path(path).suffix.lower() == ".cppn":
            Model.save(self, path)
        else:
            super().save(path)


def to_rows(config: ShapesConfig, parameters: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
    """Every parameter as (n, count), in the order of a row."""
    found = []
    for name in config.shapes():
        array = parameters[name]
        found.append(array.T if name in BY_TERM else array.reshape(config.count, -1))
    return found
