"""A program to a cascade, and to its picture in the arithmetic that Pyth would use."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..errors import FormatError
from ..models.base import check_size
from ..models.cascade import Cascade, CascadeConfig
from .digits import INPUTS, Digits
from .literal import read_source, split_source, unescape
from .program import Program, parse

__all__ = ["decode", "render"]

PIXELS_AT_ONCE = 1 << 14


def decode(source: str | os.PathLike[str] | bytes) -> Cascade:
    """The cascade in a Pyth program.

    source  the program's bytes, an xxd dump of them (bytes or text; only the hex columns are read), or a path

    Its ``render()`` computes in float32, as all our models do, which shows a few bytes of a picture one off from what
    Pyth paints; ``render(source)`` of this module paints Pyth's. Raises ``FormatError`` for anything else than the
    published program or those that ``encode`` writes, ``OSError`` for a file that cannot be read.
    """
    program, levels = _read(source)
    neurons = _neurons(program, len(levels))
    try:
        config = CascadeConfig(
            neurons=neurons,
            channels=program.channels,
            activation=program.hidden.activation,
            output_activation=program.output.activation,
            coords=program.coords,
        )
        return Cascade(config, program.size, levels, _steps(program))
    except ValueError as error:
        raise FormatError(f"the program's network is none of ours: {error}") from error


def render(source: str | os.PathLike[str] | bytes) -> NDArray[np.uint8]:
    """(H, W, C), or (H, W, 3) of a grey one: the image the program writes, in float64 and in the program's order."""
    program, levels = _read(source)
    _neurons(program, len(levels))
    try:
        width, height = check_size(program.size)
    except ValueError as error:
        raise FormatError(str(error)) from error
    x, y = _axes(program)
    out = np.empty((height * width, program.channels), np.uint8)
    for begin in range(0, len(out), PIXELS_AT_ONCE):
        pixel = np.arange(begin, min(begin + PIXELS_AT_ONCE, len(out)))
        out[pixel] = _outputs(program, levels, x[pixel % width], y[pixel // width]).T
    picture = out.reshape(height, width, program.channels)
    return np.repeat(picture, 3, axis=2) if program.channels == 1 else picture


def _read(source: str | os.PathLike[str] | bytes) -> tuple[Program, NDArray[np.int32]]:
    head, inside, tail = split_source(read_source(source))
    program = parse(head, tail)
    return program, _levels(program, unescape(inside))


def _levels(program: Program, payload: bytes) -> NDArray[np.int32]:
    """The weights, first one first."""
    code, neurons = program.code, program.neurons
    if isinstance(code, Digits):
        weights = code.unpack(payload)
    else:
        if neurons is None or not 0 < neurons <= _core.MAX_NEURONS:
            raise FormatError(f"the program takes {neurons} neurons; ours have 1 to {_core.MAX_NEURONS}")
        weights = code.unpack(payload, neurons * INPUTS + neurons * (neurons - 1) // 2)
    return (program.hidden.sign * np.array(weights, np.int64)).astype(np.int32)


def _neurons(program: Program, weights: int) -> int:
    neurons, needed = 0, 0
    while needed < weights:
        needed += INPUTS + neurons
        neurons += 1
    if needed != weights:
        raise FormatError(f"the literal holds {weights} weights, which is no whole number of neurons")
    if program.neurons not in (None, neurons):
        raise FormatError(f"the literal holds {neurons} neurons, and the program takes {program.neurons}")
    hidden = neurons - program.channels
    if hidden < 0:
        raise FormatError(f"the literal holds {neurons} neurons, and the picture has {program.channels} channels")
    if program.split not in (None, hidden):
        raise FormatError(f"{program.split} neurons are hidden by their activation, and {hidden} by their place")
    return neurons


def _steps(program: Program) -> tuple[float, float, float]:
    """Steps of the constant, of x and y, and of neurons; a ``FormatError`` if the outputs have another."""
    step = _float32(program.hidden.unit / float(program.divisor))
    other = _float32(program.output.unit / float(program.output_divisor))
    if other != step:
        raise FormatError(f"hidden neurons have steps of {step}, outputs of {other}")
    gain = float(program.gain or "1")
    if program.coords == "centered":
        gain *= max(program.size) / 256
    return _float32(float(program.constant) * step / 256), _float32(gain * step), step


def _float32(value: float) -> float:
    with np.errstate(over="ignore"):
        return float(np.float32(value))


def _number(text: str) -> Any:
    return float(text) if "." in text else int(text)


def _axes(program: Program) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    gain = _number(program.gain or "1")
    axes = []
    for length in program.size:
        index = np.arange(length, dtype=np.float64)
        axes.append(gain * (2 * index - (length - 1) if program.coords == "centered" else index))
    return axes[0], axes[1]


def _outputs(
    program: Program, levels: NDArray[np.int32], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.uint8]:
    nodes = [np.full_like(x, float(program.constant)), x, y]
    signed = program.hidden.sign * levels.astype(np.float64)
    count = _neurons(program, len(levels))
    begin = 0
    with np.errstate(all="ignore"):
        for neuron in range(count):
            last = neuron >= count - program.channels
            form = program.output if last else program.hidden
            divisor = _number(program.output_divisor if last else program.divisor)
            total = np.zeros_like(x)
            for weight, node in zip(signed[begin:], nodes, strict=False):
                total += weight * node
            nodes.append(form.apply(total / divisor))
            begin += INPUTS + neuron
        shown = np.nan_to_num(np.stack(nodes[-program.channels :]))
    return np.asarray(np.clip(np.trunc(shown), 0, 255).astype(np.uint8))
