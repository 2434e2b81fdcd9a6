"""An ONNX graph: ``width`` and ``height`` (int64 scalars) in, ``picture`` (H, W, C) uint8 out. Needs the extra "onnx".

The nodes of the cascade are the rows of one matrix (nodes, pixels) that grows by a row with every neuron.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .expression import Line, Program
from .spelling import spelled

__all__ = ["source"]

OPSET = 17


def source(program: Program) -> bytes:
    """The model as ONNX writes it; ``ImportError`` naming the extra where the package onnx is not installed."""
    try:
        import onnx
    except ImportError:
        raise ImportError("exporting to ONNX needs the package onnx: pip install 'cppn-native[onnx]'") from None
    graph = _Graph(onnx)
    x, y = graph.coordinates("width", program.x), graph.coordinates("height", program.y)
    ones = graph("Expand", graph.constant([[1.0]]), graph("Concat", *graph.sizes, axis=0))
    columns = graph("Mul", ones, graph("Reshape", x, graph.constant([1, -1], np.int64)))
    rows = graph("Mul", ones, graph("Reshape", y, graph.constant([-1, 1], np.int64)))
    nodes = graph("Concat", *map(graph.as_row, (ones, columns, rows, *_further(graph, program, columns, rows))), axis=0)
    for n, name in enumerate(program.names):
        kinds = np.minimum(np.arange(program.inputs + n), program.inputs)
        steps = np.asarray(program.steps)[np.where(kinds == 0, 0, np.where(kinds < program.inputs, 1, 2))]
        z = graph("MatMul", graph.constant([np.asarray(program.row(n)) * steps]), nodes)
        nodes = graph("Concat", nodes, _activated(graph, name, z), axis=0)
    _show(graph, program, nodes)
    return graph.model()


def _further(graph: _Graph, program: Program, x: str, y: str) -> list[str]:
    """The distance from the origin, and the waves."""
    found = []
    if program.radius:
        found.append(graph("Sqrt", graph("Add", graph("Mul", x, x), graph("Mul", y, y))))
    for k in range(program.octaves):
        for coordinate in (x, y):
            phase = graph("Mul", coordinate, graph.constant(2.0**k * np.pi))
            found += [graph("Sin", phase), graph("Cos", phase)]
    return found


def _activated(graph: _Graph, name: str, z: str) -> str:
    """The words of its spelling, one after the other: an operator, ``square``, ``*c`` or ``+c``."""
    for word in spelled(name, "onnx").split():
        if word == "square":
            z = graph("Mul", z, z)
        elif word[0] in "*+":
            z = graph("Mul" if word[0] == "*" else "Add", z, graph.constant(float(word[1:])))
        else:
            z = graph(word, z)
    return z


def _show(graph: _Graph, program: Program, nodes: str) -> None:
    """floor(256 a), clipped; truncation is the floor of what is not negative."""
    first, last = (graph.constant([end], np.int64) for end in (-program.channels, 1 << 31))
    outputs = graph("Slice", nodes, first, last, graph.constant([0], np.int64))
    scaled = graph("Mul", graph("Transpose", outputs, perm=[1, 0]), graph.constant(256.0))
    levels = graph("Clip", scaled, graph.constant(0.0), graph.constant(255.0))
    shape = graph("Concat", *graph.sizes, graph.constant([program.channels], np.int64), axis=0)
    graph("Reshape", graph("Cast", levels, to=2), shape, into="picture")  # 2: uint8


class _Graph:
    """A graph under construction; calling it adds an operator and names its result."""

    def __init__(self, onnx: Any) -> None:
        self._onnx = onnx
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._flat = self.constant([1, -1], np.int64)
        one = self.constant([1], np.int64)
        self.sizes = [self("Reshape", side, one) for side in ("height", "width")]

    def __call__(self, operator: str, *inputs: str, into: str = "", **attributes: Any) -> str:
        name = into or f"v{len(self._nodes)}"
        self._nodes.append(self._onnx.helper.make_node(operator, inputs, [name], **attributes))
        return name

    def constant(self, value: Any, dtype: type = np.float32) -> str:
        name = f"c{len(self._constants)}"
        self._constants.append(self._onnx.numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def as_row(self, plane: str) -> str:
        return self("Reshape", plane, self._flat)

    def coordinates(self, side: str, line: Line) -> str:
        """Of the pixels along one side: slope * (i + 1/2) / side + offset."""
        count = self("Cast", side, to=1)  # float
        i = self("Range", self.constant(0.0), count, self.constant(1.0))
        place = self("Div", self("Add", i, self.constant(0.5)), count)
        return self("Add", self("Mul", place, self.constant(line.slope)), self.constant(line.offset))

    def model(self) -> bytes:
        helper, types = self._onnx.helper, self._onnx.TensorProto
        sides = [helper.make_tensor_value_info(side, types.INT64, []) for side in ("width", "height")]
        picture = helper.make_tensor_value_info("picture", types.UINT8, ["height", "width", "channels"])
        graph = helper.make_graph(self._nodes, "cppn_native", sides, [picture], self._constants)
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="cppn_native")
        made.ir_version = 8
        self._onnx.checker.check_model(made)
        data: bytes = made.SerializeToString()
        return data
