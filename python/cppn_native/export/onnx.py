"""An ONNX graph: ``width`` and ``height`` (int64 scalars) in, ``picture`` (H, W, C) uint8 out. Needs the extra "onnx".

The nodes of the cascade are the rows of one matrix (nodes, pixels) that grows by a row with every neuron.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .expression import Program
from .spelling import spelled

__all__ = ["Graph", "activated", "source"]

OPSET = 17


def source(program: Program) -> bytes:
    """The model as ONNX writes it; ``ImportError`` naming the extra where the package onnx is not installed."""
    graph = Graph()
    x, y = graph.places()
    x, y = graph.affine(x, program.x.slope, program.x.offset), graph.affine(y, program.y.slope, program.y.offset)
    ones = graph("Expand", graph.constant([[1.0]]), graph("Concat", *graph.sizes, axis=0))
    nodes = graph("Concat", *map(graph.as_row, (ones, x, y, *_further(graph, program, x, y))), axis=0)
    for n, name in enumerate(program.names):
        kinds = np.minimum(np.arange(program.inputs + n), program.inputs)
        steps = np.asarray(program.steps)[np.where(kinds == 0, 0, np.where(kinds < program.inputs, 1, 2))]
        z = graph("MatMul", graph.constant([np.asarray(program.row(n)) * steps]), nodes)
        nodes = graph("Concat", nodes, activated(graph, name, z), axis=0)
    first, last = (graph.constant([end], np.int64) for end in (-program.channels, 1 << 31))
    outputs = graph("Slice", nodes, first, last, graph.constant([0], np.int64))
    graph.show(graph("Mul", graph("Transpose", outputs, perm=[1, 0]), graph.constant(256.0)), program.channels)
    return graph.model()


def _further(graph: Graph, program: Program, x: str, y: str) -> list[str]:
    """The distance from the origin, and the waves."""
    found = []
    if program.radius:
        found.append(graph("Sqrt", graph("Add", graph("Mul", x, x), graph("Mul", y, y))))
    for k in range(program.octaves):
        for coordinate in (x, y):
            phase = graph("Mul", coordinate, graph.constant(2.0**k * np.pi))
            found += [graph("Sin", phase), graph("Cos", phase)]
    return found


def activated(graph: Graph, name: str, z: str) -> str:
    """The words of its spelling, one after the other."""
    for word in spelled(name, "onnx").split():
        if word == "square":
            z = graph("Mul", z, z)
        elif word == "xlogx":
            z = graph("Mul", z, graph("Log", z))
        elif word == "gelu":
            half = graph("Mul", z, graph.constant(0.5))
            z = graph("Add", half, graph("Mul", half, graph("Erf", graph("Mul", z, graph.constant(0.5**0.5)))))
        elif word[0] in "*+":
            z = graph("Mul" if word[0] == "*" else "Add", z, graph.constant(float(word[1:])))
        else:
            z = graph(word, z)
    return z


def _package() -> Any:
    try:
        import onnx
    except ImportError:
        raise ImportError("exporting to ONNX needs the package onnx: pip install 'cppn-native[onnx]'") from None
    return onnx


class Graph:
    """A graph under construction; calling it adds an operator and names the first of its results."""

    def __init__(self) -> None:
        self._onnx = _package()
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        one = self.constant([1], np.int64)
        self.sizes = [self("Reshape", side, one) for side in ("height", "width")]

    def __call__(self, operator: str, *inputs: str, into: str = "", results: int = 1, **attributes: Any) -> str:
        name = into or f"v{len(self._nodes)}"
        names = [name] + [f"{name}_{i}" for i in range(1, results)]
        self._nodes.append(self._onnx.helper.make_node(operator, inputs, names, **attributes))
        return name

    def constant(self, value: Any, dtype: type = np.float32) -> str:
        name = f"c{len(self._constants)}"
        self._constants.append(self._onnx.numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def as_row(self, plane: str) -> str:
        return self("Reshape", plane, self.constant([1, -1], np.int64))

    def as_column(self, plane: str) -> str:
        return self("Reshape", plane, self.constant([-1, 1], np.int64))

    def places(self) -> tuple[str, str]:
        """(H, W) each: of every pixel the x and y in fractions of the picture."""
        shape = self("Concat", *self.sizes, axis=0)
        places = []
        for side, line in (("width", [1, -1]), ("height", [-1, 1])):
            count = self("Cast", side, to=1)  # float
            i = self("Range", self.constant(0.0), count, self.constant(1.0))
            place = self("Div", self("Add", i, self.constant(0.5)), count)
            places.append(self("Expand", self("Reshape", place, self.constant(line, np.int64)), shape))
        return places[0], places[1]

    def affine(self, x: str, slope: float, offset: float) -> str:
        return self("Add", self("Mul", x, self.constant(slope)), self.constant(offset))

    def show(self, bytes_of: str, channels: int) -> None:
        """The picture of (pixels, channels) bytes not yet cut; truncation is the floor of what is not negative."""
        levels = self("Clip", bytes_of, self.constant(0.0), self.constant(255.0))
        shape = self("Concat", *self.sizes, self.constant([channels], np.int64), axis=0)
        self("Reshape", self("Cast", levels, to=2), shape, into="picture")  # 2: uint8

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
