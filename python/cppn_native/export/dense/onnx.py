"""A random picture as an ONNX graph; features lie beside each other in a matrix (pixels, features)."""

from __future__ import annotations

import numpy as np

from ...layers import Layer
from ...plane import Term
from ..onnx import Graph, activated
from .program import DenseProgram, bias_of

__all__ = ["source"]


def source(program: DenseProgram) -> bytes:
    """The graph as ONNX writes it; ``ImportError`` naming the extra where the package onnx is not installed."""
    graph = Graph()
    h = graph("Concat", *map(graph.as_column, _inputs(graph, program)), axis=1)
    held: dict[int, tuple[str, str]] = {}
    for layer, row in zip(program.layers, program.rows(), strict=True):
        if row.start not in held:
            held[row.start] = (graph.constant(layer.weights), graph.constant(bias_of(layer)))
        weights, bias = held[row.start]
        z = _layer(graph, layer, graph("Add", graph("MatMul", h, weights), bias))
        h = graph("Add", h, z) if layer.residual else z
    above = graph("Sub", h, graph.constant(program.low))
    values = graph("Mul", above, graph.constant(program.gain))
    graph.show(graph("Where", graph("IsNaN", values), graph.constant(0.0), values), program.channels)
    return graph.model()


def _inputs(graph: Graph, program: DenseProgram) -> list[str]:
    plane, (x, y) = program.plane, graph.places()
    found = [_term(graph, term, x) for term in plane.columns] + [_term(graph, term, y) for term in plane.rows]
    if plane.radius:
        squares = [activated(graph, "square", _term(graph, t, at)) for t, at in zip(plane.radius, (x, y), strict=True)]
        found.append(graph("Sqrt", graph("Add", *squares)))
    return found


def _term(graph: Graph, term: Term, place: str) -> str:
    turn = 2 * np.pi if term.wave else 1.0
    text = graph.affine(place, turn * term.slope, turn * term.offset)
    if term.wave:
        text = graph(term.wave.title(), text)
    return graph("Mul", text, graph.constant(term.amplitude))


def _layer(graph: Graph, layer: Layer, z: str) -> str:
    if layer.normalize == "before":
        z = _normalized(graph, z)
    name, features = layer.nonlinearity, layer.weights.shape[1]
    if name == "sort":
        z = graph("TopK", z, graph.constant([features], np.int64), results=2, axis=1, largest=0)
    elif name in ("softmax", "logsoftmax"):
        z = graph("Softmax" if name == "softmax" else "LogSoftmax", z, axis=1)
    else:
        z = activated(graph, name, z)
    return _normalized(graph, z) if layer.normalize == "after" else z


def _normalized(graph: Graph, z: str) -> str:
    less = graph("Sub", z, graph("ReduceMean", z, axes=[1]))
    return graph("Div", less, graph("Sqrt", graph("ReduceMean", graph("Mul", less, less), axes=[1])))
